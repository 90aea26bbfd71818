import { Migration } from '@mikro-orm/migrations';

/** What is not an alert is told once a reader, kind and key. */
export class TellOnce extends Migration {
  override readonly name = '20261130134253-tell-once';

  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('set lock_timeout = 0');
    this.addSql('drop index concurrently if exists notifications_one_a_reader_and_key');
    this.addSql(
      'create unique index concurrently notifications_one_a_reader_and_key on notifications (user_id, kind, key) where key is not null',
    );
    this.addSql('reset lock_timeout');
  }
}
