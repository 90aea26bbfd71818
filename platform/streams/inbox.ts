import type { StreamEntry } from '../../domain/stream-events.ts';
import { Bell } from '../bell.ts';

/**
 * The most entries and characters that are kept for a reader that is slower than its turn. Beyond either, the reader
 * reads the stream again when it has caught up.
 */
const MAX_ENTRIES = 128;
const MAX_CHARACTERS = 262_144;

/** The entries and messages that have arrived for one reader while it was busy. */
export class TurnInbox {
  readonly #bell = new Bell();
  #entries: StreamEntry[] = [];
  #characters = 0;
  #changed = true;
  #stale = true;
  /** From this time on, everything counts as changed. */
  #lookAt = Infinity;

  push(entry: StreamEntry): void {
    this.#entries.push(entry);
    if (entry.kind !== 'restarted') this.#characters += entry.text.length;
    if (this.#entries.length > MAX_ENTRIES || this.#characters > MAX_CHARACTERS) this.missed();
    this.#bell.ring();
  }

  /** PostgreSQL and the stream are to be read again; what has arrived stays, for the stream may be unreadable. */
  changed(): void {
    this.#changed = true;
    this.#stale = true;
    this.#bell.ring();
  }

  /** The stream has to be read again: it holds all that is thrown away here. */
  missed(): void {
    this.#stale = true;
    this.#entries = [];
    this.#characters = 0;
  }

  next(): StreamEntry | undefined {
    const entry = this.#entries.shift();
    if (entry !== undefined && entry.kind !== 'restarted') this.#characters -= entry.text.length;
    return entry;
  }

  /** Whether `changed` was called since the last call of this. */
  takeChanged(): boolean {
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }

  /** Whether the stream must be read. Entries that arrive from now on are kept again. */
  takeStale(): boolean {
    const stale = this.#stale;
    this.#stale = false;
    return stale;
  }

  /** Waits until something arrives. After `ms` at the latest everything counts as changed. */
  async wait(ms: number): Promise<void> {
    const now = performance.now();
    this.#lookAt = Math.min(this.#lookAt, now + ms);
    const left = this.#lookAt - now;
    if (left > 0 && !this.#changed && !this.#stale && this.#entries.length === 0) await this.#bell.wait(left);
    if (performance.now() < this.#lookAt) return;
    this.#lookAt = Infinity;
    this.changed();
  }

  close(): void {
    this.#bell.close();
  }
}
