import { Migration } from '@mikro-orm/migrations';

/** Servers of people, and of the operator, that are told of events. */
export class CallWebhooks extends Migration {
  override readonly name = '20261130134635-call-webhooks';

  override up(): void {
    this.addSql(`create table webhook_endpoints (
      id uuid primary key,
      user_id bigint not null constraint webhook_endpoints_user_id_fkey references users (id),
      scope text not null constraint webhook_endpoints_scope_is_known check (scope in ('account', 'operator')),
      url text not null,
      events text[] not null,
      -- Sealed for this endpoint.
      secret bytea not null,
      old_secret bytea,
      old_until timestamptz,
      state text not null default 'enabled' constraint webhook_endpoints_state_is_known check (state in ('enabled', 'disabled')),
      failing_since timestamptz,
      created_at timestamptz not null,
      deleted_at timestamptz
    )`);
    this.addSql('create index webhook_endpoints_of_user on webhook_endpoints (user_id, created_at)');
    // No delivery goes to an endpoint yet, so that the index is empty.
    this.addSql(
      `create index deliveries_of_endpoint on deliveries (address, queued_at desc) where channel = 'webhook'`,
    );
  }
}
