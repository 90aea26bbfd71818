import { sql } from 'kysely';
import { NIL } from 'uuid';
import type { TurnRecord } from '../../domain/turn.ts';
import type { StoredAnswer } from '../../workflows/contract/turn.ts';
import { first, one, type Database } from '../database.ts';
import { getStoredAnswer } from './end.ts';
import { lockingTurn } from './payer.ts';
import { lockTurn, recordOf, turnColumns, type TurnRow } from './row.ts';

/** A live turn that has not been touched for longer than it may be quiet. */
export interface QuietTurn {
  readonly turn: TurnRecord;
  /** The turn never got a hold in its present run. */
  readonly neverStarted: boolean;
  readonly hasAnswer: boolean;
  readonly quietForMs: number;
}

/** Of a turn in the list of quiet ones. */
type Place = { readonly touchedAt: string; readonly id: string };

/**
 * Longest quiet first, all that are quiet when it begins, read page by page. A turn may be quiet and well (a long
 * stream touches nothing): the caller asks Temporal whether its workflow is open.
 */
export async function* findQuietTurns(
  database: Database,
  { quietMs, pageSize = 500 }: { quietMs: number; pageSize?: number },
): AsyncGenerator<QuietTurn> {
  const { until } = await one(
    sql<{ until: string }>`select (now() - ${quietMs} * interval '1 millisecond')::text as until`,
    database.sql,
  );
  for (let last: Place = { touchedAt: '-infinity', id: NIL }; ;) {
    const { rows } = await sql<TurnRow & Place & { quietForMs: number }>`
      select ${turnColumns}, t.touched_at::text as "touchedAt", (extract(epoch from now() - t.touched_at) * 1000)::float8 as "quietForMs"
      from turns t where t.state in ('accepted', 'running') and t.touched_at < ${until}::timestamptz
        and (t.touched_at, t.id) > (${last.touchedAt}::timestamptz, ${last.id}::uuid)
      order by t.touched_at, t.id limit ${pageSize}`.execute(database.sql);
    for (const row of rows)
      yield {
        turn: recordOf(row),
        neverStarted: row.admittedAt === null,
        hasAnswer: row.answerAttempt !== null,
        quietForMs: row.quietForMs,
      };
    const end = rows.at(-1);
    if (end === undefined || rows.length < pageSize) return;
    last = end;
  }
}

/** Whether it is live, and nothing has touched it for so long, now. */
export async function isQuiet(database: Database, turnId: string, quietMs: number): Promise<boolean> {
  const quiet = await first(
    sql`select 1 from turns where id = ${turnId} and state in ('accepted', 'running') and touched_at < now() - ${quietMs} * interval '1 millisecond'`,
    database.sql,
  );
  return quiet !== null;
}

/** The figures of an answer that waits for settle; null when the turn has none or is over. */
export async function findUnsettledAnswer(database: Database, turnId: string): Promise<StoredAnswer | null> {
  return lockingTurn(database, { turnId, isPatient: true }, async (tx) => {
    const row = await lockTurn(tx, turnId);
    return row?.state === 'running' && row.answerAttempt !== null ? getStoredAnswer(tx, row) : null;
  });
}

/**
 * Marks holds past their expiry whose turn is over or runs under another hold, so that no hold outlives its reason
 * (G5).
 */
export async function expireHolds(database: Database): Promise<number> {
  const moved = await sql`update holds h set state = 'expired', ended_at = now() from turns t
    where h.turn_id = t.id and h.state = 'pending' and h.expires_at < now() and t.state not in ('accepted', 'running')`.execute(
    database.sql,
  );
  return Number(moved.numAffectedRows ?? 0n);
}
