import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { AppError } from '../../domain/errors.ts';
import type { Instant } from '../../domain/period.ts';
import { MOST_SHARE_LINKS, MOST_SHARED_CHARACTERS, type SharedMessage } from '../../domain/sharing.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, one, type Database, type Tx } from '../database.ts';
import { naming } from '../driver/outcome.ts';
import { ShareLink } from '../entities/sharing/share-link.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from '../page.ts';
import { ancestorsOf } from '../turns/branches.ts';

const linkColumns = columnsOf(ShareLink, 's', {
  shareId: 'id',
  turnId: 'turnId',
  createdAt: 'createdAt',
  expiresAt: 'expiresAt',
});

/** A link as its person sees it. Instants in milliseconds. */
export type ShareLinkRecord = RowOf<typeof linkColumns>;

/** What anybody with the token reads. */
export interface SharedCopy {
  readonly title: string | null;
  readonly messages: readonly SharedMessage[];
  readonly createdAt: Instant;
}

/**
 * Copies one line of a conversation: the answered questions up to one of its turns, and no other branch. The
 * conversation is locked, so that a copy is never made of one that is being erased, and that its links are counted.
 * @param share.turnId the last turn of the copy, an answered one; null: the newest.
 * @throws AppError not_found (conversation, turn), invalid_request (nothing to share, or too much),
 *   too_many_share_links. OutcomeUnknown with `shareId`.
 */
export async function createShareLink(
  database: Database,
  share: { conversationId: string; userId: number; turnId: string | null; tokenHash: Buffer; days: number },
): Promise<ShareLinkRecord> {
  const shareId = uuidv7();
  return naming({ shareId }, () =>
    database.transaction(async (tx) => {
      const conversation = await first(
        sql<{ title: string | null }>`select title from conversations
          where id = ${share.conversationId} and user_id = ${share.userId} and erased_at is null for no key update`,
        tx,
      );
      if (conversation === null) throw new AppError('not_found');
      const { links } = await one(
        sql<{ links: number }>`select count(*)::int as links from share_links
          where conversation_id = ${share.conversationId} and expires_at > now()`,
        tx,
      );
      if (links >= MOST_SHARE_LINKS) throw new AppError('too_many_share_links', { most: MOST_SHARE_LINKS });
      const last = await findLast(tx, share);
      const messages = await readCopy(tx, { conversationId: share.conversationId, sequence: last.sequence });
      return one(
        sql<ShareLinkRecord>`with s as (
            insert into share_links (id, conversation_id, turn_id, token_hash, title, messages, expires_at)
            values (${shareId}, ${share.conversationId}, ${last.turnId}, ${share.tokenHash}, ${conversation.title},
              ${JSON.stringify(messages)}::jsonb, now() + ${share.days} * interval '1 day')
            returning *
          ) select ${linkColumns} from s`,
        tx,
      );
    }),
  );
}

async function findLast(
  tx: Tx,
  { conversationId, turnId }: { conversationId: string; turnId: string | null },
): Promise<{ turnId: string; sequence: number }> {
  const last = await first(
    sql<{ turnId: string; sequence: number }>`select id as "turnId", sequence from turns
      where conversation_id = ${conversationId} and state in ('completed', 'stopped') and not is_api
        and (${turnId}::uuid is null or id = ${turnId}::uuid) order by sequence desc limit 1`,
    tx,
  );
  if (last !== null) return last;
  if (turnId !== null) throw new AppError('not_found');
  throw new AppError('invalid_request', { field: 'turnId', reason: 'nothing was answered yet' });
}

async function readCopy(
  tx: Tx,
  { conversationId, sequence }: { conversationId: string; sequence: number },
): Promise<SharedMessage[]> {
  const line = ancestorsOf({ conversationId, sequence: sequence + 1, parentSequence: sequence });
  const answered = sql`from line l join turns t on t.id = l.id where t.state in ('completed', 'stopped')`;
  const { characters } = await one(
    sql<{
      characters: number;
    }>`${line} select coalesce(sum(length(question) + coalesce(length(answer), 0)), 0)::float8 as characters ${answered}`,
    tx,
  );
  if (characters > MOST_SHARED_CHARACTERS)
    throw new AppError('invalid_request', {
      field: 'turnId',
      reason: `a copy has at most ${MOST_SHARED_CHARACTERS} characters`,
    });
  const { rows } = await sql<{ question: string; answer: string | null; files: number }>`
    ${line} select question, answer, file_count as files ${answered} order by l.sequence`.execute(tx);
  return rows.flatMap(({ question, answer, files }): SharedMessage[] => [
    { role: 'user', content: question, ...(files === 0 ? {} : { files }) },
    ...(answer === null || answer === '' ? [] : [{ role: 'assistant', content: answer } as const]),
  ]);
}

/** @returns null for a token that is unknown, expired or revoked, and while its person is suspended. */
export async function findSharedCopy(database: Database, tokenHash: Buffer): Promise<SharedCopy | null> {
  return first(
    sql<SharedCopy>`select ${columnsOf(ShareLink, 's', ['title', 'messages', 'createdAt'])}
      from share_links s join conversations c on c.id = s.conversation_id join accounts a on a.user_id = c.user_id
      where s.token_hash = ${tokenHash} and s.expires_at > now() and a.suspended_at is null`,
    database.reads,
  );
}

/** The links of a conversation that are still good, newest first. @throws AppError not_found. */
export async function listShareLinks(
  database: Database,
  list: { conversationId: string; userId: number; limit: number; cursor: string | null },
): Promise<Page<ShareLinkRecord>> {
  const mine = await first(
    sql`select 1 from conversations where id = ${list.conversationId} and user_id = ${list.userId} and erased_at is null`,
    database.reads,
  );
  if (mine === null) throw new AppError('not_found');
  const after = list.cursor === null ? null : decodeCursor(list.cursor, ['string']);
  const { rows } = await sql<ShareLinkRecord>`select ${linkColumns} from share_links s
    where conversation_id = ${list.conversationId} and expires_at > now()
      and (${after?.[0] ?? null}::uuid is null or id < ${after?.[0] ?? null}::uuid)
    order by id desc limit ${list.limit + 1}`
    .execute(database.reads)
    .catch(rethrowBadCursor);
  return pageOf(rows, list.limit, ({ shareId }) => encodeCursor([shareId]));
}

/** The copy is deleted with its link. @throws AppError not_found, for somebody else's as well. */
export async function revokeShareLink(
  database: Database,
  { shareId, userId }: { shareId: string; userId: number },
): Promise<void> {
  const gone = await sql`delete from share_links s using conversations c
    where s.id = ${shareId} and c.id = s.conversation_id and c.user_id = ${userId}`.execute(database.sql);
  if ((gone.numAffectedRows ?? 0n) === 0n) throw new AppError('not_found');
}

/** Deletes copies that nobody can read any more. */
export async function purgeExpiredLinks(database: Database): Promise<void> {
  await sql`delete from share_links where expires_at <= now()`.execute(database.sql);
}
