import { sql } from 'kysely';
import type { RedriveProgress, RedriveState, RedriveTurnState, SkipReason } from '../../domain/redrive.ts';
import type { TurnRecord } from '../../domain/turn.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from '../page.ts';
import { columnsOf } from '../columns.ts';
import { first, one, type Database, type Sql, type Tx } from '../database.ts';
import { Redrive, RedriveTurn } from '../entities/redrive.ts';
import { lockingTurn } from '../turns/payer.ts';
import { lockTurn, recordOf, turnColumns, type LockedTurn, type TurnRow } from '../turns/row.ts';
import { reopenLocked } from '../turns/turns.ts';

export async function countProgress(on: Sql, redriveId: string, state: RedriveState): Promise<RedriveProgress> {
  const { superseded, suspended, busy, not_failed, api, erased, ...counts } = await one(
    sql<Omit<RedriveProgress, 'state' | 'skipped'> & Record<SkipReason, number>>`
    select count(*) filter (where state = 'waiting')::int as waiting, count(*) filter (where state = 'running')::int as running,
      count(*) filter (where state = 'completed')::int as completed, count(*) filter (where state = 'stopped')::int as stopped,
      count(*) filter (where state = 'failed')::int as failed,
      count(*) filter (where state = 'skipped' and code = 'superseded')::int as superseded, count(*) filter (where state = 'skipped' and code = 'suspended')::int as suspended,
      count(*) filter (where state = 'skipped' and code = 'busy')::int as busy, count(*) filter (where state = 'skipped' and code = 'not_failed')::int as not_failed,
      count(*) filter (where state = 'skipped' and code = 'api')::int as api, count(*) filter (where state = 'skipped' and code = 'erased')::int as erased
    from redrive_turns where redrive_id = ${redriveId}`,
    on,
  );
  return { state, ...counts, skipped: { superseded, suspended, busy, not_failed, api, erased } };
}

/** Records how the turns that a redrive has begun have ended. */
export async function recordEndings(database: Database, redriveId: string): Promise<void> {
  await sql`update redrive_turns i set state = case when t.state in ('completed', 'stopped') then t.state else 'failed' end, code = t.error_code, ended_at = t.ended_at
    from turns t where i.redrive_id = ${redriveId} and i.state = 'running' and t.id = i.turn_id and t.state not in ('accepted', 'running')`.execute(
    database.sql,
  );
}

/**
 * Turns that were begun, but have not asked for a hold for 10 s: the process that began them may have died before it
 * started their runs.
 */
export async function findUnstarted(database: Database, redriveId: string): Promise<TurnRecord[]> {
  const { rows } = await sql<TurnRow>`select ${turnColumns} from redrive_turns i join turns t on t.id = i.turn_id
    where i.redrive_id = ${redriveId} and i.state = 'running' and t.state = 'accepted' and t.admitted_at is null and t.touched_at < now() - interval '10 seconds'`.execute(
    database.sql,
  );
  return rows.map(recordOf);
}

/** The next turns that are due, oldest first. */
export async function findDue(database: Database, redriveId: string, most: number): Promise<string[]> {
  const { rows } = await sql<{ turnId: string }>`select ${columnsOf(RedriveTurn, 'i', ['turnId'])} from redrive_turns i
    where redrive_id = ${redriveId} and state = 'waiting' and not_before <= now() order by position limit ${most}`.execute(
    database.sql,
  );
  return rows.map(({ turnId }) => turnId);
}

/** A busy conversation is tried again every 5 s, for ten minutes. */
const BUSY_TRIES = 120;

/**
 * Reopens one turn of a redrive, or records why it is left as it is, in one transaction under the turn's locks. It may
 * be repeated.
 * @returns the turn to start, or null.
 */
export async function beginReplay(
  database: Database,
  { redriveId, turnId }: { redriveId: string; turnId: string },
): Promise<TurnRecord | null> {
  return lockingTurn(database, { turnId, isPatient: true }, async (tx) => {
    const row = await lockTurn(tx, turnId);
    const item = await first(
      sql<{
        tries: number;
        includeSuperseded: boolean;
      }>`select ${columnsOf(RedriveTurn, 'i', ['tries'])}, ${columnsOf(Redrive, 'r', ['includeSuperseded'])}
      from redrive_turns i join redrives r on r.id = i.redrive_id
      where i.redrive_id = ${redriveId} and i.turn_id = ${turnId} and i.state = 'waiting' and r.state = 'running' for update of i`,
      tx,
    );
    if (row === null || item === null) return null;
    const why = await whyNot(tx, row, item.includeSuperseded);
    if (why === 'busy' && item.tries < BUSY_TRIES) {
      await sql`update redrive_turns set tries = tries + 1, not_before = now() + interval '5 seconds' where redrive_id = ${redriveId} and turn_id = ${turnId}`.execute(
        tx,
      );
      return null;
    }
    if (why !== null) {
      await sql`update redrive_turns set state = 'skipped', code = ${why}, ended_at = now() where redrive_id = ${redriveId} and turn_id = ${turnId}`.execute(
        tx,
      );
      return null;
    }
    const reopened = await reopenLocked(tx, row, 'replay');
    await sql`update redrive_turns set state = 'running', started_at = now() where redrive_id = ${redriveId} and turn_id = ${turnId}`.execute(
      tx,
    );
    return reopened;
  });
}

async function whyNot(tx: Tx, row: LockedTurn, includeSuperseded: boolean): Promise<SkipReason | null> {
  if (row.erasedAt !== null) return 'erased';
  if (row.state !== 'failed') return 'not_failed';
  if (row.isApi) return 'api';
  if (row.suspended) return 'suspended';
  const { superseded, busy } = await one(
    sql<{ superseded: boolean; busy: boolean }>`select
    exists (select 1 from turns where conversation_id = ${row.conversationId} and sequence > ${row.sequence} and state = 'completed') as superseded,
    exists (select 1 from turns where conversation_id = ${row.conversationId} and state in ('accepted', 'running')) as busy`,
    tx,
  );
  if (superseded && !includeSuperseded) return 'superseded';
  return busy ? 'busy' : null;
}

export interface RedriveTurnRecord {
  readonly turnId: string;
  readonly position: number;
  readonly state: RedriveTurnState;
  readonly code: string | null;
}

/** The turns in the order in which they are replayed. */
export async function listRedriveTurns(
  on: Sql,
  {
    redriveId,
    state,
    limit,
    cursor,
  }: { redriveId: string; state: RedriveTurnState | null; limit: number; cursor: string | null },
): Promise<Page<RedriveTurnRecord>> {
  const { rows } =
    await sql<RedriveTurnRecord>`select ${columnsOf(RedriveTurn, 'i', ['turnId', 'position', 'state', 'code'])} from redrive_turns i
    where redrive_id = ${redriveId} ${state === null ? sql`` : sql`and state = ${state}`} ${cursor === null ? sql`` : sql`and position > ${decodeCursor(cursor, ['number'])[0]}`}
    order by position limit ${limit + 1}`
      .execute(on)
      .catch(rethrowBadCursor);
  return pageOf(rows, limit, ({ position }) => encodeCursor([position]));
}
