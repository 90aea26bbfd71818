import { sql } from 'kysely';
import type { Database, Tx } from '../database.ts';

const KEPT_DAYS = 7;
const AT_ONCE = 500;

/**
 * Deletes refused questions of more than 7 days ago, and conversations that were never listed and hold nothing else
 * (policy 7, G40). They were never admitted, so no hold, attempt or entry names them. It goes in small steps, and waits
 * for nobody: what is locked is left for the next round.
 * @param onStep called after each step.
 */
export async function purgeRefused(
  database: Database,
  { atOnce = AT_ONCE, onStep = () => {} }: { atOnce?: number; onStep?: () => void } = {},
): Promise<{ turns: number; conversations: number }> {
  const purged = { turns: 0, conversations: 0 };
  for (;;) {
    const step = await database.transaction((tx) => purgeSome(tx, atOnce));
    purged.turns += step.turns;
    purged.conversations += step.conversations;
    onStep();
    if (step.turns < atOnce) return purged;
  }
}

/** Locks in the one order, conversation before turn; by `created_at`, for which there is an index. */
async function purgeSome(tx: Tx, atOnce: number): Promise<{ turns: number; conversations: number }> {
  const { rows: old } = await sql<{ id: string; conversationId: string }>`
    select t.id, t.conversation_id as "conversationId" from conversations c join turns t on t.conversation_id = c.id
    where t.state = 'refused' and t.erased_at is null and t.created_at < now() - ${KEPT_DAYS} * interval '1 day' and t.ended_at < now() - ${KEPT_DAYS} * interval '1 day'
    order by t.created_at limit ${atOnce} for update of c, t skip locked`.execute(tx);
  if (old.length === 0) return { turns: 0, conversations: 0 };
  await sql`delete from turns where id = any(${old.map(({ id }) => id)}::uuid[]) and state = 'refused'`.execute(tx);
  const left =
    await sql`delete from conversations c where id = any(${old.map(({ conversationId }) => conversationId)}::uuid[])
      and listed_at is null and not exists (select 1 from turns where conversation_id = c.id)`.execute(tx);
  return { turns: old.length, conversations: Number(left.numAffectedRows ?? 0n) };
}
