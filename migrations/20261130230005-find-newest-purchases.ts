import { Migration } from '@mikro-orm/migrations';

/** Admins read everybody's purchases, newest first: without this, each page sorted all that were ever made. */
export class FindNewestPurchases extends Migration {
  override readonly name = '20261130230005-find-newest-purchases';

  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('set lock_timeout = 0');
    this.addSql('drop index concurrently if exists purchases_newest');
    this.addSql('create index concurrently purchases_newest on purchases (created_at desc, id desc)');
    this.addSql('reset lock_timeout');
  }
}
