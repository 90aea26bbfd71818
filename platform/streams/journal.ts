import type { EventId, RestartReason, StreamEntry, TextKind } from '../../domain/stream-events.ts';
import type { Redis } from '../redis.ts';
import { lastIdOf, announceBatch, readLastId, writeBatch, type Batch } from './redis-stream.ts';
import type { TurnText } from './text.ts';

export interface JournalOptions {
  readonly turnId: string;
  readonly attempt: number;
  /** Of the entries that hold the text. */
  readonly kind: TextKind;
  /** The reason in the attempt's first entry; null when the attempt begins with its text. */
  readonly opening: RestartReason | null;
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly ageSeconds: number;
  /** The same after the last entry. */
  readonly endedAgeSeconds: number;
  /** Gets each entry when it has its number, before Redis does. */
  readonly onEntry: (entry: StreamEntry) => void;
}

/**
 * The entries of one attempt: gives them their numbers, takes them to Redis, and mends the stream when Redis lost what
 * it had. One call of `write` at a time; `number` never waits.
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
  /** What Redis has not acknowledged, in order; it has what lies before. */
  #waiting: StreamEntry[] = [];
  /** Number of the newest entry that stands for all before it. */
  #anewFrom = 1;
  #acknowledged = 0;
  #inStream = 0;
  /** The stream lacks something that was acknowledged: the next entries say everything again. */
  #startOver = false;
  /**
   * Whether the outcome of the last write is unknown, and the connection it used. A new connection may lead to a Redis
   * that has lost the stream.
   */
  #unsure = false;
  #connection: number;
  #renewedAt = 0;
  /** No text follows. */
  #isLast = false;
  #hasEndedAge = false;
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
    return this.#waiting.reduce((sum, entry) => sum + (entry.kind === 'restarted' ? 0 : entry.text.length), 0);
  }

  /** A newer attempt writes this stream now. */
  get fenced(): boolean {
    return this.#fenced;
  }

  /** Whether `write` has something to do. */
  get hasUnwritten(): boolean {
    return !this.#fenced && !this.#closed && (this.#waiting.length > 0 || (this.#startOver && !this.#isTooLong));
  }

  /** The stream was given the age of one that has ended with its last entries. */
  get hasEndedAge(): boolean {
    return this.#hasEndedAge;
  }

  /** Gives out no further numbers. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Gives the text that has come its numbers, and the entries to the readers of this process, who never wait for Redis.
   * @param isLast no text follows.
   */
  number(isLast: boolean): void {
    this.#isLast ||= isLast;
    if (this.#fenced || this.#closed || this.#isTooLong) return;
    const isFull = this.#inStream + this.#waiting.length >= this.#options.maxEntries;
    if (this.#startOver || (isFull && this.#text.ready(this.#isLast))) {
      this.#startOver = false;
      this.#opening = null;
      this.#addAnew('resync', this.#text.takeWhole(this.#isLast));
    } else if (this.#opening !== null) {
      this.#addAnew(this.#opening, this.#text.take(this.#isLast));
      this.#opening = null;
    } else {
      this.#addDelta(this.#text.take(this.#isLast));
    }
  }

  /**
   * Writes all that waits, or finds out what of it Redis has.
   * @throws RedisAway, or the server's error: call again later.
   */
  async write(): Promise<void> {
    try {
      // Nothing is awaited between the last check and the sending, so the batch leaves over the connection that was
      // checked.
      while (this.#unsure || this.#connection !== this.#redis.commands.socketEpoch) await this.#lookBack();
      if (this.#startOver) this.number(false);
      const [first, ...more] = this.#waiting;
      if (first === undefined || this.#fenced) return;
      await this.#send({ anew: first.id.entry === this.#anewFrom, entries: [first, ...more] });
    } catch (error) {
      this.#unsure = true;
      throw error;
    }
  }

  async #send(batch: Batch): Promise<void> {
    const { turnId, ageSeconds, endedAgeSeconds } = this.#options;
    const ends = this.#isLast;
    // The stream's age is renewed four times in its life, not with every write.
    const renew = batch.anew || Date.now() - this.#renewedAt > ageSeconds * 250;
    const kept = await writeBatch(this.#redis, turnId, batch, ends ? endedAgeSeconds : renew ? ageSeconds : null);
    if (renew) this.#renewedAt = Date.now();
    this.#hasEndedAge = ends && kept;
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
      this.#waiting = [];
      return;
    }
    const reached = last?.attempt === attempt ? last.entry : 0;
    const [first, ...more] = this.#waiting.filter(({ id }) => id.entry <= reached);
    if (first !== undefined) {
      const written = { anew: first.id.entry === this.#anewFrom, entries: [first, ...more] } as const;
      await announceBatch(this.#redis, this.#options.turnId, written);
      this.#acknowledge(written);
    } else if (reached < this.#acknowledged && this.#waiting[0]?.id.entry !== this.#anewFrom) {
      this.#sayEverythingAgain();
    }
  }

  /** More may have been numbered since it was sent. */
  #acknowledge(batch: Batch): void {
    const { entry: last } = lastIdOf(batch);
    this.#waiting = this.#waiting.filter(({ id }) => id.entry > last);
    this.#acknowledged = last;
    this.#inStream = (batch.anew ? 0 : this.#inStream) + batch.entries.length;
  }

  #sayEverythingAgain(): void {
    this.#waiting = [];
    this.#startOver = true;
  }

  /** A longer answer is not for Redis: no more entries, and the number that `end` returns says so. */
  get #isTooLong(): boolean {
    return this.#text.bytes > this.#options.maxBytes;
  }

  /** What waits is said by these two as well. */
  #addAnew(reason: RestartReason, text: string): void {
    this.#waiting = [];
    this.#anewFrom = this.#numbered + 1;
    this.#add({ kind: 'restarted', id: this.#nextId(), reason });
    this.#addDelta(text);
  }

  #addDelta(text: string): void {
    if (text !== '') this.#add({ kind: this.#options.kind, id: this.#nextId(), text });
  }

  #add(entry: StreamEntry): void {
    this.#waiting.push(entry);
    this.#options.onEntry(entry);
  }

  #nextId(): EventId {
    this.#numbered += 1;
    return { attempt: this.#options.attempt, entry: this.#numbered };
  }
}
