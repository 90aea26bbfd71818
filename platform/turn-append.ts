import { formatEventId, type EventId, type StreamEntry } from '../domain/stream-events.ts';
import type { Redis } from './redis.ts';
import { encodeMessage, entryFields, turnKey } from './turn-stream.ts';

/** Entries that are written together or not at all. */
export interface Batch {
  readonly entries: readonly [StreamEntry, ...StreamEntry[]];
  /** They stand for everything before them: the stream is created when it is gone, and what lies before is trimmed. */
  readonly anew: boolean;
}

export function lastIdOf(batch: Batch): EventId {
  return (batch.entries.at(-1) ?? batch.entries[0]).id;
}

/**
 * One round trip, also for the readers' copies.
 * @param ageSeconds how long the stream lives without a further write; null leaves it as it is.
 * @returns false when there is no stream any more: the entries were published but not kept.
 * @throws RedisAway, or the server's error; then the outcome is unknown until the stream's last id is read.
 */
export function writeBatch(redis: Redis, turnId: string, batch: Batch, ageSeconds: number | null): Promise<boolean> {
  const key = turnKey(turnId);
  const publish = batch.entries.map((entry) => ['PUBLISH', key, encodeMessage(entry)]);
  const expire = ageSeconds === null ? [] : [['EXPIRE', key, String(ageSeconds)]];
  return redis.ask(async (commands) => {
    if (batch.anew) {
      // A transaction: a stream that exists has an age (G32), and `restarted` never stands there without the text it
      // announces.
      const create = batch.entries.map((entry) => ['XADD', key, formatEventId(entry.id), ...entryFields(entry)]);
      const trim = ['XTRIM', key, 'MINID', formatEventId(batch.entries[0].id)];
      const together = commands.multi();
      for (const command of [...create, trim, ...expire, ...publish]) together.addCommand(command);
      await together.exec();
      return true;
    }
    const append = batch.entries.map((entry) => [
      'XADD',
      key,
      'NOMKSTREAM',
      formatEventId(entry.id),
      ...entryFields(entry),
    ]);
    const replies = await Promise.all(
      [...append, ...publish, ...expire].map((command) => commands.sendCommand(command)),
    );
    return replies.slice(0, append.length).every((id) => id !== null);
  });
}

/**
 * For a batch found in the stream after its outcome was unknown: whether readers were told is unknown too; a repeat
 * does them no harm.
 */
export async function publishBatch(redis: Redis, turnId: string, batch: Batch): Promise<void> {
  await redis.ask((commands) =>
    Promise.all(batch.entries.map((entry) => commands.publish(turnKey(turnId), encodeMessage(entry)))),
  );
}
