import { Migration } from '@mikro-orm/migrations';

/** Sending many deliveries once more: what an admin has chosen, and how far it is. */
export class ResendDeliveries extends Migration {
  override readonly name = '20261130175823-resend-deliveries';

  override up(): void {
    this.addSql(`create table resends (
      id uuid primary key,
      admin_id bigint constraint resends_admin_id_fkey references users (id),
      state text not null default 'running' constraint resends_state_is_known check (state in ('running', 'completed', 'cancelled')),
      filter jsonb not null,
      reason text not null,
      rate_per_second integer not null constraint resends_rate_is_positive check (rate_per_second > 0),
      idempotency_key text,
      request_hash bytea,
      created_at timestamptz not null default now(),
      ended_at timestamptz,
      constraint resends_end_when_they_are_over check ((ended_at is null) = (state = 'running')),
      constraint resends_key_and_request_go_together check ((idempotency_key is null) = (request_hash is null)),
      constraint resends_one_per_key unique (admin_id, idempotency_key)
    )`);
    this.addSql('create index resends_newest on resends (created_at desc, id desc)');
    this.addSql(`create table resend_deliveries (
      resend_id uuid not null constraint resend_deliveries_resend_id_fkey references resends (id),
      delivery_id uuid not null constraint resend_deliveries_delivery_id_fkey references deliveries (id),
      position integer not null,
      begun_at timestamptz,
      primary key (resend_id, delivery_id),
      constraint resend_deliveries_have_a_place unique (resend_id, position)
    )`);
    this.addSql('create index resend_deliveries_by_delivery on resend_deliveries (delivery_id) where begun_at is null');
  }
}
