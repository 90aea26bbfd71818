import { Migration } from '@mikro-orm/migrations';

/** What an account's empty answers used within an hour has a bound (policy 11). A row an account tells at one look. */
export class CountUnpaidTokens extends Migration {
  override readonly name = '20261130105453-count-unpaid-tokens';

  override up(): void {
    this.addSql(`create table unpaid_tokens (
      account_id bigint primary key references accounts (id) on update cascade on delete cascade,
      hour timestamptz not null,
      tokens token_count not null
    )`);
    this.addSql('create index unpaid_tokens_by_hour on unpaid_tokens (hour, tokens)');
  }
}
