import { Migration } from '@mikro-orm/migrations';

/** One redrive at a time may hold a turn, so whether one does is asked for each turn that another would take. */
export class FindRedrivesOfATurn extends Migration {
  override readonly name = '20261130103208-find-redrives-of-a-turn';

  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('set lock_timeout = 0');
    this.addSql('drop index concurrently if exists redrive_turns_by_turn');
    this.addSql(
      "create index concurrently redrive_turns_by_turn on redrive_turns (turn_id) where state in ('waiting', 'running')",
    );
    this.addSql('reset lock_timeout');
  }
}
