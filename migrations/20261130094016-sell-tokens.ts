import { Migration } from '@mikro-orm/migrations';

/** Packs, purchases and what was seen of their payments, refunds, and webhooks that came. */
export class SellTokens extends Migration {
  override readonly name = '20261130094016-sell-tokens';

  override up(): void {
    this.addSql(PURCHASES);
  }
}

const PURCHASES = `
create table inbound_events (
  provider text not null,
  event_id text not null,
  type text not null,
  purchase_id uuid,
  times int not null default 1,
  received_at timestamptz not null default now(),
  primary key (provider, event_id)
);
create index inbound_events_by_time on inbound_events (received_at);
create index inbound_events_of_purchase on inbound_events (purchase_id) where purchase_id is not null;
create table packs (
  id text not null,
  version int not null,
  name_ko text not null,
  name_en text not null,
  tokens token_count not null,
  bonus_tokens token_count not null default 0,
  currency text not null,
  amount int not null,
  created_at timestamptz not null default now(),
  primary key (id, version)
);
create table purchases (
  id uuid not null,
  account_id bigint not null,
  user_id bigint not null,
  pack_id text not null,
  pack_version int not null,
  tokens token_count not null,
  bonus_tokens token_count not null,
  currency text not null,
  amount int not null,
  provider text not null,
  method text,
  livemode boolean not null,
  state text not null default 'created',
  failure text,
  provider_session_id text,
  provider_payment_id text,
  idempotency_key text not null,
  receipt_url text,
  expires_at timestamptz not null,
  due_at timestamptz,
  created_at timestamptz not null default now(),
  paid_at timestamptz,
  looked_at timestamptz,
  primary key (id)
);
create index purchases_newest_of_account on purchases (account_id, created_at desc, id desc);
create index purchases_by_state on purchases (state, created_at desc, id desc);
alter table purchases add constraint purchases_one_a_key unique (account_id, idempotency_key);
alter table purchases add constraint purchases_one_a_session unique (provider, provider_session_id);
alter table purchases add constraint purchases_one_a_payment unique (provider, provider_payment_id);
create table refunds (
  id uuid not null,
  purchase_id uuid not null,
  amount int not null,
  state text not null default 'requested',
  failure text,
  reason text not null,
  requested_by_id bigint,
  idempotency_key text not null,
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (id)
);
alter table refunds add constraint refunds_one_a_key unique (purchase_id, idempotency_key);
create unique index refunds_one_at_a_time on refunds (purchase_id) where state = 'requested';
create table purchase_secrets (
  purchase_id uuid not null,
  sealed bytea not null,
  primary key (purchase_id)
);
create table payment_snapshots (
  purchase_id uuid not null,
  seq int not null,
  payment jsonb not null,
  state text not null,
  paid int not null,
  refunded int not null,
  withdrawn int not null,
  source text not null,
  seen_at timestamptz not null,
  primary key (purchase_id, seq)
);
create table purchase_bookings (
  entry_id bigint not null,
  purchase_id uuid not null,
  seq int not null,
  primary key (entry_id)
);
create index purchase_bookings_of_purchase on purchase_bookings (purchase_id);
alter table inbound_events add constraint inbound_events_provider_is_known check (provider in ('stripe', 'toss', 'demo'));
alter table packs add constraint packs_id_is_a_word check (id ~ '^[a-z0-9][a-z0-9-]{0,39}$');
alter table packs add constraint packs_give_tokens_for_money check (tokens > 0 and amount > 0 and amount <= 1000000000);
alter table packs add constraint packs_currency_is_known check (currency in ('KRW', 'USD'));
alter table purchases add constraint purchases_account_id_fkey foreign key (account_id) references accounts (id);
alter table purchases add constraint purchases_user_id_fkey foreign key (user_id) references users (id);
alter table purchases add constraint purchases_pack_id_pack_version_fkey foreign key (pack_id, pack_version) references packs (id, version) on update no action on delete no action;
alter table purchases add constraint purchases_give_tokens_for_money check (tokens > 0 and amount > 0 and amount <= 1000000000);
alter table purchases add constraint purchases_of_the_demo_are_not_money check (provider <> 'demo' or not livemode);
alter table purchases add constraint purchases_currency_is_known check (currency in ('KRW', 'USD'));
alter table purchases add constraint purchases_provider_is_known check (provider in ('stripe', 'toss', 'demo'));
alter table purchases add constraint purchases_method_is_known check (method in ('card', 'transfer', 'deposit', 'easy_pay', 'phone', 'other'));
alter table purchases add constraint purchases_state_is_known check (state in ('created', 'pending', 'awaiting_deposit', 'paid', 'partially_refunded', 'refunded', 'disputed', 'failed', 'expired', 'mismatch'));
alter table purchases add constraint purchases_failure_is_known check (failure in ('declined', 'cancelled', 'expired', 'deposit_failed', 'provider_error'));
alter table refunds add constraint refunds_purchase_id_fkey foreign key (purchase_id) references purchases (id);
alter table refunds add constraint refunds_requested_by_id_fkey foreign key (requested_by_id) references users (id) on delete no action;
alter table refunds add constraint refunds_are_money check (amount > 0);
alter table refunds add constraint refunds_end_when_they_are_decided check ((ended_at is null) = (state = 'requested'));
alter table refunds add constraint refunds_state_is_known check (state in ('requested', 'succeeded', 'failed'));
alter table refunds add constraint refunds_failure_is_known check (failure in ('refused', 'account_refused', 'provider_error'));
alter table purchase_secrets add constraint purchase_secrets_purchase_id_fkey foreign key (purchase_id) references purchases (id) on update no action on delete no action;
alter table payment_snapshots add constraint payment_snapshots_purchase_id_fkey foreign key (purchase_id) references purchases (id);
alter table payment_snapshots add constraint payment_snapshots_count_money check (seq > 0 and paid >= 0 and refunded >= 0 and withdrawn >= 0);
alter table payment_snapshots add constraint payment_snapshots_state_is_known check (state in ('created', 'pending', 'awaiting_deposit', 'paid', 'partially_refunded', 'refunded', 'disputed', 'failed', 'expired', 'mismatch'));
alter table payment_snapshots add constraint payment_snapshots_source_is_known check (source in ('return', 'webhook', 'timer', 'reconcile', 'refund', 'admin'));
alter table purchase_bookings add constraint purchase_bookings_entry_id_fkey foreign key (entry_id) references ledger_entries (id) on update no action on delete no action;
alter table purchase_bookings add constraint purchase_bookings_purchase_id_fkey foreign key (purchase_id) references purchases (id);

-- A version of a pack is what somebody bought, and a look is what was seen: neither is rewritten.
create function refuse_to_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'integrity_constraint_violation', constraint = tg_name;
end $$;
create trigger packs_never_change before update or delete on packs for each row execute function refuse_to_change();
create trigger payment_snapshots_are_append_only before update or delete on payment_snapshots for each row execute function refuse_to_change();
create trigger purchase_bookings_are_append_only before update or delete on purchase_bookings for each row execute function refuse_to_change();
`;
