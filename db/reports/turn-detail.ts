import { sql } from 'kysely';
import type { AuditActor } from '../../domain/audit.ts';
import { AppError, type ErrorCode } from '../../domain/errors.ts';
import type { Instant } from '../../domain/period.ts';
import type { AttemptOutcome, HoldEnd } from '../../domain/turn-timeline.ts';
import type { TurnRecord } from '../../domain/turn.ts';
import type { UsageFigures } from '../../domain/usage.ts';
import { writeAudit } from '../audit.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import type { Database, Tx } from '../database.ts';
import { Attempt } from '../entities/attempt.ts';
import { Hold } from '../entities/hold.ts';
import { LedgerEntry } from '../entities/ledger-entry.ts';
import { findTurnRow, recordOf } from '../turns/row.ts';

/** Everything that PostgreSQL knows about a turn except its texts. Instants are milliseconds. */
export interface TurnDetail {
  readonly turn: TurnRecord;
  readonly holds: readonly HoldRecord[];
  readonly attempts: readonly AttemptRecord[];
  readonly debits: readonly DebitRecord[];
  /** Temporal's runs of the turn that reached PostgreSQL, oldest first. */
  readonly runIds: readonly string[];
  /** Present only when asked for, and then the audit log records it. */
  readonly content: { readonly question: string; readonly answer: string | null } | null;
}

export interface HoldRecord {
  readonly holdId: string;
  readonly runId: string;
  readonly state: 'pending' | HoldEnd;
  readonly tokens: number;
  readonly promptTokens: number;
  readonly outputLimit: number;
  readonly createdAt: Instant;
  /** Null once the answer is stored, because the hold then waits for settle. */
  readonly expiresAt: Instant | null;
  readonly endedAt: Instant | null;
}

export interface AttemptRecord {
  readonly number: number;
  readonly runId: string;
  readonly state: 'open' | AttemptOutcome;
  readonly error: ErrorCode | null;
  readonly providerStatus: number | null;
  readonly providerCode: string | null;
  readonly providerRequestId: string | null;
  readonly finishReason: string | null;
  readonly finishWord: string | null;
  readonly finishUnknown: boolean;
  readonly providerUsage: UsageFigures | null;
  readonly promptTokens: number | null;
  readonly cachedTokens: number | null;
  readonly completionTokens: number | null;
  readonly reasoningTokens: number | null;
  readonly estimated: boolean | null;
  readonly startedAt: Instant;
  readonly endedAt: Instant | null;
}

export interface DebitRecord {
  readonly entryId: number;
  readonly period: string;
  readonly tokens: number;
  readonly purchasedTokens: number;
  readonly allowanceTokens: number;
  readonly overageTokens: number;
  readonly estimated: boolean;
  readonly overHold: boolean;
  readonly ceilingMoved: boolean;
  readonly createdAt: Instant;
}

/**
 * @param options.readContent the admin who reads question and answer, which is audited in the same transaction. Null:
 *   the texts are not read.
 * @throws AppError not_found.
 */
export async function getTurnDetail(
  database: Database,
  { turnId, readContent }: { turnId: string; readContent: AuditActor | null },
): Promise<TurnDetail> {
  return database.transaction(async (tx) => {
    const row = await findTurnRow(tx, turnId);
    if (row === null) throw new AppError('not_found');
    if (readContent !== null)
      await writeAudit(tx, {
        actor: readContent,
        action: 'turn.read_content',
        target: `turn:${turnId}`,
        reason: null,
      });
    const holds = await listHolds(tx, turnId);
    const attempts = await listAttempts(tx, turnId);
    return {
      turn: { ...recordOf(row), content: null },
      holds,
      attempts,
      debits: await listDebits(tx, turnId),
      runIds: [
        ...new Set([
          ...holds.map(({ runId }) => runId),
          ...attempts.map(({ runId }) => runId),
          ...(row.runId === null ? [] : [row.runId]),
        ]),
      ],
      content: readContent === null ? null : { question: row.question, answer: row.answer },
    };
  });
}

async function listHolds(tx: Tx, turnId: string): Promise<HoldRecord[]> {
  const { rows } = await sql<RowOf<typeof holdColumns> & RowOf<typeof whenHoldExpires>>`
    select ${holdColumns}, ${whenHoldExpires} from holds h where turn_id = ${turnId} order by created_at, ordinal`.execute(
    tx,
  );
  return rows;
}

async function listAttempts(tx: Tx, turnId: string): Promise<AttemptRecord[]> {
  const { rows } = await sql<RowOf<typeof attemptColumns>>`
    select ${attemptColumns} from attempts a where turn_id = ${turnId} order by number`.execute(tx);
  return rows;
}

/** There is at most one. A list would show an admin two if there were. */
async function listDebits(tx: Tx, turnId: string): Promise<DebitRecord[]> {
  const { rows } = await sql<RowOf<typeof debitColumns> & { period: string }>`
    select ${debitColumns}, p.label as period
    from ledger_entries e join periods p on p.id = e.period_id where e.turn_id = ${turnId} and e.kind = 'debit' order by e.id`.execute(
    tx,
  );
  return rows;
}

const holdColumns = columnsOf(Hold, 'h', {
  holdId: 'id',
  runId: 'runId',
  state: 'state',
  tokens: 'tokens',
  promptTokens: 'promptTokens',
  outputLimit: 'outputLimit',
  createdAt: 'createdAt',
  endedAt: 'endedAt',
});
/** A column for selects from `holds h`. */
export const whenHoldExpires = sql.raw<{ expiresAt: Instant | null }>(
  `case when h.expires_at = 'infinity' then null else floor(extract(epoch from h.expires_at) * 1000)::float8 end as "expiresAt"`,
);
const attemptColumns = columnsOf(Attempt, 'a', {
  number: 'number',
  runId: 'runId',
  state: 'state',
  error: 'errorCode',
  providerStatus: 'providerStatus',
  providerCode: 'providerCode',
  providerRequestId: 'providerRequestId',
  finishReason: 'finishReason',
  finishWord: 'finishWord',
  finishUnknown: 'finishUnknown',
  providerUsage: 'providerUsage',
  promptTokens: 'promptTokens',
  cachedTokens: 'cachedTokens',
  completionTokens: 'completionTokens',
  reasoningTokens: 'reasoningTokens',
  estimated: 'estimated',
  startedAt: 'startedAt',
  endedAt: 'endedAt',
});
const debitColumns = columnsOf(LedgerEntry, 'e', {
  entryId: 'id',
  tokens: 'tokens',
  purchasedTokens: 'spentPurchasedDelta',
  allowanceTokens: 'spentAllowanceDelta',
  overageTokens: 'overageDelta',
  estimated: 'estimated',
  overHold: 'overHold',
  ceilingMoved: 'ceilingMoved',
  createdAt: 'createdAt',
});
