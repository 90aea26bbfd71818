import { Migration } from '@mikro-orm/migrations';

/** Where one schedule fires many accounts, it pages through those that are armed. */
export class FindArmedAccounts extends Migration {
  override readonly name = '20261130175813-find-armed-accounts';

  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('set lock_timeout = 0');
    this.addSql('drop index concurrently if exists periods_reset_armed');
    this.addSql('create index concurrently periods_reset_armed on periods (label, account_id) where reset_armed');
    this.addSql('drop index concurrently if exists periods_alert_armed');
    this.addSql('create index concurrently periods_alert_armed on periods (account_id) where alert_armed is not null');
    this.addSql('reset lock_timeout');
  }
}
