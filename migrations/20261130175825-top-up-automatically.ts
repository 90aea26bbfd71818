import { Migration } from '@mikro-orm/migrations';

/** Cards that people let us charge, and what is bought with them when their tokens fall below a threshold. */
export class TopUpAutomatically extends Migration {
  override readonly name = '20261130175825-top-up-automatically';

  override up(): void {
    this.addSql(`create table payment_customers (
      account_id bigint not null constraint payment_customers_account_id_fkey references accounts (id),
      provider text not null constraint payment_customers_provider_is_known check (provider in ('stripe', 'toss', 'demo')),
      livemode boolean not null,
      key uuid not null constraint payment_customers_one_a_key unique,
      provider_ref text,
      primary key (account_id, provider, livemode)
    )`);
    this.addSql(`create table payment_methods (
      id uuid primary key,
      account_id bigint not null constraint payment_methods_account_id_fkey references accounts (id),
      provider text not null constraint payment_methods_provider_is_known check (provider in ('stripe', 'toss', 'demo')),
      livemode boolean not null,
      state text not null default 'open' constraint payment_methods_state_is_known check (state in ('open', 'active', 'removed')),
      provider_session_id text,
      -- Sealed for this row.
      sealed bytea,
      brand text,
      last4 text constraint payment_methods_show_four_digits check (last4 ~ '^[0-9]{4}$'),
      expires text,
      created_at timestamptz not null,
      looked_at timestamptz,
      active_at timestamptz,
      refused_at timestamptz,
      forgotten_at timestamptz,
      constraint payment_methods_one_a_session unique (provider, provider_session_id),
      constraint payment_methods_that_are_kept_have_a_name check (state <> 'active' or sealed is not null)
    )`);
    this.addSql('create index payment_methods_of_account on payment_methods (account_id, created_at desc)');
    this.addSql(
      `create index payment_methods_to_forget on payment_methods (created_at) where state = 'removed' and forgotten_at is null and sealed is not null`,
    );
    this.addSql(`create table auto_top_ups (
      account_id bigint primary key constraint auto_top_ups_account_id_fkey references accounts (id),
      state text not null constraint auto_top_ups_state_is_known check (state in ('on', 'paused', 'off')),
      way text not null constraint auto_top_ups_way_is_known check (way in ('charge', 'remind')),
      pack_id text not null,
      pack_version integer not null,
      below_tokens token_count not null,
      currency text not null constraint auto_top_ups_currency_is_known check (currency in ('KRW', 'USD')),
      monthly_limit integer,
      method_id uuid constraint auto_top_ups_method_id_fkey references payment_methods (id),
      claimed_until timestamptz,
      declines integer not null default 0,
      pause text constraint auto_top_ups_pause_is_known check (pause in (
        'declined', 'insufficient_funds', 'authentication_required', 'card_expired', 'card_unusable', 'bank_away',
        'card_gone', 'pack_changed', 'refunded', 'mismatch')),
      paused_at timestamptz,
      changed_at timestamptz not null,
      constraint auto_top_ups_pack_id_pack_version_fkey foreign key (pack_id, pack_version) references packs (id, version),
      constraint auto_top_ups_begin_somewhere check (below_tokens > 0 and declines >= 0),
      constraint auto_top_ups_charge_a_card_up_to_a_limit check (
        way <> 'charge' or (method_id is not null and monthly_limit > 0 and monthly_limit <= 1000000000)),
      constraint auto_top_ups_say_why_they_pause check ((state = 'paused') = (pause is not null))
    )`);
    this.addSql(`create index auto_top_ups_on on auto_top_ups (claimed_until) where state = 'on'`);
    this.addSql(`create table top_ups (
      purchase_id uuid primary key constraint top_ups_purchase_id_fkey references purchases (id),
      account_id bigint not null constraint top_ups_account_id_fkey references accounts (id),
      method_id uuid not null constraint top_ups_method_id_fkey references payment_methods (id),
      customer text not null,
      outcome text constraint top_ups_outcome_is_known check (outcome in ('paid', 'declined', 'card_gone', 'mismatch', 'unwanted')),
      decline text constraint top_ups_decline_is_known check (decline in (
        'declined', 'insufficient_funds', 'authentication_required', 'card_expired', 'card_unusable', 'bank_away')),
      made_at timestamptz not null,
      ended_at timestamptz,
      constraint top_ups_end_with_an_outcome check ((outcome is null) = (ended_at is null))
    )`);
    this.addSql('create unique index top_ups_one_at_a_time on top_ups (account_id) where outcome is null');
    this.addSql('create index top_ups_of_account on top_ups (account_id, made_at desc)');
  }
}
