import { Migration } from '@mikro-orm/migrations';

/** Most refused questions leave only their number. */
export class CountRefusals extends Migration {
  override readonly name = '20261130103204-count-refusals';

  override up(): void {
    this.addSql(`create table refusals (
      account_id bigint not null references accounts (id),
      day date not null,
      count integer not null constraint refusals_are_counted_from_one check (count > 0),
      primary key (account_id, day)
    )`);
  }
}
