import { Migration } from '@mikro-orm/migrations';

/** Revenue is read by when each movement was seen. */
export class FindLooksByTime extends Migration {
  override readonly name = '20261130134259-find-looks-by-time';

  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('set lock_timeout = 0');
    this.addSql('drop index concurrently if exists payment_snapshots_by_time');
    this.addSql('create index concurrently payment_snapshots_by_time on payment_snapshots (seen_at)');
    this.addSql('reset lock_timeout');
  }
}
