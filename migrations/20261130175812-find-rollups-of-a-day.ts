import { Migration } from '@mikro-orm/migrations';

/** Who used what in some days is read from the rollups of those days. */
export class FindRollupsOfADay extends Migration {
  override readonly name = '20261130175812-find-rollups-of-a-day';

  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('set lock_timeout = 0');
    this.addSql('drop index concurrently if exists usage_rollups_of_day');
    this.addSql('create index concurrently usage_rollups_of_day on usage_rollups (day, period_id)');
    this.addSql('reset lock_timeout');
  }
}
