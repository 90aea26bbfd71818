import { sql } from 'kysely';
import { AppError } from '../../domain/errors.ts';
import { first, type Database } from '../database.ts';
import { naming } from '../driver/outcome.ts';
import { eraseFilesOf } from '../files/turn-files.ts';

export interface Erased {
  /** The turns whose text is gone here. Their streams are still to be deleted. */
  readonly turnIds: readonly string[];
}

/**
 * Erases a conversation for good (policy 3): questions, their files, answers, title, own instructions, body hashes,
 * share links, and what a turn of the OpenAI door was asked before its time is over. Its turns stay as rows without a
 * text, because debits, holds and attempts name them. A conversation without turns leaves nothing.
 * @throws AppError not_found, for somebody else's and an erased one as well; conversation_busy while a turn runs.
 *   OutcomeUnknown with `conversationId`: `isErased` tells what became of it.
 */
export async function eraseConversation(
  database: Database,
  { conversationId, userId }: { conversationId: string; userId: number },
): Promise<Erased> {
  return naming({ conversationId }, () =>
    database.transaction(async (tx) => {
      const found = await first(
        sql`select 1 from conversations where id = ${conversationId} and user_id = ${userId} and erased_at is null
          for no key update`,
        tx,
      );
      if (found === null) throw new AppError('not_found');
      // A turn is written, and opened again, under the conversation's lock: none begins from here on.
      const live = await first(
        sql`select 1 from turns where conversation_id = ${conversationId} and state in ('accepted', 'running')`,
        tx,
      );
      if (live !== null) throw new AppError('conversation_busy', { retryAfter: 5 });
      const { rows } = await sql<{ id: string }>`with erased as (
          update turns set question = '', answer = null, body_hash = '', instructions = null, file_count = 0,
            erased_at = now()
          where conversation_id = ${conversationId} returning id
        ), prompts as (
          update turn_prompts p set prompt = null, answer = null, erased_at = now() from erased
          where p.turn_id = erased.id and p.erased_at is null
        ) select id from erased`.execute(tx);
      await sql`delete from own_instructions where conversation_id = ${conversationId}`.execute(tx);
      await eraseFilesOf(tx, conversationId);
      await sql`delete from share_links where conversation_id = ${conversationId}`.execute(tx);
      await (
        rows.length === 0
          ? sql`delete from conversations where id = ${conversationId}`
          : sql`update conversations set title = null, listed_at = null, archived_at = null, pinned_at = null, erased_at = now()
              where id = ${conversationId}`
      ).execute(tx);
      return { turnIds: rows.map(({ id }) => id) };
    }),
  );
}

/** What an erasure has done whose outcome was unknown; null while the conversation stands. */
export async function findErased(
  database: Database,
  { conversationId }: { conversationId: string },
): Promise<Erased | null> {
  const standing = await first(
    sql`select 1 from conversations where id = ${conversationId} and erased_at is null`,
    database.sql,
  );
  if (standing !== null) return null;
  const { rows } = await sql<{ id: string }>`select id from turns where conversation_id = ${conversationId}`.execute(
    database.sql,
  );
  return { turnIds: rows.map(({ id }) => id) };
}
