import { sql, type RawBuilder } from 'kysely';
import { RETRY_JOINS_FOR_SECONDS, type ApiAnswer, type ApiPrompt } from '../../domain/api-prompt.ts';
import type { TurnRecord } from '../../domain/turn.ts';
import { columnsOf } from '../columns.ts';
import { first, one, type Database, type Sql, type Tx } from '../database.ts';
import { TurnPrompt } from '../entities/turn.ts';
import { recordOf, turnColumns, type TurnRow } from './row.ts';

/** What a request of the OpenAI door brings beside what every send has. */
export interface ApiRequest {
  readonly apiKeyId: number | null;
  readonly prompt: ApiPrompt;
  readonly label: string | null;
  readonly streamed: boolean;
  /** The process in which its client waits. */
  readonly waitingProcess: string;
}

/** For the statement that writes the turn, whose id stands in `turns` as `turn`. Judged anew, it replaces the text. */
export function writePrompt(
  turn: RawBuilder<unknown>,
  { apiKeyId, prompt, label, streamed, waitingProcess }: ApiRequest,
): RawBuilder<unknown> {
  return sql`insert into turn_prompts (turn_id, api_key_id, prompt, label, streamed, waiting_process)
    select id, ${apiKeyId}::bigint, ${JSON.stringify(prompt)}::jsonb, ${label}::text, ${streamed}, ${waitingProcess}::uuid from ${turn}
    on conflict (turn_id) do update set api_key_id = excluded.api_key_id, prompt = excluded.prompt, label = excluded.label,
      streamed = excluded.streamed, waiting_process = excluded.waiting_process, answer = null, first_delta_at = null, left_at = null, erased_at = null`;
}

/** @throws for a turn without one, or with one that was erased: no live turn's is. */
export async function getPrompt(on: Sql, turnId: string): Promise<ApiPrompt> {
  const { prompt } = await one(
    sql<{
      prompt: ApiPrompt | null;
    }>`select ${columnsOf(TurnPrompt, 'p', ['prompt'])} from turn_prompts p where turn_id = ${turnId}`,
    on,
  );
  if (prompt === null) throw new Error(`the prompt of turn ${turnId} was erased`);
  return prompt;
}

/** For the transaction that stores the text of an answer. */
export function writeApiAnswer(tx: Tx, turnId: string, answer: ApiAnswer): void {
  tx.write(sql`update turn_prompts set answer = ${jsonOfAnswer(answer)}::jsonb where turn_id = ${turnId}`);
}

export function jsonOfAnswer(answer: ApiAnswer): string {
  return JSON.stringify(answer, storable);
}

/** PostgreSQL's jsonb takes neither NUL nor half a surrogate pair, and an answer that is paid for must not be lost. */
function storable(_name: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\uFFFD') : value;
}

/** What a turn answered beside its text; null when there is nothing of it. */
export async function findApiAnswer(on: Sql, turnId: string): Promise<ApiAnswer | null> {
  const row = await first(
    sql<{
      answer: ApiAnswer | null;
    }>`select ${columnsOf(TurnPrompt, 'p', ['answer'])} from turn_prompts p where turn_id = ${turnId}`,
    on,
  );
  return row?.answer ?? null;
}

export type OwnAnswer = Pick<ApiAnswer, 'refusal' | 'calls'> & { readonly content: string };

/** A person's own answers of the OpenAI door, by their turns, while their texts are kept. */
export async function findOwnAnswers(
  on: Sql,
  { turnIds, userId }: { turnIds: readonly string[]; userId: number },
): Promise<Map<string, OwnAnswer>> {
  const { rows } = await sql<{ turnId: string; content: string; answer: ApiAnswer | null }>`
    select t.id as "turnId", t.answer as content, p.answer from turns t
    join turn_prompts p on p.turn_id = t.id where t.id = any(${[...turnIds]}::uuid[]) and t.user_id = ${userId}
    and t.answer is not null and p.erased_at is null and t.erased_at is null`.execute(on);
  return new Map(
    rows.map(({ turnId, content, answer }) => [
      turnId,
      { content, refusal: answer?.refusal ?? null, calls: answer?.calls ?? [] },
    ]),
  );
}

/** Whether the texts of a turn are still there. */
export async function isErased(on: Sql, turnId: string): Promise<boolean> {
  return (
    (await first(sql`select 1 from turn_prompts where turn_id = ${turnId} and erased_at is not null`, on)) !== null
  );
}

/** Written before the first text of a stream leaves: from here on no other attempt may answer. */
export async function markFirstDelta(database: Database, turnId: string): Promise<void> {
  await sql`update turn_prompts set first_delta_at = coalesce(first_delta_at, now()) where turn_id = ${turnId}`.execute(
    database.sql,
  );
}

/** Whether text of the turn has left, or may have. */
export async function hasSpoken(on: Sql, turnId: string): Promise<boolean> {
  const spoken = await first(
    sql`select 1 from turn_prompts where turn_id = ${turnId} and streamed and first_delta_at is not null`,
    on,
  );
  return spoken !== null;
}

/** The connection that waited for the answer is gone before it had all of it. */
export async function markLeft(database: Database, turnId: string): Promise<void> {
  await sql`update turn_prompts set left_at = now() where turn_id = ${turnId}`.execute(database.sql);
}

/** @returns whether nobody has joined since `markLeft`, so long ago. */
export async function isStillLeft(database: Database, turnId: string): Promise<boolean> {
  const left = await first(
    sql`select 1 from turn_prompts where turn_id = ${turnId} and left_at <= now() - ${RETRY_JOINS_FOR_SECONDS} * interval '1 second'`,
    database.sql,
  );
  return left !== null;
}

/** Live turns that nobody has joined for so long, whose process has gone. So many at most. */
export async function findLeft(on: Sql, limit = 500): Promise<{ readonly turnId: string; readonly userId: number }[]> {
  const { rows } = await sql<{ turnId: string; userId: number }>`
    select t.id as "turnId", t.user_id::float8 as "userId" from turns t join turn_prompts p on p.turn_id = t.id
    where t.state in ('accepted', 'running') and t.stop_requested_at is null
      and p.left_at <= now() - ${RETRY_JOINS_FOR_SECONDS} * interval '1 second'
    order by t.touched_at limit ${limit}`.execute(on);
  return rows;
}

/** Of a client that sends the same body again: the same key (or the same person without one), the same hash. */
interface SameRequest {
  readonly userId: number;
  readonly apiKeyId: number | null;
  readonly bodyHash: Buffer;
  /** The process that asks for it. */
  readonly waitingProcess: string;
}

const LEFT_ONE = sql`p.left_at > now() - ${RETRY_JOINS_FOR_SECONDS} * interval '1 second' and p.erased_at is null`;

/** The turns that a retry of this request may mean: young ones, whose answer is not refused and not text-free. */
function sameTurns({ userId, apiKeyId, bodyHash }: Omit<SameRequest, 'waitingProcess'>): RawBuilder<unknown> {
  return sql`turns t join turn_prompts p on p.turn_id = t.id where t.user_id = ${userId} and t.created_at > now() - interval '10 minutes'
    and t.body_hash = ${bodyHash} and t.is_api and t.idempotency_key is null and t.state not in ('refused', 'failed')
    and p.api_key_id is not distinct from ${apiKeyId}::bigint`;
}

/**
 * Takes the oldest turn of this request that was left, so that one retry joins it and no other.
 * @returns `none`: nothing was left, and nothing that might be is under way.
 */
export async function joinLeft(database: Database, request: SameRequest): Promise<TurnRecord | 'wait' | 'none'> {
  const joined = await first(
    sql<{
      id: string;
    }>`update turn_prompts set left_at = null, waiting_process = ${request.waitingProcess}::uuid where turn_id = (
        select t.id from ${sameTurns(request)} and ${LEFT_ONE} order by p.left_at limit 1 for update of p skip locked
      ) and left_at is not null returning turn_id as id`,
    database.sql,
  );
  if (joined !== null) return getRecord(database.sql, joined.id);
  const under = await first(
    sql`select 1 from ${sameTurns(request)} and t.state in ('accepted', 'running') limit 1`,
    database.sql,
  );
  return under === null ? 'none' : 'wait';
}

/** A turn for whose answer a client waits in another process, or waited until a minute ago. */
export interface WaitedFor {
  readonly turnId: string;
  readonly waitingProcess: string;
}

/** Those of this request, oldest first. */
export async function findWaitedFor(on: Sql, request: SameRequest): Promise<WaitedFor[]> {
  const { rows } =
    await sql<WaitedFor>`select t.id as "turnId", p.waiting_process as "waitingProcess" from ${sameTurns(request)}
    and t.state <> 'stopped' and p.waiting_process <> ${request.waitingProcess}::uuid and p.erased_at is null
    and (t.ended_at is null or t.ended_at > now() - ${RETRY_JOINS_FOR_SECONDS} * interval '1 second')
    order by t.created_at limit 20`.execute(on);
  return rows;
}

/** Takes the turn of a process that is gone. @returns null when another retry has taken it. */
export async function takeOver(
  database: Database,
  { turnId, waitingProcess }: WaitedFor,
  by: string,
): Promise<TurnRecord | null> {
  const taken = await first(
    sql`update turn_prompts set waiting_process = ${by}::uuid, left_at = null
      where turn_id = ${turnId} and waiting_process = ${waitingProcess}::uuid and erased_at is null returning 1`,
    database.sql,
  );
  return taken === null ? null : getRecord(database.sql, turnId);
}

async function getRecord(on: Sql, turnId: string): Promise<TurnRecord> {
  return recordOf(await one(sql<TurnRow>`select ${turnColumns} from turns t where id = ${turnId}`, on));
}

const ERASED_AT_ONCE = 500;

/**
 * Erases the texts of turns that ended so long ago: what was asked and what was answered. The rows, their figures and
 * the ledger stay. It reads none of those that came later, however many are kept. It waits for nobody: what is locked
 * is left for the next round.
 * @param onStep is told the turns of each step, whose streams may hold their texts, too.
 * @returns how many turns.
 */
export async function eraseTexts(
  database: Database,
  {
    afterSeconds,
    onStep = () => Promise.resolve(),
  }: { afterSeconds: number; onStep?: (turnIds: readonly string[]) => Promise<void> },
): Promise<number> {
  for (let erased = 0; ;) {
    const { rows } = await sql<{ id: string }>`with due as (
        select p.turn_id from turn_prompts p join turns t on t.id = p.turn_id
        where p.erased_at is null and p.asked_at <= now() - ${afterSeconds} * interval '1 second'
          and t.ended_at <= now() - ${afterSeconds} * interval '1 second'
        order by p.asked_at limit ${ERASED_AT_ONCE} for update of t, p skip locked
      ), prompts as (
        update turn_prompts p set prompt = null, answer = null, erased_at = now() from due where p.turn_id = due.turn_id returning p.turn_id
      )
      update turns t set answer = case when answer is not null then '' end from prompts where t.id = prompts.turn_id
      returning t.id`.execute(database.sql);
    erased += rows.length;
    await onStep(rows.map(({ id }) => id));
    if (rows.length < ERASED_AT_ONCE) return erased;
  }
}
