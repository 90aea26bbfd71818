import type { StreamEntry } from '../../domain/stream-events.ts';

/**
 * Entries and characters kept for a reader that is slower than its turn; past either it reads the stream again when it
 * has caught up.
 */
const MAX_ENTRIES = 128;
const MAX_CHARACTERS = 262_144;

/** What has arrived for one reader while it was busy. */
export class TurnInbox {
  #entries: StreamEntry[] = [];
  #characters = 0;
  #changed = true;
  #stale = true;
  #wake: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #due = 0;
  #closed = false;

  push(entry: StreamEntry): void {
    this.#entries.push(entry);
    if (entry.kind === 'delta') this.#characters += entry.text.length;
    if (this.#entries.length > MAX_ENTRIES || this.#characters > MAX_CHARACTERS) this.missed();
    this.wake();
  }

  /** PostgreSQL and the stream are to be read again. */
  changed(): void {
    this.#changed = true;
    this.missed();
    this.wake();
  }

  /** The stream is to be read again: it holds all that is thrown away here. */
  missed(): void {
    this.#stale = true;
    this.#entries = [];
    this.#characters = 0;
  }

  next(): StreamEntry | undefined {
    const entry = this.#entries.shift();
    if (entry?.kind === 'delta') this.#characters -= entry.text.length;
    return entry;
  }

  /** Whether `changed` was said since the last call. */
  takeChanged(): boolean {
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }

  /** Whether the stream must be read; what arrives from now on is kept again. */
  takeStale(): boolean {
    const stale = this.#stale;
    this.#stale = false;
    return stale;
  }

  wake(): void {
    this.#wake?.();
  }

  /** Until something arrives; after `ms` at the latest everything counts as changed. */
  async wait(ms: number): Promise<void> {
    if (this.#closed || this.#changed || this.#stale || this.#entries.length > 0) return;
    this.#arm(ms);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.wake();
  }

  /**
   * The timer is left running from wait to wait: a stream of 20 entries a second would otherwise set 20 timers a second
   * per reader.
   */
  #arm(ms: number): void {
    const due = Date.now() + ms;
    if (this.#timer !== undefined && this.#due <= due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.changed();
    }, ms);
  }
}
