import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RestartReason, StreamEntry, TextKind } from '../../domain/stream-events.ts';
import { ignoreLateness, within } from '../deadline.ts';
import type { Redis } from '../redis.ts';
import { TurnJournal } from './journal.ts';
import { joinPulse } from '../pulse.ts';
import { turnKey } from './redis-stream.ts';
import { TurnText } from './text.ts';

export interface TurnWriterOptions {
  readonly turnId: string;
  /** Number of the attempt's row in PostgreSQL, 1 or more. No two writers share one. */
  readonly attempt: number;
  /** What its entries hold: text (`delta`, the default), or lines of `encodeDelta` (`chunk`). */
  readonly kind?: TextKind;
  /**
   * Why there is a second or later attempt. It is written at once as the attempt's first entry. Attempt 1 begins with
   * its text, whatever is set here.
   */
  readonly restarted: Exclude<RestartReason, 'resync'> | null;
  /** Entries in the stream before it is rewritten as one entry (2,000). */
  readonly maxEntries?: number;
  /**
   * Bytes of an answer that go through Redis (1 MiB, near twice an answer of 128,000 tokens). A longer answer arrives
   * whole, from PostgreSQL.
   */
  readonly maxBytes?: number;
  /** Seconds that the stream lives after its last renewal (1 h), and after `end()` (10 min). */
  readonly ageSeconds?: number;
  readonly endedAgeSeconds?: number;
  /** Gets each entry before Redis does, for the readers of this process (`TurnFeed.deliver`). */
  readonly onEntry?: (entry: StreamEntry) => void;
}

/**
 * Carries the text of one attempt to its readers. Redis away, slow or emptied costs it nothing: no call throws,
 * none but `end` waits for Redis, and readers of this process get each entry without it.
 */
export interface TurnWriter {
  /** A piece of the answer as the model sent it. It may end in half a surrogate pair. @throws after `end()`. */
  delta(text: string): void;
  /** UTF-16 units that may not have gone through Redis: they wait or, after `end()`, never will. */
  readonly unsent: number;
  /** Number of the last entry. */
  readonly entries: number;
  /** All of the attempt's text so far, written or not. */
  readonly text: string;
  /** Aborts when a newer attempt writes this turn's stream: this attempt's answer will not be stored. */
  readonly fenced: AbortSignal;
  /**
   * Writes what is left, waits half a second at most, and gives up the stream. Call it before the answer is stored.
   * @returns the number for PostgreSQL (`stream_entries`): a reader who has the entry of this number has the whole
   *   text. When some text was never written, it is one more than the last entry's.
   */
  end(): Promise<number>;
}

const END_WITHIN_MS = 500;
const URGENT_CHARACTERS = 8_192;
const SHORTEST_RETRY_MS = 25;
const LONGEST_RETRY_MS = 500;

/**
 * Opens without waiting. Call `end()` in every case: otherwise the stream lives for `ageSeconds`, and the writer counts
 * as open.
 */
export function openTurnWriter(redis: Redis, options: TurnWriterOptions): TurnWriter {
  return new StreamWriter(redis, options);
}

class StreamWriter implements TurnWriter {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #endedAgeSeconds: number;
  readonly #text = new TurnText();
  readonly #journal: TurnJournal;
  readonly #fence = new AbortController();
  /**
   * Bound to the work that opened the writer, so that its trace and log fields hold, whoever's timer fires or text
   * arrives.
   */
  readonly #flush = AsyncLocalStorage.bind(() => {
    this.#flushNow();
  });
  readonly #pulse = joinPulse(this.#flush);
  #spoken = false;
  #flushing: Promise<boolean> | null = null;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = SHORTEST_RETRY_MS;
  #ended: Promise<number> | null = null;

  constructor(redis: Redis, options: TurnWriterOptions) {
    this.#redis = redis;
    this.#key = turnKey(options.turnId);
    this.#endedAgeSeconds = options.endedAgeSeconds ?? 600;
    const opening = options.attempt === 1 ? null : (options.restarted ?? 'retry');
    this.#journal = new TurnJournal(
      redis,
      {
        turnId: options.turnId,
        attempt: options.attempt,
        kind: options.kind ?? 'delta',
        opening,
        maxEntries: options.maxEntries ?? 2_000,
        maxBytes: options.maxBytes ?? 1_048_576,
        ageSeconds: options.ageSeconds ?? 3_600,
        endedAgeSeconds: this.#endedAgeSeconds,
        onEntry: options.onEntry ?? (() => {}),
      },
      this.#text,
    );
    if (opening !== null) this.#flush();
  }

  get entries(): number {
    return this.#journal.numbered;
  }

  get text(): string {
    return this.#text.whole;
  }

  get unsent(): number {
    return this.#text.waiting + this.#journal.unacknowledged;
  }

  get fenced(): AbortSignal {
    return this.#fence.signal;
  }

  delta(text: string): void {
    if (this.#ended !== null) throw new Error('a delta after the end of its stream');
    if (text === '') return;
    this.#text.push(text);
    if (this.#fence.signal.aborted) return;
    if (!this.#spoken || this.#text.waiting >= URGENT_CHARACTERS) {
      this.#spoken = true;
      this.#pulse.now();
    } else {
      this.#pulse.request();
    }
  }

  end(): Promise<number> {
    return (this.#ended ??= this.#finish());
  }

  /** Redis is written by one at a time; while it is away, only when its turn to try again has come. */
  #flushNow(): void {
    if (this.#ended !== null) return;
    this.#journal.number(false);
    if (this.#flushing !== null || this.#retry !== undefined || !this.#journal.hasUnwritten) return;
    this.#flushing = this.#write();
    void this.#flushing.then((written) => {
      this.#flushing = null;
      if (this.#ended !== null || this.#fence.signal.aborted) return;
      if (!written) this.#tryLater();
      else if (this.#journal.hasUnwritten) this.#flush();
    });
  }

  /** @returns false when Redis failed. */
  async #write(): Promise<boolean> {
    try {
      while (this.#journal.hasUnwritten) await this.#journal.write();
      this.#retryMs = SHORTEST_RETRY_MS;
      if (this.#journal.fenced) this.#fence.abort(new Error('a newer attempt writes this turn'));
      return true;
    } catch {
      // Redis is away, timed out or refused. The next try looks what happened. The text waits in memory.
      return false;
    }
  }

  #tryLater(): void {
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#flush();
    }, this.#retryMs);
    this.#retryMs = Math.min(LONGEST_RETRY_MS, this.#retryMs * 2);
  }

  async #finish(): Promise<number> {
    clearTimeout(this.#retry);
    this.#pulse.leave();
    this.#journal.number(true);
    await within(END_WITHIN_MS, this.#writeRest()).catch(ignoreLateness);
    this.#journal.close();
    const { numbered, fenced, hasEndedAge } = this.#journal;
    if (numbered > 0 && !fenced && !hasEndedAge)
      this.#redis.ask((commands) => commands.expire(this.#key, this.#endedAgeSeconds)).catch(() => {});
    return this.#text.waiting > 0 ? numbered + 1 : numbered;
  }

  async #writeRest(): Promise<void> {
    await this.#flushing;
    while (this.#journal.hasUnwritten) {
      if (await this.#write()) continue;
      // Away for certain: other processes' readers get the answer from PostgreSQL, and the debit does not wait for a
      // reconnect.
      if (!this.#redis.takesWrites()) return;
      await sleep(SHORTEST_RETRY_MS);
    }
  }
}
