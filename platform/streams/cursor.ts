import { ACCEPTED_ID, compareEventIds, type EventId, type StreamEntry } from '../../domain/stream-events.ts';

/**
 * What to do with an entry. `skip`: the reader has it, or it has nothing new for this reader. `hole`: an earlier entry
 * is missing.
 */
export type Step = 'emit' | 'skip' | 'hole';

/**
 * The place of one reader in a turn. It alone decides "no gap and no repeat" (G26), whatever way and in whatever order
 * entries arrive.
 */
export class TurnCursor {
  #at: EventId;
  #blank: boolean;
  #lost = false;
  #floor = 0;

  /** @param blank the reader is known to have no text, because it has read nothing or was told to drop its text. */
  constructor(at: EventId = ACCEPTED_ID, blank = true) {
    this.#at = at;
    this.#blank = blank;
  }

  /** The last entry that the reader has. */
  get at(): EventId {
    return this.#at;
  }

  get blank(): boolean {
    return this.#blank;
  }

  /** The reader lacks text that only a `restarted`, or the whole answer, can bring. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Where to read on in the stream: after what the reader has, and after what PostgreSQL knows to be superseded. */
  get next(): EventId {
    return this.#at.attempt < this.#floor
      ? { attempt: this.#floor, entry: 0 }
      : { attempt: this.#at.attempt, entry: this.#at.entry + 1 };
  }

  /** Entries of attempts before `attempt` are superseded. */
  raiseFloor(attempt: number): void {
    this.#floor = Math.max(this.#floor, attempt);
  }

  /** Decides, and moves: an entry to emit counts as received. */
  step(entry: StreamEntry): Step {
    if (compareEventIds(entry.id, this.#at) <= 0 || entry.id.attempt < this.#floor) return 'skip';
    if (entry.kind === 'restarted') {
      const news = !this.#blank || entry.id.attempt !== this.#at.attempt;
      this.#at = entry.id;
      this.#blank = true;
      this.#lost = false;
      return news ? 'emit' : 'skip';
    }
    if (!this.#follows(entry.id)) return this.#lost && entry.id.attempt === this.#at.attempt ? 'skip' : 'hole';
    this.#at = entry.id;
    this.#blank = false;
    return 'emit';
  }

  /** The reader drops its text and reads `attempt` from its start. */
  restart(attempt: number): void {
    this.#at = { attempt, entry: 0 };
    this.#blank = true;
    this.#lost = false;
  }

  /** The reader has received everything up to here in one piece. */
  advance(at: EventId): void {
    this.#at = at;
    this.#blank = false;
    this.#lost = false;
  }

  /** The reader drops its text, and the stream cannot give it again. */
  lose(attempt: number): void {
    this.restart(attempt);
    this.#lost = true;
  }

  #follows(id: EventId): boolean {
    if (this.#lost) return false;
    if (id.attempt === this.#at.attempt) return id.entry === this.#at.entry + 1;
    // Only a first attempt begins with text and not with an entry `restarted`.
    return this.#at.attempt === 0 && id.attempt === 1 && id.entry === 1;
  }
}
