import { Migration } from '@mikro-orm/migrations';

/** What all accounts used on a day, and how soon answers began: added up from the ledger by reconcile. */
export class KeepFiguresOfDays extends Migration {
  override readonly name = '20261130175811-keep-figures-of-days';

  override up(): void {
    this.addSql(`create table usage_days (
      day date not null,
      rate_id integer not null references model_rates (id),
      turns integer not null,
      prompt_tokens token_count not null,
      cached_tokens token_count not null,
      completion_tokens token_count not null,
      used_tokens token_count not null,
      primary key (day, rate_id)
    )`);
    this.addSql(`create table first_delta_days (
      day date not null,
      rate_id integer not null references model_rates (id),
      below_ms integer not null,
      turns integer not null,
      primary key (day, rate_id, below_ms)
    )`);
    this.addSql(`create table usage_day_marks (
      id integer primary key constraint usage_day_marks_is_one_row check (id = 1),
      through_id bigint not null default 0
    )`);
    this.addSql('insert into usage_day_marks (id) values (1)');
    this.addSql('alter table attempts add column first_delta_ms integer');
  }
}
