import { Migration } from '@mikro-orm/migrations';

/** What closed months came to, and the forecasts that are judged by them. Reports never change. */
export class KeepReports extends Migration {
  override readonly name = '20261130175817-keep-reports';

  override up(): void {
    this.addSql(`create table usage_reports (
      account_id bigint not null constraint usage_reports_account_id_fkey references accounts (id),
      label text not null constraint usage_reports_label_is_a_month check (label ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
      period_id bigint constraint usage_reports_period_id_fkey references periods (id),
      version integer not null,
      body jsonb not null,
      made_at timestamptz not null,
      primary key (account_id, label)
    )`);
    this.addSql(`create table forecasts (
      account_id bigint not null constraint forecasts_account_id_fkey references accounts (id),
      made_on date not null,
      period_id bigint not null constraint forecasts_period_id_fkey references periods (id),
      remaining_tokens token_count not null,
      depletes_at timestamptz,
      made_at timestamptz not null,
      primary key (account_id, made_on)
    )`);
    this.addSql('create index forecasts_of_period on forecasts (period_id)');
    this.addSql(`create table operator_reports (
      label text primary key constraint operator_reports_label_is_a_month check (label ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
      version integer not null,
      body jsonb not null,
      made_at timestamptz not null
    )`);
    for (const table of ['usage_reports', 'operator_reports'])
      this.addSql(
        `create trigger ${table}_never_change before update or delete on ${table} for each row execute function refuse_to_change()`,
      );
  }
}
