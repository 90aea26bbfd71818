import {
  formatEventId,
  parseEventId,
  RESTART_REASONS,
  type EventId,
  type StreamEntry,
} from '../../domain/stream-events.ts';
import { RedisAway, type Redis, type RedisClient } from '../redis.ts';
import { redisScript } from './redis-script.ts';

/**
 * A turn in Redis has one stream for its entries, `<attempt>-<n>` → `delta <text>`, `chunk <lines>` or
 * `restarted <reason>`. A channel of the same name carries each entry as it is written, and two words: `changed` (read
 * PostgreSQL again) and `stop` (the row asks for it already).
 */
export function turnKey(turnId: string): string {
  return `turn:${turnId}`;
}

export type Announcement = 'changed' | 'stop';

/**
 * Publishes a word to the turn's watchers in all processes; `TurnFeed.announce` also delivers it in this one at once.
 * Nobody waits for it: every watcher also polls, so a lost word costs time, not truth. @param origin by which the
 * sender recognizes its own words when they come back.
 */
export function announce(redis: Redis, turnId: string, word: Announcement, origin: string): void {
  redis.ask((commands) => commands.publish(turnKey(turnId), encodeWord(word, origin))).catch(() => {});
}

export function encodeWord(word: Announcement, origin: string): string {
  return `${word} ${origin}`;
}

export function encodeMessage(entry: StreamEntry): string {
  return `${entry.kind} ${formatEventId(entry.id)} ${entry.kind === 'restarted' ? entry.reason : entry.text}`;
}

/** @returns null for a message of a kind we do not know: it comes from a later version and is ignored. */
export function decodeMessage(message: string): StreamEntry | Announcement | null {
  const afterKind = message.indexOf(' ');
  const kind = afterKind < 0 ? message : message.slice(0, afterKind);
  if (kind === 'changed' || kind === 'stop') return kind;
  const afterId = message.indexOf(' ', afterKind + 1);
  if (afterKind < 0 || afterId < 0) return null;
  return decodeEntry(message.slice(afterKind + 1, afterId), kind, message.slice(afterId + 1));
}

function entryFields(entry: StreamEntry): [kind: string, value: string] {
  return [entry.kind, entry.kind === 'restarted' ? entry.reason : entry.text];
}

/** Reads at most `count` entries from `from` (inclusive) on, in order. @throws RedisAway */
export async function readEntries(redis: Redis, turnId: string, from: EventId, count: number): Promise<StreamEntry[]> {
  const reply = await asked(redis, (commands) =>
    commands.xRange(turnKey(turnId), formatEventId(from), '+', { COUNT: count }),
  );
  return (reply ?? []).flatMap(({ id, message }) =>
    Object.entries(message).flatMap(([kind, value]) => decodeEntry(id, kind, value) ?? []),
  );
}

/** The newest id of a turn's stream, null when there is no stream. @throws RedisAway */
export async function readLastId(redis: Redis, turnId: string): Promise<EventId | null> {
  const reply = await asked(redis, (commands) => commands.xRevRange(turnKey(turnId), '+', '-', { COUNT: 1 }));
  const last = reply?.[0];
  return last === undefined ? null : parseEventId(last.id);
}

/**
 * Turns every error of Redis into RedisAway, because readers go on without it whatever is wrong: a connection lost in
 * mid-answer, a server that is still loading or out of memory.
 */
async function asked<T>(redis: Redis, send: (commands: RedisClient) => Promise<T>): Promise<T> {
  try {
    return await redis.ask(send);
  } catch (cause) {
    throw cause instanceof RedisAway ? cause : new RedisAway('Redis cannot be read', { cause });
  }
}

function decodeEntry(idText: string, kind: string, value: string): StreamEntry | null {
  const id = parseEventId(idText);
  if (id === null) return null;
  if (kind === 'delta' || kind === 'chunk') return { kind, id, text: value };
  const reason = RESTART_REASONS.find((known) => known === value);
  return kind === 'restarted' && reason !== undefined ? { kind, id, reason } : null;
}

/** Entries that are written together or not at all. */
export interface Batch {
  readonly entries: readonly [StreamEntry, ...StreamEntry[]];
  /**
   * The entries replace everything before them: a stream that is gone is created again, and older entries are trimmed.
   */
  readonly anew: boolean;
}

export function lastIdOf(batch: Batch): EventId {
  return (batch.entries.at(-1) ?? batch.entries[0]).id;
}

/**
 * Writes entries to the stream and to its channel: `ARGV` is `anew` (1 or 0), the age in seconds (or nothing), and id,
 * kind and value of each entry. One script, because a stream that exists has an age (G32), because a stream has no hole
 * where one of several entries was refused, and because it is one command with one copy of each text instead of six.
 */
const WRITE = redisScript(`
  local kept = 1
  for i = 3, #ARGV, 3 do
    local added
    if ARGV[1] == '1' then added = redis.call('XADD', KEYS[1], ARGV[i], ARGV[i + 1], ARGV[i + 2])
    else added = redis.call('XADD', KEYS[1], 'NOMKSTREAM', ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
    if not added then kept = 0 end
  end
  if ARGV[1] == '1' then redis.call('XTRIM', KEYS[1], 'MINID', ARGV[3]) end
  if ARGV[2] ~= '' then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
  for i = 3, #ARGV, 3 do
    redis.call('PUBLISH', KEYS[1], ARGV[i + 1] .. ' ' .. ARGV[i] .. ' ' .. ARGV[i + 2])
  end
  return kept
`);

/**
 * Writes a batch to the stream and to its channel in one round trip.
 * @param ageSeconds how long the stream lives without a further write; null leaves it as it is.
 * @returns false when the stream is gone: the entries were published but not kept.
 * @throws RedisAway, or the server's error. The outcome is then unknown until the stream's last id is read.
 */
export async function writeBatch(
  redis: Redis,
  turnId: string,
  batch: Batch,
  ageSeconds: number | null,
): Promise<boolean> {
  const entries = batch.entries.flatMap((entry) => [formatEventId(entry.id), ...entryFields(entry)]);
  const kept = await redis.ask((commands) =>
    WRITE.run(commands, turnKey(turnId), [
      batch.anew ? '1' : '0',
      ageSeconds === null ? '' : String(ageSeconds),
      ...entries,
    ]),
  );
  return kept === 1;
}

/**
 * Publishes a batch that was found in the stream after its outcome was unknown: readers may not have been told, and a
 * repeat does no harm.
 */
export async function announceBatch(redis: Redis, turnId: string, batch: Batch): Promise<void> {
  await redis.ask((commands) =>
    Promise.all(batch.entries.map((entry) => commands.publish(turnKey(turnId), encodeMessage(entry)))),
  );
}

/** Keys that one command deletes, so that a long conversation keeps Redis from nothing else. */
const DELETED_AT_ONCE = 500;

/** Deletes what Redis has of turns that have ended. @throws RedisAway */
export async function deleteStreams(redis: Pick<Redis, 'ask'>, turnIds: readonly string[]): Promise<void> {
  for (let from = 0; from < turnIds.length; from += DELETED_AT_ONCE) {
    const keys = turnIds.slice(from, from + DELETED_AT_ONCE).map(turnKey);
    await redis.ask((commands) => commands.unlink(keys));
  }
}
