import { sql, type RawBuilder } from 'kysely';
import type { TurnFilter } from '../../domain/turn-filter.ts';
import { one, type Sql } from '../database.ts';
import { matches } from '../reports/turn-filter.ts';

export interface RedriveRequest {
  /** Its `state` is ignored: only failed turns are replayed. */
  readonly filter: TurnFilter;
  readonly limit: number;
  readonly includeSuperseded: boolean;
}

/** What a redrive would do: replay `count` of the `matched` turns, after skips and limit. */
export interface RedrivePlan {
  readonly count: number;
  readonly matched: number;
  /** Further turns that match, but that a redrive under way has already; absent when there is none. */
  readonly held?: number;
  readonly skipped: { readonly superseded: number; readonly suspended: number; readonly api: number };
  readonly sample: readonly string[];
}

const SAMPLE = 20;

export async function planRedrive(on: Sql, request: RedriveRequest): Promise<RedrivePlan> {
  const { matched, held, superseded, suspended, api, eligible, sample } = await one(
    sql<{
      matched: number;
      held: number;
      superseded: number;
      suspended: number;
      api: number;
      eligible: number;
      sample: string[];
    }>`
    with ${candidates(request)}
    select count(*)::int as matched, (select count(*) from matching where held)::int as held, count(*) filter (where superseded and not suspended)::int as superseded, count(*) filter (where suspended and not api)::int as suspended,
      count(*) filter (where api)::int as api,
      count(*) filter (where not suspended and not superseded and not api)::int as eligible,
      array(select id from candidates where not suspended and not superseded and not api order by created_at, id limit ${Math.min(SAMPLE, request.limit)}) as sample
    from candidates`,
    on,
  );
  return {
    count: Math.min(eligible, request.limit),
    matched,
    ...(held === 0 ? {} : { held }),
    skipped: { superseded, suspended, api },
    sample,
  };
}

/**
 * Failed turns that match and that no redrive under way has already, and why one would be left out: a later turn of its
 * conversation was completed, its account is suspended, or it came through the OpenAI door.
 */
export function candidates({ filter, includeSuperseded }: RedriveRequest): RawBuilder<unknown> {
  const superseded = includeSuperseded
    ? sql`false`
    : sql`exists (select 1 from turns l
    where l.conversation_id = t.conversation_id and l.sequence > t.sequence and l.state = 'completed')`;
  return sql`matching as materialized (
    select t.id, t.created_at, a.suspended_at is not null as suspended, ${superseded} as superseded, t.is_api as api,
      exists (select 1 from redrive_turns i join redrives r on r.id = i.redrive_id
        where i.turn_id = t.id and i.state in ('waiting', 'running') and r.ended_at is null) as held
    from turns t join accounts a on a.id = t.account_id where t.erased_at is null and ${matches({ ...filter, state: 'failed' })}
  ), candidates as (select * from matching where not held)`;
}
