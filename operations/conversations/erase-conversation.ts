import { eraseConversation, findErased } from '../../db/conversations/erase.ts';
import { announceAccount } from '../../platform/streams/account-feed.ts';
import { deleteStreams } from '../../platform/streams/redis-stream.ts';
import type { OperationDeps } from '../deps.ts';
import { removeErased, type Contents } from '../files/contents.ts';
import { writeOrFind } from '../look-up.ts';

/**
 * Erases a conversation, then what Redis has of its answers and the S3 store of its images. A stream that Redis cannot
 * be told about ends by its own age, and an image that the store keeps is removed by reconcile.
 * @throws AppError not_found, conversation_busy.
 */
export async function erase(
  { database, redis, objects, log }: Pick<OperationDeps, 'redis'> & Contents,
  which: { conversationId: string; userId: number },
): Promise<void> {
  const { turnIds } = await writeOrFind(
    () => eraseConversation(database, which),
    () => findErased(database, which),
  );
  announceAccount(redis, which);
  await deleteStreams(redis, turnIds).catch((error: unknown) =>
    log.warn({ turns: turnIds.length, reason: String(error) }, 'streams of an erased conversation await their age'),
  );
  await removeErased({ database, objects, log });
}
