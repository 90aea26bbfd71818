import { Migration } from '@mikro-orm/migrations';

/** What each person had used by the end of each day of a month: added up from the rollups of days that are over. */
export class KeepPeopleOfMonths extends Migration {
  override readonly name = '20261130230002-keep-people-of-months';

  override up(): void {
    this.addSql(`create table usage_person_months (
      month date not null,
      account_id bigint not null references accounts (id),
      -- The first version of a model.
      rate_id integer not null references model_rates (id),
      -- The days with use, in order, and what was used from the first of the month to the end of each.
      days date[] not null,
      through_tokens bigint[] not null,
      primary key (month, account_id, rate_id),
      constraint usage_person_months_have_a_sum_a_day check (cardinality(days) > 0 and cardinality(days) = cardinality(through_tokens))
    ) with (fillfactor = 70)`);
    this.addSql('create table usage_people_days (day date primary key, people integer not null)');
    this.addSql(`create table usage_person_marks (
      id integer primary key constraint usage_person_marks_is_one_row check (id = 1),
      through_day date,
      -- Of a range of days that is under way: its end, and the last account that was added up for it.
      to_day date,
      account_id bigint not null default 0
    )`);
    this.addSql('insert into usage_person_marks (id) values (1)');
  }
}
