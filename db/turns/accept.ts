import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { AppError } from '../../domain/errors.ts';
import type { Encoding } from '../../domain/model.ts';
import { decideSendAgain } from '../../domain/sending.ts';
import type { TurnRecord } from '../../domain/turn.ts';
import { first, one, violatedConstraint, type Database, type Sql, type Tx } from '../database.ts';
import { naming } from '../driver/outcome.ts';
import { attach, notFoundWhenGone, replaceFiles } from '../files/turn-files.ts';
import { rememberPayer } from './payer.ts';
import { findParent, noPlace, parentSequence } from './branches.ts';
import { writePrompt, type ApiRequest } from './prompts.ts';
import { findTurnRow, lockTurn, recordOf, turnColumns, type TurnRow } from './row.ts';
import { nextSequence, reopen } from './turns.ts';

export interface SendRequest {
  readonly userId: number;
  readonly accountId: number;
  /** The key of ours with which it came. */
  readonly apiKeyId?: number | null;
  readonly turnId: string | null;
  readonly idempotencyKey: string | null;
  readonly conversationId: string | null;
  /** The turn of the conversation that it follows. Absent: the newest admitted one. Null: none. */
  readonly parentTurnId?: string | null | undefined;
  readonly message: string;
  /** The files that the question shows, in their order. Absent: none. */
  readonly fileIds?: readonly string[];
  /** What a request of the OpenAI door brings in place of a message. */
  readonly api?: ApiRequest;
  /** Whether counting the message takes longer than asking whether the conversation takes one. */
  readonly isLong: boolean;
  /** Tokenizer count of the message's text in `encoding`. */
  countMessage(): number | Promise<number>;
  readonly encoding: Encoding;
  readonly model: string;
  readonly askedOutput: number | null;
  /** Hash of the parsed fields, not of Accept or Prefer. */
  readonly bodyHash: Buffer;
}

export interface Accepted {
  /** `new` and `judge_anew`: the workflow has to be started. `join`: it runs. `stored`: it has ended. */
  readonly decision: 'new' | 'join' | 'stored' | 'judge_anew';
  readonly turn: TurnRecord;
}

/**
 * Commits conversation, question and turn before anything is started (G25), or finds what the id or key is bound to
 * (G12).
 * @param beforeNew runs before anything is written for a turn that has to run. If it throws, the turn is refused. It is
 *   told whether nothing of the turn is stored yet.
 * @throws AppError not_found (conversation, parent), file_not_found, conversation_busy, idempotency_conflict,
 *   turn_erased, invalid_request (id and key disagree). OutcomeUnknown with `turnId` (and `conversationId`):
 *   `findAccepted` tells what became of it.
 */
export async function acceptTurn(
  database: Database,
  request: SendRequest,
  beforeNew: BeforeNew = async () => {},
): Promise<Accepted> {
  try {
    return await acceptOnce(database, request, beforeNew);
  } catch (error) {
    // Two first sends of one id raced: this insert was refused, and now finds the winner's row.
    if (!LOST_THE_RACE.has(violatedConstraint(error) ?? '')) throw error;
    return acceptOnce(database, request, beforeNew);
  }
}

const LOST_THE_RACE = new Set(['turns_pkey', 'turns_idempotency_key_is_unique']);

type BeforeNew = (turn: { readonly isUnknown: boolean }) => Promise<void>;

async function acceptOnce(database: Database, request: SendRequest, beforeNew: BeforeNew): Promise<Accepted> {
  const known = await findKnown(database.sql, request);
  if (known === null) {
    await beforeNew({ isUnknown: true });
    const messageTokens = await countedMessage(database.sql, request);
    return database.inLane(request, () => writeTurn(database, request, messageTokens));
  }
  assertNotErased(known);
  const decision = decideSendAgain(known.state, known.bodyHash.equals(request.bodyHash));
  if (decision === 'conflict') throw new AppError('idempotency_conflict', { turnId: known.id });
  if (decision === 'judge_anew') {
    await beforeNew({ isUnknown: false });
    const messageTokens = await countedMessage(database.sql, request);
    return naming({ turnId: known.id }, () =>
      database.locking(request, (tx) => judgeAnew(tx, known, request, messageTokens)),
    );
  }
  return { decision, turn: recordOf(known) };
}

/**
 * A message is counted after everything that can refuse it, because the longest takes 0.1 s of a processor.
 * @throws AppError not_found, conversation_busy. The write itself decides both again.
 */
async function countedMessage(on: Sql, request: SendRequest): Promise<number> {
  if (request.isLong && request.conversationId !== null) {
    const found = await first(
      sql<{ isBusy: boolean }>`
        select exists (select 1 from turns where conversation_id = c.id and state in ('accepted', 'running')) as "isBusy"
        from conversations c where id = ${request.conversationId} and user_id = ${request.userId} and erased_at is null`,
      on,
    );
    if (found === null) throw new AppError('not_found');
    if (found.isBusy) throw conversationBusy();
  }
  return request.countMessage();
}

/**
 * What a send has made whose outcome was unknown; null while its turn is not there, or still stands refused.
 * @throws AppError idempotency_conflict: another body was sent with the same id or key, and came first.
 */
export async function findAccepted(
  database: Database,
  { turnId, accountId, bodyHash }: { turnId: string } & Pick<SendRequest, 'accountId' | 'bodyHash'>,
): Promise<Accepted | null> {
  const row = await findTurnRow(database.sql, turnId);
  if (row === null || row.state === 'refused') return null;
  if (row.accountId === accountId) assertNotErased(row);
  if (row.accountId !== accountId || !row.bodyHash.equals(bodyHash))
    throw new AppError('idempotency_conflict', { turnId });
  return { decision: 'join', turn: recordOf(row) };
}

async function findKnown(on: Sql, { turnId, accountId, idempotencyKey }: SendRequest): Promise<TurnRow | null> {
  if (idempotencyKey === null) return turnId === null ? null : findOwn(on, turnId, accountId);
  // Both are looked up in one snapshot. Between two looks, a send of the same question may write its row, and its id
  // would then name nothing where its key names a turn.
  const { byId, byKey } = await one(
    sql<{
      byId: string | null;
      byKey: string | null;
    }>`select (select id from turns where id = ${turnId}::uuid) as "byId",
      (select id from turns where account_id = ${accountId} and idempotency_key = ${idempotencyKey}) as "byKey"`,
    on,
  );
  const own = byId === null ? null : await findOwn(on, byId, accountId);
  if (turnId !== null && byKey !== byId) throw idAndKeyDisagree();
  return own ?? (byKey === null ? null : findTurnRow(on, byKey));
}

/** Turn ids are unique everywhere. Another account's id answers like a wrong body and tells nothing more. */
async function findOwn(on: Sql, turnId: string, accountId: number): Promise<TurnRow | null> {
  const row = await findTurnRow(on, turnId);
  if (row !== null && row.accountId !== accountId) throw new AppError('idempotency_conflict', { turnId });
  return row;
}

/** Its text and its body's hash are gone, so nothing tells whether the same is asked. It never runs again. */
function assertNotErased({ id, erasedAt }: TurnRow): void {
  if (erasedAt !== null) throw new AppError('turn_erased', { turnId: id });
}

function idAndKeyDisagree(): AppError {
  return new AppError('invalid_request', {
    field: 'turnId',
    reason: 'turnId and Idempotency-Key name different turns',
  });
}

/** One statement, and so one round trip, because every send waits for it. It locks the conversation before the turn. */
async function writeTurn(database: Database, request: SendRequest, messageTokens: number): Promise<Accepted> {
  const { userId, parentTurnId, fileIds = [] } = request;
  const turnId = request.turnId ?? uuidv7();
  const conversationId = request.conversationId ?? uuidv7();
  const parent = parentSequence(conversationId, parentTurnId);
  const conversation =
    request.conversationId === null
      ? sql`insert into conversations (id, user_id, last_sequence) values (${conversationId}, ${userId}, 1) returning id, last_sequence`
      : sql`update conversations set last_sequence = last_sequence + 1 where id = ${conversationId} and user_id = ${userId} and erased_at is null
           ${typeof parentTurnId === 'string' ? sql`and ${parent} is not null` : sql``} returning id, last_sequence`;
  try {
    const inserted = sql<TurnRow>`with conversation as (${conversation}), t as (
        insert into turns (id, user_id, account_id, conversation_id, sequence, parent_sequence, model, asked_output, body_hash, idempotency_key, question, question_tokens, encoding, is_api, api_key_id, file_count)
        select ${turnId}::uuid, ${userId}::bigint, ${request.accountId}::bigint, id, last_sequence, ${parent}, ${request.model}, ${request.askedOutput}::integer,
          ${request.bodyHash}::bytea, ${request.idempotencyKey}, ${request.message}, ${messageTokens}::integer, ${request.encoding}, ${request.api !== undefined}, ${request.apiKeyId ?? null}::bigint, ${fileIds.length}::smallint from conversation
        returning *
      )${request.api === undefined ? sql`` : sql`, prompt as (${writePrompt(sql`t`, request.api)})`}${fileIds.length === 0 ? sql`` : sql`, shown as (${attach(sql`t`, fileIds)})`} select ${turnColumns} from t`;
    const row = await naming({ turnId, conversationId }, () => first(inserted, database.sql));
    // The conversation or the parent does not exist, or is somebody else's.
    if (row === null) throw await noPlace(database.sql, { conversationId, userId });
    rememberPayer(database, turnId, request.accountId);
    return { decision: 'new', turn: recordOf(row) };
  } catch (error) {
    throw refusalOf(error);
  }
}

/** Nothing was bound, so the new body replaces the stored one. */
async function judgeAnew(tx: Tx, known: TurnRow, request: SendRequest, messageTokens: number): Promise<Accepted> {
  const { fileIds = [] } = request;
  const row = await lockTurn(tx, known.id);
  if (row !== null) assertNotErased(row);
  if (row?.state !== 'refused') {
    // Somebody else's re-send came first, and what it made of the turn decides.
    if (row === null || !row.bodyHash.equals(request.bodyHash))
      throw new AppError('idempotency_conflict', { turnId: known.id });
    return { decision: row.state === 'accepted' || row.state === 'running' ? 'join' : 'stored', turn: recordOf(row) };
  }
  const conversationId = request.conversationId ?? row.conversationId;
  if (conversationId !== row.conversationId) {
    await assertConversation(tx, conversationId, request.userId);
    const sequence = await nextSequence(tx, conversationId);
    await sql`update turns set conversation_id = ${conversationId}, sequence = ${sequence}, parent_sequence = null where id = ${row.id}`.execute(
      tx,
    );
  }
  const parent = await findParent(tx, { ...request, conversationId });
  await reopen(tx, { ...row, conversationId }, 'send');
  await sql`update turns set model = ${request.model}, asked_output = ${request.askedOutput}, body_hash = ${request.bodyHash},
    parent_sequence = ${parent}, question = ${request.message}, question_tokens = ${messageTokens}, encoding = ${request.encoding},
    is_api = ${request.api !== undefined}, api_key_id = ${request.apiKeyId ?? null}, file_count = ${fileIds.length}, created_at = now()
    where id = ${row.id}`.execute(tx);
  await replaceFiles(tx, row, fileIds);
  if (request.api !== undefined) await writePrompt(sql`turns where id = ${row.id}`, request.api).execute(tx);
  return { decision: 'judge_anew', turn: await getRecord(tx, row.id) };
}

/** Locks the conversation, before the turn. @throws AppError not_found, for somebody else's as well. */
async function assertConversation(tx: Tx, conversationId: string, userId: number): Promise<void> {
  const found = await first(
    sql`select 1 from conversations where id = ${conversationId} and user_id = ${userId} and erased_at is null for update`,
    tx,
  );
  if (found === null) throw new AppError('not_found');
}

async function getRecord(tx: Tx, turnId: string): Promise<TurnRecord> {
  const row = await findTurnRow(tx, turnId);
  if (row === null) throw new Error('a turn just written must be there');
  return recordOf(row);
}

function refusalOf(error: unknown): unknown {
  if (violatedConstraint(error) === 'turns_one_running_a_conversation') return conversationBusy(error);
  return notFoundWhenGone(error);
}

function conversationBusy(cause?: unknown): AppError {
  return new AppError('conversation_busy', { retryAfter: 5 }, { cause });
}
