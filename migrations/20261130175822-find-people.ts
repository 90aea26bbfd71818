import { Migration } from '@mikro-orm/migrations';

/** People are searched by the beginning of their names, and listed by e-mail and by when they were here last. */
export class FindPeople extends Migration {
  override readonly name = '20261130175822-find-people';

  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('set lock_timeout = 0');
    for (const [name, on] of [
      ['users_by_name_prefix', 'users (lower(name) text_pattern_ops)'],
      ['users_in_order_of_email', `users ((coalesce(email, '') collate "C"), id)`],
      ['users_by_last_seen', `users ((coalesce(last_seen_at, '-infinity'::timestamptz)), id)`],
    ] as const) {
      this.addSql(`drop index concurrently if exists ${name}`);
      this.addSql(`create index concurrently ${name} on ${on}`);
    }
    this.addSql('reset lock_timeout');
  }
}
