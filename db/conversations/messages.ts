import { sql, type RawBuilder } from 'kysely';
import type { AttachedFile } from '../../domain/files/file.ts';
import type { Rating } from '../../domain/feedback.ts';
import { AppError, type ErrorCode } from '../../domain/errors.ts';
import type { TurnState, TurnUsage } from '../../domain/turn.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, type Database, type Sql } from '../database.ts';
import { Turn } from '../entities/turn.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from '../page.ts';
import { filesOfTurns } from '../files/turn-files.ts';
import { ancestorsOf, childrenOf, parentOf } from '../turns/branches.ts';
import { usageOf } from '../turns/row.ts';
import { getConversation } from './conversations.ts';

export interface MessageRecord {
  readonly turnId: string;
  readonly sequence: number;
  /** Null of a first question. */
  readonly parentTurnId: string | null;
  readonly branch: Branch;
  readonly role: 'user' | 'assistant';
  readonly content: string;
  /** What a question shows. */
  readonly files: readonly AttachedFile[];
  /** State of the turn that the message belongs to. */
  readonly state: TurnState;
  readonly model: string;
  readonly attempt: number;
  /** Usage of an answer; null on a question. */
  readonly usage: TurnUsage | null;
  readonly finishReason: 'stop' | 'length' | null;
  readonly createdAt: number;
  readonly error: ErrorCode | null;
  /** What its person said of an answer; null on a question. */
  readonly feedback: Rating | null;
}

/** A place among several, in the order in which they were first sent. */
interface Place {
  /** From 1 to `count`. */
  readonly number: number;
  readonly count: number;
  readonly previousTurnId: string | null;
  readonly nextTurnId: string | null;
}

/** Where a turn stands among those with the same parent. */
export interface Branch extends Place {
  /** Among the different questions there, each with the newest turn that asks it. */
  readonly questions: Place;
  /** Among the turns that ask the same question. */
  readonly answers: Place;
}

interface MessageList {
  readonly conversationId: string;
  readonly userId: number;
  readonly limit: number;
  readonly order?: 'asc' | 'desc';
  readonly cursor: string | null;
  /**
   * Absent: every turn. Else one line, that of the newest turn or that through this turn: at each fork below it goes on
   * to the newest turn.
   */
  readonly branch?: string | undefined;
}

/**
 * The transcript: the question of every admitted turn, each followed by its answer where there is one. It is read from
 * its beginning or backwards from its end. `limit` counts messages; a page of long ones has fewer.
 * @throws AppError not_found: somebody else's conversation, or `branch` is no admitted turn of it.
 */
export async function listMessages(database: Database, list: MessageList): Promise<Page<MessageRecord>> {
  const { conversationId, branch } = list;
  await getConversation(database, list);
  const after = list.cursor === null ? null : decodeCursor(list.cursor, ['number', 'number']);
  const desc = list.order === 'desc';
  const [beyond, direction] = desc ? [sql.raw('<'), sql.raw('desc')] : [sql.raw('>'), sql.raw('asc')];
  const end = branch === undefined ? null : await findEnd(database.reads, { conversationId, branch });
  // Backwards, a page goes on from its cursor's turn, and does not walk the whole line again.
  const start = desc && after !== null && end !== null ? Math.min(end, after[0]) : end;
  // A question has one message or two, so that many turns are enough.
  const line =
    start === null
      ? null
      : ancestorsOf(
          { conversationId, sequence: start + 1, parentSequence: start },
          desc ? { cost: sql<number>`1`, most: list.limit + 1 } : {},
        );
  const { rows } = await sql<MessageRow>`
    ${line === null ? sql`with` : sql`${line},`} page as materialized (
      select t.conversation_id, t.parent_sequence, ${messageColumns}, m.part, m.role,
        case when sum(octet_length(m.content)) over (order by t.sequence ${direction}, m.part ${direction}) - octet_length(m.content) < ${PAGE_BYTES} then m.content end as content,
        floor(extract(epoch from case m.part when 0 then t.created_at else coalesce(t.ended_at, t.created_at) end) * 1000)::float8 as "createdAt"
      from ${line === null ? sql`turns t` : sql`line l join turns t on t.id = l.id`}
        cross join lateral (values (0, 'user', t.question), (1, 'assistant', t.answer)) as m(part, role, content)
      where t.conversation_id = ${conversationId} and t.ever_admitted and m.content is not null
        and (m.part = 0 or t.state in ('completed', 'stopped'))
        and (${after === null} or (t.sequence, m.part) ${beyond} (${after?.[0] ?? 0}, ${after?.[1] ?? 0}))
      order by t.sequence ${direction}, m.part ${direction} limit ${list.limit + 1}
    )
    select page.*, b.*, f.rating as feedback,
      (select id from turns where conversation_id = page.conversation_id and sequence = parent.sequence) as "parentTurnId"
    from page left join answer_feedback f on f.turn_id = page."turnId" and page.part = 1
      cross join lateral (select ${parentOf('page')} as sequence) parent
      cross join lateral (${branchOf(sql`page.sequence`, childrenOf(sql`page.conversation_id`, sql`parent.sequence`))}) b
    order by page.sequence ${direction}, page.part ${direction}`
    .execute(database.reads)
    .catch(rethrowBadCursor);
  const texts = rows.filter(hasText);
  const limit = Math.min(list.limit, texts.length);
  const page = pageOf<MessageRow>(rows, limit, (row) => encodeCursor([row.sequence, row.part]));
  const shown = texts.slice(0, limit);
  const files = await filesOfTurns(
    database.reads,
    shown.filter(({ fileCount, part }) => fileCount > 0 && part === 0).map(({ turnId }) => turnId),
  );
  return { ...page, items: shown.map((row) => messageOf(row, files.get(row.turnId) ?? [])) };
}

/**
 * A page ends with the message that brings its texts to so many bytes, or at its limit: 100 messages of 32,000
 * characters are 9 MB, and kept the process from answering anybody for 0.17 s.
 */
const PAGE_BYTES = 512 * 1024;

/** `first` is the number of the first turn that asks the same, and so tells questions apart; `own` is the turn's. */
function branchOf(sequence: RawBuilder<unknown>, siblings: RawBuilder<unknown>) {
  return sql`select count(*)::int as count, count(*) filter (where s.sequence <= ${sequence})::int as number,
      (array_agg(s.id order by s.sequence desc) filter (where s.sequence < ${sequence}))[1] as "previousTurnId",
      (array_agg(s.id order by s.sequence) filter (where s.sequence > ${sequence}))[1] as "nextTurnId",
      json_build_object('number', count(distinct s.first) filter (where s.first <= s.own), 'count', count(distinct s.first),
        'previousTurnId', (array_agg(s.id order by s.first desc, s.sequence desc) filter (where s.first < s.own))[1],
        'nextTurnId', (array_agg(s.id order by s.first, s.sequence desc) filter (where s.first > s.own))[1]) as questions,
      json_build_object('number', count(*) filter (where s.first = s.own and s.sequence <= ${sequence}),
        'count', count(*) filter (where s.first = s.own),
        'previousTurnId', (array_agg(s.id order by s.sequence desc) filter (where s.first = s.own and s.sequence < ${sequence}))[1],
        'nextTurnId', (array_agg(s.id order by s.sequence) filter (where s.first = s.own and s.sequence > ${sequence}))[1]) as answers
    from (select f.*, max(f.first) filter (where f.sequence = ${sequence}) over () as own from (
        select c.id, c.sequence, min(c.sequence) over (partition by q.question) as first from ${siblings} c join turns q on q.id = c.id
      ) f) s`;
}

/** The number of the last turn of a line; null in a conversation without an admitted turn. */
async function findEnd(
  on: Sql,
  { conversationId, branch }: { conversationId: string; branch: string },
): Promise<number | null> {
  if (branch === 'newest') {
    const newest = await first(
      sql<{ sequence: number }>`select sequence from turns where conversation_id = ${conversationId} and ever_admitted
        order by sequence desc limit 1`,
      on,
    );
    return newest?.sequence ?? null;
  }
  const end = await first(
    sql<{ sequence: number }>`with recursive down as (
        select sequence from turns where id = ${branch} and conversation_id = ${conversationId} and ever_admitted
        union all
        select n.sequence from down d cross join lateral (
          select c.sequence from ${childrenOf(sql`${conversationId}::uuid`, sql`d.sequence`)} c order by c.sequence desc limit 1
        ) n
      ) select sequence from down order by sequence desc limit 1`,
    on,
  );
  if (end === null) throw new AppError('not_found');
  return end.sequence;
}

/** Without its text where the page ends before it. */
type MessageRow = RowOf<typeof messageColumns> &
  Pick<MessageRecord, 'role' | 'createdAt' | 'parentTurnId' | 'feedback'> &
  Branch & { part: 0 | 1; content: string | null; conversation_id: string; parent_sequence: number | null };

function hasText(row: MessageRow): row is MessageRow & { content: string } {
  return row.content !== null;
}

/** Usage and ending belong to the answer, not to the question. */
function messageOf(
  {
    part,
    number,
    count,
    previousTurnId,
    nextTurnId,
    questions,
    answers,
    promptTokens,
    completionTokens,
    debitedTokens,
    estimated,
    finishReason,
    fileCount: _files,
    conversation_id: _conversation,
    parent_sequence: _parent,
    ...row
  }: MessageRow & { content: string },
  files: readonly AttachedFile[],
): MessageRecord {
  const isAnswer = part === 1;
  return {
    ...row,
    files: isAnswer ? [] : files,
    branch: { number, count, previousTurnId, nextTurnId, questions, answers },
    usage: isAnswer ? usageOf({ promptTokens, completionTokens, debitedTokens, estimated }) : null,
    finishReason: isAnswer ? finishReason : null,
  };
}

const messageColumns = columnsOf(Turn, 't', {
  turnId: 'id',
  sequence: 'sequence',
  state: 'state',
  model: 'model',
  attempt: 'attempt',
  error: 'errorCode',
  finishReason: 'finishReason',
  promptTokens: 'promptTokens',
  completionTokens: 'completionTokens',
  debitedTokens: 'debitedTokens',
  estimated: 'estimated',
  fileCount: 'fileCount',
});
