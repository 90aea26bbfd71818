import { Migration } from '@mikro-orm/migrations';

/** Admins list deliveries by how they stand, and by what they tell of. */
export class FindDeliveries extends Migration {
  override readonly name = '20261130175824-find-deliveries';

  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('set lock_timeout = 0');
    for (const [name, on] of [
      ['deliveries_by_state', 'deliveries (state, notification_id, id)'],
      ['notifications_of_kind', 'notifications (kind, id)'],
    ] as const) {
      this.addSql(`drop index concurrently if exists ${name}`);
      this.addSql(`create index concurrently ${name} on ${on}`);
    }
    this.addSql('reset lock_timeout');
  }
}
