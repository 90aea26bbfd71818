import {
  ACCEPTED_ID,
  compareEventIds,
  formatEventId,
  isEnding,
  type EndingState,
  type EventId,
  type StreamEntry,
  type TextKind,
  type ReadEvent,
} from '../../domain/stream-events.ts';
import type { TurnState } from '../../domain/turn.ts';
import { RedisAway, type Redis } from '../redis.ts';
import { TurnCursor } from './cursor.ts';
import { readEntries, readLastId } from './redis-stream.ts';

export type EndedSnapshot<Turn> = TurnSnapshot<Turn> & { readonly state: EndingState };

export interface ReaderOptions<Turn> {
  readonly redis: Redis;
  readonly turnId: string;
  readonly emit: (event: ReadEvent<Turn>) => Promise<void> | void;
}

/** Entries that one XRANGE reads, and so the most that a slow reader holds in memory. */
const PAGE = 128;

/** What one reader has been sent, and what it must be sent next. */
export class TurnReader<Turn> {
  readonly #options: ReaderOptions<Turn>;
  #cursor = new TurnCursor();
  /**
   * The reader claims to have the events up to its position, and the stream has not confirmed yet that this is
   * possible.
   */
  #claimed = false;

  constructor(options: ReaderOptions<Turn>) {
    this.#options = options;
  }

  /** Sends the first events, from the position that the reader claims. */
  async begin(snapshot: TurnSnapshot<Turn>, lastEventId: EventId | null): Promise<void> {
    const { turnId, conversationId, model, attempt, state } = snapshot;
    const order = lastEventId === null ? -1 : compareEventIds(lastEventId, ACCEPTED_ID);
    if (order < 0) await this.#emit(ACCEPTED_ID, { type: 'accepted', data: { turnId, conversationId, model } });
    if (lastEventId !== null && order > 0) {
      // Before the first attempt, an ending is all that a reader can have.
      this.#claimed = lastEventId.attempt === attempt && (attempt > 0 || isEnding(state));
      if (this.#claimed) this.#cursor = new TurnCursor(lastEventId, lastEventId.entry === 0);
      else await this.#restart(attempt);
    }
    this.observe(snapshot);
  }

  observe(snapshot: TurnSnapshot<Turn>): void {
    this.#cursor.raiseFloor(leastAttemptOf(snapshot));
  }

  has({ id }: StreamEntry): boolean {
    return compareEventIds(id, this.#cursor.at) <= 0;
  }

  /** @returns false when an entry before this one is missing. `drain` finds it. */
  async offer(entry: StreamEntry): Promise<boolean> {
    const step = this.#cursor.step(entry);
    if (step !== 'emit') return step === 'skip';
    const { attempt } = entry.id;
    await this.#emit(
      entry.id,
      entry.kind === 'restarted'
        ? { type: 'restarted', data: { attempt, reason: entry.reason } }
        : { type: entry.kind, data: { text: entry.text, attempt } },
    );
    return true;
  }

  /** Sends all that the stream has and the reader lacks. @throws RedisAway */
  async drain(): Promise<void> {
    const { redis, turnId } = this.#options;
    await this.#prove();
    let from = this.#cursor.next;
    for (;;) {
      const page = await readEntries(redis, turnId, from, PAGE);
      for (const entry of page) if (!(await this.offer(entry))) await this.#lose(entry.id.attempt);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      from = { attempt: last.id.attempt, entry: last.id.entry + 1 };
    }
  }

  /**
   * Sends the ending, after whatever of the answer is missing.
   * @returns false when the turn has run again since the snapshot.
   */
  async finish(snapshot: EndedSnapshot<Turn>): Promise<boolean> {
    const { attempt, content, state, turn } = snapshot;
    const seen = await this.#hasEnding(snapshot);
    if (!seen && !this.#hasAll(snapshot)) {
      // A reader who has nothing yet gets the answer in one piece, not in its 2,000 entries.
      if (!this.#cursor.blank || content === null) await this.drain().catch(ignoreAway);
      if (this.#cursor.at.attempt > attempt) return false;
      if (content !== null && !this.#hasAll(snapshot)) await this.#sendWhole(snapshot, content);
      // The turn was stopped between two attempts, so the text of the last one is no answer.
      else if (content === null && state === 'stopped' && !this.#cursor.blank) await this.#restart(attempt);
    }
    const { at } = this.#cursor;
    const last = lastEntryOf(snapshot) ?? (at.attempt === attempt ? at.entry : 0);
    await this.#emit(seen ? at : { attempt, entry: last + 1 }, { type: state, data: { turn } });
    return true;
  }

  #hasAll(snapshot: TurnSnapshot<Turn>): boolean {
    const { at, lost, blank } = this.#cursor;
    if (lost || (blank && snapshot.content !== null && snapshot.content !== '')) return false;
    return at.attempt === snapshot.attempt && at.entry === lastEntryOf(snapshot);
  }

  /** Whether the reader came with the id of this very ending. Then only the ending is sent again. */
  async #hasEnding(snapshot: TurnSnapshot<Turn>): Promise<boolean> {
    if (!this.#claimed) return false;
    const { at } = this.#cursor;
    const last = lastEntryOf(snapshot);
    if (last !== null) return at.entry === last + 1;
    if (snapshot.content !== null) return false;
    // Nobody recorded the length of a failed attempt. The stream knows it, and without a stream there is nothing more
    // to send anyway.
    const top = await readLastId(this.#options.redis, snapshot.turnId).catch(ignoreAway);
    return top?.attempt !== at.attempt || at.entry === top.entry + 1;
  }

  async #sendWhole(snapshot: TurnSnapshot<Turn>, content: string): Promise<void> {
    const { attempt } = snapshot;
    const { at, blank } = this.#cursor;
    const entry = lastEntryOf(snapshot) ?? Math.max(1, at.attempt === attempt ? at.entry : 0);
    if (!blank) await this.#restart(attempt);
    if (content !== '')
      await this.#emit({ attempt, entry }, { type: snapshot.kind ?? 'delta', data: { text: content, attempt } });
    this.#cursor.advance({ attempt, entry });
  }

  /**
   * Checks the reader's position against the stream. If the stream does not confirm it (it is gone, trimmed, or never
   * was so long), the reader gets everything.
   */
  async #prove(): Promise<void> {
    const { at, next } = this.#cursor;
    if (!this.#claimed || next.attempt !== at.attempt) return;
    const { redis, turnId } = this.#options;
    const [found] = at.entry === 0 ? [] : await readEntries(redis, turnId, at, 1);
    this.#claimed = false;
    if (found === undefined && at.entry > 0) await this.#restart(at.attempt);
  }

  async #restart(attempt: number): Promise<void> {
    this.#cursor.restart(attempt);
    await this.#emit(this.#cursor.at, { type: 'restarted', data: { attempt, reason: 'resync' } });
  }

  async #lose(attempt: number): Promise<void> {
    if (!this.#cursor.blank) await this.#restart(attempt);
    this.#cursor.lose(attempt);
  }

  async #emit(id: EventId, event: Unnumbered<ReadEvent<Turn>>): Promise<void> {
    this.#claimed = false;
    await this.#options.emit({ id: formatEventId(id), ...event });
  }
}

type Unnumbered<Event> = Event extends { readonly id: string } ? Omit<Event, 'id'> : never;

/** Without Redis the rest comes from PostgreSQL. */
function ignoreAway(error: unknown): null {
  if (error instanceof RedisAway) return null;
  throw error;
}

/** A turn as PostgreSQL knows it at one moment: all that a reader needs beside the stream. */
export interface TurnSnapshot<Turn = unknown> {
  readonly turnId: string;
  readonly conversationId: string;
  readonly model: string;
  readonly state: TurnState;
  /** Number of the newest attempt, 0 before the first. */
  readonly attempt: number;
  /** What the attempt's writer returned from `end()`; null when unknown. */
  readonly streamEntries: number | null;
  /** The stored answer, null when there is none. */
  readonly content: string | null;
  /** What `content` is: text (`delta`, the default), or lines of `encodeDelta` (`chunk`). */
  readonly kind?: TextKind;
  /** Passed on in the ending event. */
  readonly turn: Turn;
}

/**
 * Number of the entry that completes the newest attempt, as far as PostgreSQL can tell. The ending has the next number.
 */
function lastEntryOf({ attempt, streamEntries, content }: TurnSnapshot): number | null {
  if (attempt === 0) return ACCEPTED_ID.entry;
  if (streamEntries === null) return null;
  // An answer counts as one entry at least: without a stream it is sent as one.
  return content !== null && content !== '' ? Math.max(1, streamEntries) : streamEntries;
}

/**
 * The first attempt whose text still counts. A run that begins anew makes all earlier attempts obsolete before a newer
 * one exists.
 */
function leastAttemptOf({ state, attempt }: TurnSnapshot): number {
  return state === 'accepted' && attempt > 0 ? attempt + 1 : attempt;
}
