import { Migration } from '@mikro-orm/migrations';

/**
 * Admission and the usage card sum the live holds of one account. The number of pending holds changes all the time, and
 * the planner mostly assumes none. Any index of pending holds then looked as good as the account's, and it read
 * everybody's holds. So only the account's index is defined by `ended_at`, which is null exactly while a hold is
 * pending. No index contains the expiry any more: renewing a hold, twice a turn, writes to none.
 */
export class FindHoldsByAccount extends Migration {
  override readonly name = '20261125-find-holds-by-account';

  override up(): void {
    this.addSql('create index holds_live_of_account on holds (account_id) where ended_at is null');
    this.addSql('drop index holds_pending_of_account');
    this.addSql('drop index holds_pending_by_expiry');
    this.addSql('alter table holds set (fillfactor = 80)');
  }
}
