import { sql } from 'kysely';
import type { Instant } from '../../../domain/period.ts';
import { one, type Sql } from '../../database.ts';

/** Calls of one model with one outcome. `isLost`: nobody was debited for them. */
export interface CallSums {
  readonly model: string;
  readonly isLost: boolean;
  readonly code: string | null;
  readonly calls: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
}

export interface DebitFlags {
  readonly debits: number;
  readonly estimated: number;
  readonly overHold: number;
  readonly ceilingMoved: number;
}

const DAY_MS = 86_400_000;

/** Calls of turns that were asked in the month, day by day: no statement reads more than one. */
export async function readCalls(on: Sql, span: { startsAt: Instant; endsAt: Instant }): Promise<CallSums[]> {
  const all: CallSums[] = [];
  for (const [from, until] of daysOf(span)) {
    const { rows } = await sql<CallSums>`
      select t.model, not (a.number = t.answer_attempt and e.turn_id is not null) as "isLost", a.error_code as code, count(*)::float8 as calls,
        coalesce(sum(a.prompt_tokens), 0)::float8 as "promptTokens", coalesce(sum(least(a.cached_tokens, a.prompt_tokens)), 0)::float8 as "cachedTokens",
        coalesce(sum(a.completion_tokens), 0)::float8 as "completionTokens"
      from turns t join attempts a on a.turn_id = t.id left join ledger_entries e on e.turn_id = t.id and e.kind = 'debit'
      where t.created_at >= ${from} and t.created_at < ${until} group by 1, 2, 3`.execute(on);
    all.push(...rows.map((row) => ({ ...row, isLost: row.isLost !== false })));
  }
  return all;
}

/** How debits of the month were flagged. */
export async function readFlags(on: Sql, span: { startsAt: Instant; endsAt: Instant }): Promise<DebitFlags> {
  const sums = { debits: 0, estimated: 0, overHold: 0, ceilingMoved: 0 };
  for (const [from, until] of daysOf(span)) {
    const day = await one(
      sql<DebitFlags>`select count(*)::float8 as debits, (count(*) filter (where estimated))::float8 as estimated,
        (count(*) filter (where over_hold))::float8 as "overHold", (count(*) filter (where ceiling_moved))::float8 as "ceilingMoved"
      from ledger_entries where kind = 'debit' and created_at >= ${from} and created_at < ${until}`,
      on,
    );
    for (const name of Object.keys(sums) as (keyof DebitFlags)[]) sums[name] += day[name];
  }
  return sums;
}

function daysOf({ startsAt, endsAt }: { startsAt: Instant; endsAt: Instant }): [Date, Date][] {
  const days: [Date, Date][] = [];
  for (let from = startsAt; from < endsAt; from += DAY_MS) days.push([new Date(from), new Date(from + DAY_MS)]);
  return days;
}
