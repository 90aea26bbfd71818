import { Migration } from '@mikro-orm/migrations';

/** A search of titles read all conversations of its person. In parallel, that took all connections. */
export class IndexTitles extends Migration {
  override readonly name = '20261130103206-index-titles';

  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('set lock_timeout = 0');
    this.addSql('drop index concurrently if exists conversations_by_title');
    this.addSql(
      'create index concurrently conversations_by_title on conversations using gin (search_keys(user_id, title))',
    );
    this.addSql('reset lock_timeout');
  }
}
