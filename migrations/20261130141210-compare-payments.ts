import { Migration } from '@mikro-orm/migrations';

/** Payments that are no purchase's, and when webhooks and comparisons of each provider last went well. */
export class ComparePayments extends Migration {
  override readonly name = '20261130141210-compare-payments';

  override up(): void {
    this.addSql(`create table unmatched_payments (
      provider text not null constraint unmatched_payments_provider_is_known check (provider in ('stripe', 'toss', 'demo')),
      payment_id text not null,
      order_id text,
      amount bigint not null,
      currency text not null,
      livemode boolean not null,
      taken_at timestamptz not null,
      found_at timestamptz not null default now(),
      primary key (provider, payment_id)
    )`);
    this.addSql('create index unmatched_payments_newest on unmatched_payments (taken_at desc, payment_id desc)');
    this.addSql(`create table payment_checks (
      provider text not null constraint payment_checks_provider_is_known check (provider in ('stripe', 'toss', 'demo')),
      what text not null constraint payment_checks_what_is_known check (what in ('webhook', 'hourly', 'daily')),
      at timestamptz not null default now(),
      primary key (provider, what)
    )`);
  }
}
