import { Migration } from '@mikro-orm/migrations';

/**
 * Keys that people make themselves, with scopes, models, caps and a secret that is rotated. A key of before has none of
 * it, and neither has what an older process writes.
 */
export class LetPeopleMakeKeys extends Migration {
  override readonly name = '20261130134249-let-people-make-keys';

  override up(): void {
    this.addSql(KEYS);
    this.addSql(
      'create unique index api_keys_previous_is_unique on api_keys (previous_hash) where previous_hash is not null',
    );
    this.addSql(KEY_USAGE);
  }
}

const KEYS = `
alter table api_keys add column name text,
  add column account_id bigint constraint api_keys_account_id_fkey references accounts (id) on delete set null,
  add column scopes text[],
  add column models text[],
  add column cap_tokens token_count,
  add column cap_kind text,
  add column requests_per_minute integer,
  add column last_used_from text,
  add column previous_hash bytea,
  add column previous_hint text,
  add column previous_ends_at timestamptz,
  add constraint api_keys_made_by_people_have_scopes check ((name is null) = (scopes is null)),
  add constraint api_keys_scopes_are_known check (cardinality(scopes) > 0 and scopes <@ array['chat', 'v1', 'read']),
  add constraint api_keys_models_are_some check (cardinality(models) > 0),
  add constraint api_keys_cap_kind_is_known check (cap_kind in ('period', 'total')),
  add constraint api_keys_caps_have_a_kind check ((cap_tokens is null) = (cap_kind is null)),
  add constraint api_keys_requests_are_some check (requests_per_minute > 0),
  add constraint api_keys_previous_is_whole check ((previous_hash is null) = (previous_hint is null) and (previous_hash is null) = (previous_ends_at is null))
`;

const KEY_USAGE = `
create table key_usage (
  key_id bigint not null constraint key_usage_key_id_fkey references api_keys (id) on update cascade on delete cascade,
  period_id bigint not null constraint key_usage_period_id_fkey references periods (id) on update cascade on delete cascade,
  used_tokens token_count not null,
  turns integer not null constraint key_usage_counts_turns check (turns > 0),
  primary key (key_id, period_id)
)`;
