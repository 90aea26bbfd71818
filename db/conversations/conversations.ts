import { sql, type RawBuilder } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { AppError } from '../../domain/errors.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from '../page.ts';
import { columnsOf } from '../columns.ts';
import { first, readClock, type Database } from '../database.ts';
import { naming } from '../driver/outcome.ts';
import { Conversation } from '../entities/conversation.ts';
import { candidates, placeOf, type Found } from './search.ts';

/** Instants in milliseconds. */
export interface ConversationRecord {
  readonly conversationId: string;
  readonly title: string | null;
  readonly archived: boolean;
  readonly pinned: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export async function createConversation(
  database: Database,
  { userId, title }: { userId: number; title: string | null },
): Promise<ConversationRecord> {
  const conversationId = uuidv7();
  const row = await naming({ conversationId }, () =>
    database.transaction(async (tx) => {
      const now = new Date(await readClock(tx));
      const times = { listedAt: now, createdAt: now, updatedAt: now };
      return tx.em().create(Conversation, { id: conversationId, user: userId, title, ...times });
    }),
  );
  return recordOf(row);
}

/**
 * Newest activity first.
 * @param archived null: archived or not. @param pinned likewise. @param search a part of the title, or of what was
 *   asked and answered, in any case and form.
 */
export async function listConversations(
  database: Database,
  list: {
    userId: number;
    search: string | null;
    archived: boolean | null;
    pinned?: boolean | null;
    limit: number;
    cursor: string | null;
  },
): Promise<Page<ListedConversation>> {
  const after = list.cursor === null ? null : decodeCursor(list.cursor, ['string', 'string']);
  const search = list.search?.trim() ?? '';
  const listed = sql`c.user_id = ${list.userId} and c.listed_at is not null
      and (${list.archived}::boolean is null or (c.archived_at is not null) = ${list.archived}::boolean)
      ${PINNED.get(list.pinned ?? null) ?? sql``}
      and (${after?.[0] ?? null}::timestamptz is null or (c.updated_at, c.id) < (${after?.[0] ?? null}::timestamptz, ${after?.[1] ?? null}::uuid))`;
  const order = sql`order by c.updated_at desc, c.id desc`;
  const columns = sql`${conversationColumns}, c.archived_at is not null as archived, c.pinned_at is not null as pinned, c.updated_at::text as key`;
  // A search goes through its conversations in the order of the list, and ends with the page.
  const { rows } = await sql<ListedConversation & { key: string }>`${
    search === ''
      ? sql`select ${columns}, null as found from conversations c where ${listed}`
      : sql`with ${titled(list.userId, search)}, ${candidates(list.userId, search)}, matched as materialized (
          select conversation_id, array_agg(turn_id) filter (where turn_id is not null) as turn_ids, bool_or(turn_id is null) as has_title
          from (select conversation_id, id as turn_id from candidates union all select id, null from titled) m group by conversation_id
        )
        select ${columns}, place.found from (
          select c.*, matched.turn_ids, matched.has_title from matched
            cross join lateral (select * from conversations c where c.id = matched.conversation_id and ${listed} offset 0) c
          ${order} offset 0
        ) c left join lateral (${placeOf(search)}) place on true
        where c.has_title or place.found is not null`
  } ${order} limit ${list.limit + 1}`
    .execute(database.reads)
    .catch(rethrowBadCursor);
  const page = pageOf(rows, list.limit, (row) => encodeCursor([row.key, row.conversationId]));
  return { ...page, items: page.items.map(({ key: _, ...row }) => row) };
}

export interface ListedConversation extends ConversationRecord {
  /** Where a search was found in what was said; null: in the title alone, or nothing was searched. */
  readonly found: Found | null;
}

/** Written out, because an index of its own holds those that are pinned. */
const PINNED = new Map<boolean | null, RawBuilder<unknown>>([
  [true, sql`and c.pinned_at is not null`],
  [false, sql`and c.pinned_at is null`],
]);

/** @throws AppError not_found, for somebody else's as well. */
export async function getConversation(
  database: Database,
  { conversationId, userId }: { conversationId: string; userId: number },
): Promise<ConversationRecord> {
  const found = await first(
    sql<ConversationRecord>`select ${conversationColumns}, c.archived_at is not null as archived, c.pinned_at is not null as pinned
      from conversations c where id = ${conversationId} and user_id = ${userId} and erased_at is null`,
    database.reads,
  );
  if (found === null) throw new AppError('not_found');
  return found;
}

/** Renames, archives or restores, pins or lets go. @throws AppError not_found. */
export async function updateConversation(
  database: Database,
  change: { conversationId: string; userId: number; title?: string; archived?: boolean; pinned?: boolean },
): Promise<ConversationRecord> {
  return database.transaction(async (tx) => {
    const found = await tx.em().findOne(Conversation, {
      id: change.conversationId,
      user: change.userId,
      erasedAt: null,
    });
    if (found === null) throw new AppError('not_found');
    if (change.title !== undefined) found.title = change.title;
    if (change.archived !== undefined) found.archivedAt = change.archived ? (found.archivedAt ?? new Date()) : null;
    if (change.pinned !== undefined) found.pinnedAt = change.pinned ? (found.pinnedAt ?? new Date()) : null;
    return recordOf(found);
  });
}

const conversationColumns = columnsOf(Conversation, 'c', {
  conversationId: 'id',
  title: 'title',
  createdAt: 'createdAt',
  updatedAt: 'updatedAt',
});

function recordOf(row: Conversation): ConversationRecord {
  return {
    conversationId: row.id,
    title: row.title ?? null,
    archived: row.archivedAt != null,
    pinned: row.pinnedAt != null,
    createdAt: row.createdAt.getTime(),
    updatedAt: row.updatedAt.getTime(),
  };
}

/**
 * The conversations whose title contains `search`. The keys hold their person, so that only the index of titles serves
 * this; `user_id` as a condition would let a plan compute the keys of all titles of the person instead.
 */
function titled(userId: number, search: string) {
  return sql`titled as materialized (
      select id from conversations where search_keys(user_id, title) @> search_terms(${userId}::bigint, ${search})
        and cardinality(search_terms(${userId}::bigint, ${search})) > 0
        and strpos(search_text(title), search_text(${search})) > 0
    )`;
}
