import { Migration } from '@mikro-orm/migrations';

/** Replays of many turns: what was asked, and what has become of each turn. The tables outlive Temporal's data. */
export class CreateRedrives extends Migration {
  override readonly name = '20261124-create-redrives';

  override up(): void {
    this.addSql(REDRIVES);
  }
}

const REDRIVES = `
create table redrives (
  id uuid primary key,
  -- Null: through the CLI.
  admin_id bigint references users (id),
  state text not null default 'running'
    constraint redrives_state_is_known check (state in ('running', 'paused', 'cancelling', 'completed', 'cancelled')),
  filter jsonb not null,
  reason text not null,
  include_superseded boolean not null,
  rate_per_second integer not null constraint redrives_rate_is_positive check (rate_per_second > 0),
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  constraint redrives_end_when_they_are_over check ((ended_at is null) = (state in ('running', 'paused', 'cancelling')))
);
create index redrives_newest on redrives (created_at desc, id desc);

create table redrive_turns (
  redrive_id uuid not null references redrives (id),
  turn_id uuid not null references turns (id),
  -- Oldest turn first.
  position integer not null,
  state text not null default 'waiting'
    constraint redrive_turns_state_is_known check (state in ('waiting', 'running', 'completed', 'stopped', 'failed', 'skipped')),
  -- Of skipped: why. Of failed: the turn's code.
  code text,
  -- Its conversation was busy: not before.
  not_before timestamptz not null default now(),
  tries integer not null default 0,
  started_at timestamptz,
  ended_at timestamptz,
  primary key (redrive_id, turn_id),
  constraint redrive_turns_have_a_place unique (redrive_id, position)
);
create index redrive_turns_by_state on redrive_turns (redrive_id, state, position);
`;
