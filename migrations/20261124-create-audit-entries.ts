import { Migration } from '@mikro-orm/migrations';

/** What admins did: who, what, to which target, why, before and after. Append-only, like the ledger. */
export class CreateAuditEntries extends Migration {
  override readonly name = '20261124-create-audit-entries';

  override up(): void {
    this.addSql(AUDIT);
  }
}

// The CHECK holds only the form of an action. The closed list is in domain/audit.ts, so that a new action needs no
// migration.
const AUDIT = `
create table audit_entries (
  id bigint generated always as identity primary key,
  -- Null: somebody with access to the database acted through the CLI.
  admin_id bigint references users (id),
  action text not null constraint audit_actions_are_object_and_verb check (action ~ '^[a-z_]+[.][a-z_]+$'),
  target text not null constraint audit_targets_are_kind_and_id check (target ~ '^[a-z_]+(:[A-Za-z0-9_.:/-]+)?$'),
  reason text,
  before jsonb,
  after jsonb,
  request_id text,
  created_at timestamptz not null default now(),
  constraint audit_names_the_request_of_an_admin check ((admin_id is null) = (request_id is null))
);
create index audit_of_admin on audit_entries (admin_id, id desc);
create index audit_of_action on audit_entries (action, id desc);
create index audit_of_target on audit_entries (target, id desc);

create function refuse_to_rewrite_audit() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name using errcode = 'integrity_constraint_violation', constraint = 'audit_is_append_only';
end $$;
create trigger audit_is_append_only before update or delete on audit_entries for each row execute function refuse_to_rewrite_audit();
create trigger audit_is_never_emptied before truncate on audit_entries for each statement execute function refuse_to_rewrite_audit();
`;
