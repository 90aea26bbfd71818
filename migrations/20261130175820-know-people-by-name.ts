import { Migration } from '@mikro-orm/migrations';

/** What people are called, when they were here last, and the links by which an admin invites them. */
export class KnowPeopleByName extends Migration {
  override readonly name = '20261130175820-know-people-by-name';

  override up(): void {
    this.addSql('alter table users add column name text, add column last_seen_at timestamptz');
    this.addSql(
      'alter table users add constraint users_name_is_one_to_100_long check (length(name) >= 1 and length(name) <= 100) not valid',
    );
    this.addSql(`create table invitations (
      id uuid primary key,
      user_id bigint not null constraint invitations_user_id_fkey references users (id),
      invited_by_id bigint constraint invitations_invited_by_id_fkey references users (id),
      by_mail boolean not null,
      -- The key that it has given; another is given in its place while nobody has used it.
      key_id bigint constraint invitations_key_id_fkey references api_keys (id),
      created_at timestamptz not null,
      expires_at timestamptz not null,
      -- Given up for a later one.
      ended_at timestamptz
    )`);
    this.addSql('create index invitations_of_user on invitations (user_id, created_at)');
  }
}
