import { Migration } from '@mikro-orm/migrations';

/**
 * Versions of rates that holds and debits refer to, what each debit was metered from, and rollups by local day for all
 * that shows usage.
 */
export class CreateRatesAndRollups extends Migration {
  override readonly name = '20261124-create-rates-and-rollups';

  override up(): void {
    this.addSql(RATES);
    this.addSql(HOLDS);
    this.addSql(LEDGER);
    this.addSql(ROLLUPS);
    this.addSql(INDEXES);
  }
}

// A rate is at most a thousandfold, so that the largest debit (10^8 tokens a side) stays below the ledger's 10^12 an
// entry.
const RATES = `
create table model_rates (
  id integer generated always as identity primary key,
  model text not null,
  version integer not null constraint model_rates_versions_begin_at_1 check (version >= 1),
  -- Thousandths of a metered token for one of the provider's.
  input integer not null constraint model_rates_input_is_1_to_a_million check (input between 1 and 1000000),
  cached_input integer not null constraint model_rates_cached_input_is_1_to_a_million check (cached_input between 1 and 1000000),
  output integer not null constraint model_rates_output_is_1_to_a_million check (output between 1 and 1000000),
  created_at timestamptz not null default now(),
  constraint model_rates_one_per_version unique (model, version),
  constraint model_rates_id_and_figures unique (id, input, cached_input, output)
);
insert into model_rates (model, version, input, cached_input, output, created_at)
  select t.model, row_number() over (partition by t.model order by min(h.created_at)), h.rate_input, h.rate_cached_input, h.rate_output, min(h.created_at)
  from holds h join turns t on t.id = h.turn_id group by t.model, h.rate_input, h.rate_cached_input, h.rate_output;

create function refuse_to_change_a_rate() returns trigger language plpgsql as $$
begin
  raise exception 'a rate is never changed, a new version is added' using errcode = 'integrity_constraint_violation', constraint = 'model_rates_never_change';
end $$;
create trigger model_rates_never_change before update or delete on model_rates for each row execute function refuse_to_change_a_rate();
create trigger model_rates_are_never_emptied before truncate on model_rates for each statement execute function refuse_to_change_a_rate();
`;

// A hold keeps the rate's figures beside its version. Settle then reads one row, and the foreign key proves that the
// figures are the version's.
const HOLDS = `
alter table holds add column rate_id integer;
update holds h set rate_id = r.id from turns t, model_rates r
  where t.id = h.turn_id and r.model = t.model and (r.input, r.cached_input, r.output) = (h.rate_input, h.rate_cached_input, h.rate_output);
alter table holds alter column rate_id set not null, add constraint holds_rates_are_those_of_their_version
  foreign key (rate_id, rate_input, rate_cached_input, rate_output) references model_rates (id, input, cached_input, output);
`;

// Earlier entries get their day in the zone that is set now, the only one known. PostgreSQL may not know a zone that
// the runtime knows.
const LEDGER = `
alter table ledger_entries
  -- On the account's wall clock as its zone was when this was booked.
  add column day date,
  add column rate_id integer references model_rates (id),
  add column prompt_tokens integer,
  add column cached_tokens integer,
  add column completion_tokens integer;

alter table ledger_entries disable trigger ledger_is_append_only;
update ledger_entries e set day = (e.created_at at time zone coalesce(z.name, 'UTC'))::date
  from accounts a left join pg_timezone_names z on z.name = a.time_zone where a.id = e.account_id;
update ledger_entries e set rate_id = h.rate_id, prompt_tokens = coalesce(t.prompt_tokens, 0), completion_tokens = coalesce(t.completion_tokens, 0),
    cached_tokens = coalesce((select least(cached_tokens, t.prompt_tokens) from attempts where turn_id = t.id and number = t.answer_attempt), 0)
  from holds h, turns t where e.kind = 'debit' and h.id = e.hold_id and t.id = e.turn_id;
alter table ledger_entries enable trigger ledger_is_append_only;

alter table ledger_entries alter column day set not null,
  add constraint ledger_debits_say_what_was_metered check (
    num_nonnulls(rate_id, prompt_tokens, cached_tokens, completion_tokens) = case kind when 'debit' then 4 else 0 end),
  add constraint ledger_cached_tokens_lie_inside_the_prompt check (cached_tokens between 0 and prompt_tokens and completion_tokens >= 0);
`;

const ROLLUPS = `
create table usage_rollups (
  period_id bigint not null references periods (id),
  day date not null,
  -- Names model and version; null: adjustments, which no model used.
  rate_id integer references model_rates (id),
  turns integer not null,
  prompt_tokens token_count not null,
  cached_tokens token_count not null,
  completion_tokens token_count not null,
  used_tokens token_delta not null,
  constraint usage_rollups_one_per_day_and_rate unique nulls not distinct (period_id, day, rate_id),
  constraint usage_rollups_of_turns_name_a_rate check ((rate_id is not null) = (turns > 0)),
  constraint usage_rollups_only_adjustments_go_down check (rate_id is null or used_tokens > 0)
) with (fillfactor = 70); -- one row is updated all day long: room to do it in its page

insert into usage_rollups (period_id, day, rate_id, turns, prompt_tokens, cached_tokens, completion_tokens, used_tokens)
  select period_id, day, rate_id, count(rate_id), coalesce(sum(prompt_tokens), 0), coalesce(sum(cached_tokens), 0), coalesce(sum(completion_tokens), 0), sum(used_delta)
  from ledger_entries where kind in ('debit', 'adjustment') group by period_id, day, rate_id;
`;

const INDEXES = `
-- History by turn reads a period's entries newest first.
drop index ledger_of_period;
create index ledger_of_period on ledger_entries (period_id, id);
-- Reconcile asks what was booked lately. The ledger only grows, so its pages are in order of time: this costs kilobytes.
create index ledger_by_time on ledger_entries using brin (created_at) with (autosummarize = on);
-- Statistics read the open periods; an end never changes, so settling still updates in place.
create index periods_by_end on periods (ends_at);
`;
