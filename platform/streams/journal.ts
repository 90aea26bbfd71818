import type { EventId, RestartReason, StreamEntry } from '../../domain/stream-events.ts';
import type { Redis } from '../redis.ts';
import { lastIdOf, announceBatch, readLastId, writeBatch, type Batch } from './redis-stream.ts';
import type { TurnText } from './text.ts';

export interface JournalOptions {
  readonly turnId: string;
  readonly attempt: number;
  /** The reason in the attempt's first entry; null when the attempt begins with its text. */
  readonly opening: RestartReason | null;
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly ageSeconds: number;
  /** Gets each entry when it has its number, before Redis does. */
  readonly onEntry: (entry: StreamEntry) => void;
}

/**
 * The entries of one attempt in Redis. It numbers them, and mends the stream when Redis has lost what it had. `write`
 * must not be called twice at a time.
 */
export class TurnJournal {
  readonly #redis: Redis;
  readonly #options: JournalOptions;
  readonly #text: TurnText;
  #opening: RestartReason | null;
  /**
   * An entry's number is given once and its content never changes: a reader may have the entry although Redis refused
   * it, lost it or never answered.
   */
  #numbered = 0;
  #acknowledged = 0;
  #inStream = 0;
  #inFlight: Batch | null = null;
  /** The stream lacks something that was acknowledged, so the next batch repeats everything. */
  #startOver = false;
  /**
   * Whether the outcome of the last write is unknown, and the connection it used. A new connection may lead to a Redis
   * that has lost the stream.
   */
  #unsure = false;
  #connection: number;
  #renewedAt = 0;
  #fenced = false;
  #closed = false;

  constructor(redis: Redis, options: JournalOptions, text: TurnText) {
    this.#redis = redis;
    this.#options = options;
    this.#text = text;
    this.#opening = options.opening;
    this.#connection = redis.commands.socketEpoch;
  }

  get numbered(): number {
    return this.#numbered;
  }

  /** UTF-16 units in entries that Redis has not acknowledged. */
  get unacknowledged(): number {
    return (this.#inFlight?.entries ?? []).reduce(
      (sum, entry) => sum + (entry.kind === 'delta' ? entry.text.length : 0),
      0,
    );
  }

  /** A newer attempt writes this stream now. */
  get fenced(): boolean {
    return this.#fenced;
  }

  /** Whether `write` would do anything. @param last no text follows. */
  hasWork(last: boolean): boolean {
    if (this.#fenced || this.#closed) return false;
    return (
      this.#inFlight !== null ||
      (!this.#tooLong && (this.#startOver || this.#opening !== null || this.#text.ready(last)))
    );
  }

  /** The stream has to be mended now, without waiting for more text. */
  get broken(): boolean {
    return this.#startOver && this.hasWork(false);
  }

  /** Gives out no further numbers. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Writes one batch of what waits, or mends the stream. @param last no text follows.
   * @throws RedisAway, or the server's error. It may be called again later.
   */
  async write(last: boolean): Promise<void> {
    try {
      // Nothing is awaited between the last check and the sending, so the batch leaves over the connection that was
      // checked.
      while (this.#unsure || this.#connection !== this.#redis.commands.socketEpoch) await this.#lookBack();
      if (!this.hasWork(last)) return;
      if (this.#inFlight === null) {
        this.#inFlight = this.#nextBatch(last);
        // While Redis is away, this entry would be the last for a while. The turn's readers then get the answer whole,
        // from PostgreSQL.
        if (this.#redis.commands.isReady) for (const entry of this.#inFlight.entries) this.#options.onEntry(entry);
      }
      await this.#send(this.#inFlight);
    } catch (error) {
      this.#unsure = true;
      throw error;
    }
  }

  async #send(batch: Batch): Promise<void> {
    const { turnId, ageSeconds } = this.#options;
    // The stream's age is renewed four times in its life, not with every write.
    const renew = batch.anew || Date.now() - this.#renewedAt > ageSeconds * 250;
    const kept = await writeBatch(this.#redis, turnId, batch, renew ? ageSeconds : null);
    if (renew) this.#renewedAt = Date.now();
    if (kept) this.#acknowledge(batch);
    else this.#sayEverythingAgain();
  }

  /** Compares what Redis has with what it has acknowledged. */
  async #lookBack(): Promise<void> {
    const { attempt } = this.#options;
    this.#connection = this.#redis.commands.socketEpoch;
    const last = await readLastId(this.#redis, this.#options.turnId);
    this.#unsure = false;
    if (last !== null && last.attempt > attempt) {
      this.#fenced = true;
      this.#inFlight = null;
      return;
    }
    const reached = last?.attempt === attempt ? last.entry : 0;
    if (this.#inFlight !== null && reached >= lastIdOf(this.#inFlight).entry) {
      await announceBatch(this.#redis, this.#options.turnId, this.#inFlight);
      this.#acknowledge(this.#inFlight);
    } else if (reached < this.#acknowledged && this.#inFlight?.anew !== true) {
      this.#sayEverythingAgain();
    }
  }

  #acknowledge(batch: Batch): void {
    this.#inFlight = null;
    this.#acknowledged = lastIdOf(batch).entry;
    this.#inStream = (batch.anew ? 0 : this.#inStream) + batch.entries.length;
  }

  #sayEverythingAgain(): void {
    this.#inFlight = null;
    this.#startOver = true;
  }

  #nextBatch(last: boolean): Batch {
    if (this.#startOver || this.#inStream >= this.#options.maxEntries) {
      this.#startOver = false;
      this.#opening = null;
      return batchOf(true, this.#restarted('resync'), this.#delta(this.#text.takeWhole(last)));
    }
    if (this.#opening !== null) {
      const opening = this.#restarted(this.#opening);
      this.#opening = null;
      return batchOf(true, opening, this.#delta(this.#text.take(last)));
    }
    const first = this.#numbered === 0;
    return { anew: first, entries: [{ kind: 'delta', id: this.#nextId(), text: this.#text.take(last) }] };
  }

  #restarted(reason: RestartReason): StreamEntry {
    return { kind: 'restarted', id: this.#nextId(), reason };
  }

  /**
   * A longer answer does not go through Redis: it gets no further entries, and the number that `end` returns tells
   * readers so.
   */
  get #tooLong(): boolean {
    return this.#text.bytes > this.#options.maxBytes;
  }

  #delta(text: string): StreamEntry | null {
    return text === '' ? null : { kind: 'delta', id: this.#nextId(), text };
  }

  #nextId(): EventId {
    this.#numbered += 1;
    return { attempt: this.#options.attempt, entry: this.#numbered };
  }
}

function batchOf(anew: boolean, first: StreamEntry, second: StreamEntry | null = null): Batch {
  return { anew, entries: second === null ? [first] : [first, second] };
}
