import { Migration } from '@mikro-orm/migrations';

/** Files that are due are found by when they are. */
export class FindFilesToLookAt extends Migration {
  override readonly name = '20261130230004-find-files-to-look-at';

  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('set lock_timeout = 0');
    this.addSql('drop index concurrently if exists files_to_look_at');
    this.addSql('create index concurrently files_to_look_at on files (look_at) where look_at is not null');
    this.addSql('reset lock_timeout');
  }
}
