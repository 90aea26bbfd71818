import { sql, type RawBuilder } from 'kysely';
import { AppError } from '../../domain/errors.ts';
import { first, one, type Sql, type Tx } from '../database.ts';
import type { TurnRow } from './row.ts';

/**
 * A conversation is a tree of its admitted turns. `parent_sequence` is the number of the turn that a turn follows, 0
 * for a first question. Null stands for the newest admitted turn with a lower number: it is null until a turn is
 * admitted, and in rows of before there were branches. What is admitted is never refused again, so no parent is lost.
 * A turn of the OpenAI door has a conversation of its own and is nobody's parent: its text is not in its row.
 */
const follows = (turn: string) =>
  sql.raw(`t.conversation_id = ${turn}.conversation_id and t.ever_admitted and not t.is_api
    and t.sequence <= coalesce(${turn}.parent_sequence, ${turn}.sequence - 1)`);

/** The number of a turn's parent, 0 for a first question. `turn` is the alias of its row. */
export const parentOf = (turn: string): RawBuilder<number> =>
  sql<number>`coalesce((select t.sequence from turns t where ${follows(turn)} order by t.sequence desc limit 1), 0)`;

type Place = Pick<TurnRow, 'conversationId' | 'sequence' | 'parentSequence'>;

/**
 * `with recursive` and the rows of `line (id, sequence, used)`: a turn's ancestors, found from the nearest to the first
 * one. Each step is one look into the index, so an old fork costs no more than a new one.
 * @param walk.to the lowest number of interest.
 * @param walk.cost of an ancestor `t`; once the sum of those found (`used`) is above `walk.most`, the walk ends.
 */
export function ancestorsOf(
  { conversationId, sequence, parentSequence }: Place,
  { to = 1, cost = sql<number>`0`, most = 0 }: { to?: number; cost?: RawBuilder<number>; most?: number } = {},
) {
  return sql`with recursive walk as (
      select null::uuid as id, ${conversationId}::uuid as conversation_id, ${sequence}::integer as sequence,
        ${parentSequence}::integer as parent_sequence, 0::bigint as used
      union all
      select p.id, p.conversation_id, p.sequence, p.parent_sequence, w.used + p.cost from walk w cross join lateral (
        select t.id, t.conversation_id, t.sequence, t.parent_sequence, ${cost} as cost from turns t where ${follows('w')}
        order by t.sequence desc limit 1
      ) p where w.used <= ${most} and p.sequence >= ${to}
    ), line as (select id, sequence, used from walk where id is not null)`;
}

/** The turns that follow the turn with this number, 0 for the first questions: `id, sequence`. */
export const childrenOf = (conversation: RawBuilder<unknown>, parent: RawBuilder<unknown>) =>
  sql`(select t.id, t.sequence from turns t
      where t.conversation_id = ${conversation} and t.ever_admitted and t.parent_sequence = ${parent}
    union all
    select n.id, n.sequence from (select t.id, t.sequence, t.parent_sequence from turns t
      where t.conversation_id = ${conversation} and t.ever_admitted and t.sequence > ${parent}
      order by t.sequence limit 1) n where n.parent_sequence is null)`;

/**
 * The number to store for the parent that a send names.
 * @param parentTurnId absent: after the newest admitted turn; null: a first question.
 */
export function parentSequence(conversationId: string | null, parentTurnId: string | null | undefined) {
  if (parentTurnId === undefined) return sql`null::integer`;
  if (parentTurnId === null) return sql`0`;
  return sql`(select sequence from turns where id = ${parentTurnId}::uuid and conversation_id = ${conversationId}::uuid and ever_admitted and not is_api)`;
}

/**
 * Why a send found no place: a turn that still runs is not admitted perhaps, and no other can follow it yet.
 * @returns conversation_busy or not_found (the conversation or the parent), for somebody else's as well.
 */
export async function noPlace(
  on: Sql,
  { conversationId, userId }: { conversationId: string; userId: number },
): Promise<AppError> {
  const running = await first(
    sql`select 1 from turns where conversation_id = ${conversationId} and user_id = ${userId} and state in ('accepted', 'running')`,
    on,
  );
  return running === null ? new AppError('not_found') : new AppError('conversation_busy', { retryAfter: 5 });
}

/**
 * The number of the parent that a send names, as `parentSequence` has it, for a holder of the conversation's lock.
 * @throws AppError not_found, conversation_busy.
 */
export async function findParent(
  tx: Tx,
  {
    conversationId,
    parentTurnId,
    userId,
  }: { conversationId: string; parentTurnId?: string | null | undefined; userId: number },
): Promise<number | null> {
  const { parent } = await one(
    sql<{ parent: number | null }>`select ${parentSequence(conversationId, parentTurnId)} as parent`,
    tx,
  );
  if (typeof parentTurnId === 'string' && parent === null) throw await noPlace(tx, { conversationId, userId });
  return parent;
}
