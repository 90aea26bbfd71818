import { Migration } from '@mikro-orm/migrations';

/** The few looks that saw a dispute. */
export class FindDisputes extends Migration {
  override readonly name = '20261130134300-find-disputes';

  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('set lock_timeout = 0');
    this.addSql('drop index concurrently if exists payment_snapshots_disputed');
    this.addSql(
      "create index concurrently payment_snapshots_disputed on payment_snapshots (purchase_id, seen_at) where state = 'disputed'",
    );
    this.addSql('reset lock_timeout');
  }
}
