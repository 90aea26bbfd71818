import { Migration } from '@mikro-orm/migrations';

/** Questions and answers are found by their keys, and pinned conversations without reading all the others. */
export class FindWhatWasSaid extends Migration {
  override readonly name = '20261130113151-find-what-was-said';

  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('set lock_timeout = 0');
    this.addSql('drop index concurrently if exists turns_by_text');
    this
      .addSql(`create index concurrently turns_by_text on turns using gin (search_keys(user_id, question), search_keys(user_id, answer))
      where ended_at is not null and ever_admitted and erased_at is null`);
    this.addSql('drop index concurrently if exists conversations_pinned_of_user');
    this
      .addSql(`create index concurrently conversations_pinned_of_user on conversations (user_id, updated_at desc, id desc)
      where pinned_at is not null`);
    this.addSql('reset lock_timeout');
  }
}
