import { Migration } from '@mikro-orm/migrations';

/** The turns that follow the same one are read for every message that is shown. */
export class FindTurnsByParent extends Migration {
  override readonly name = '20261130123600-find-turns-by-parent';

  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('set lock_timeout = 0');
    this.addSql('drop index concurrently if exists turns_by_parent');
    this.addSql(
      'create index concurrently turns_by_parent on turns (conversation_id, parent_sequence, sequence) where parent_sequence is not null',
    );
    this.addSql('reset lock_timeout');
  }
}
