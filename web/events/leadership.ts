/**
 * Of all pages of this browser that ask for one name, one at a time does the work: by a lock that the browser gives to
 * the next page when the one that had it closes, crashes or is put to sleep. Where a page may have no locks (plain HTTP
 * on another host), each does it for itself.
 */
export class Leadership {
  readonly #name: string;
  readonly #work: (signal: AbortSignal) => Promise<void>;
  readonly #closed = new AbortController();
  #leading = new AbortController();
  #asking = new AbortController();
  #takesOver = false;
  #leads = false;
  #wake: (() => void) | null = null;

  /** @param work until the signal aborts. */
  constructor(name: string, work: (signal: AbortSignal) => Promise<void>) {
    this.#name = name;
    this.#work = work;
    const { signal } = this.#closed;
    // The page may be shown again as it was (from the cache of pages gone back from, or thawed), long after.
    addEventListener('pagehide', this.#sleep, { signal });
    addEventListener('freeze', this.#sleep, { signal, capture: true });
    for (const event of ['pageshow', 'resume']) addEventListener(event, this.#rise, { signal, capture: true });
    void this.#run();
  }

  get leads(): boolean {
    return this.#leads;
  }

  /** From a leader that does not answer: it hangs, or its browser has frozen it without a word. */
  takeOver(): void {
    if (this.#leads) return;
    this.#takesOver = true;
    this.#asking.abort();
  }

  close(): void {
    this.#closed.abort();
    this.#leading.abort();
    this.#asking.abort();
    this.#rise();
  }

  async #run(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      if (this.#wake !== null)
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      this.#asking = new AbortController();
      const options = this.#takesOver ? { steal: true } : { signal: this.#asking.signal };
      this.#takesOver = false;
      try {
        if (locks() === undefined) await this.#lead();
        else await navigator.locks.request(this.#name, options, () => this.#lead());
      } catch (error) {
        // Given up while it waited, or another page took over. Anything else would come again at once.
        if (!(error instanceof DOMException && error.name === 'AbortError')) throw error;
      } finally {
        this.#leads = false;
        this.#leading.abort();
      }
    }
  }

  async #lead(): Promise<void> {
    if (this.#closed.signal.aborted || this.#wake !== null) return;
    this.#leads = true;
    this.#leading = new AbortController();
    await this.#work(this.#leading.signal);
  }

  #sleep = (): void => {
    this.#wake ??= () => {};
    this.#leading.abort();
    this.#asking.abort();
  };

  #rise = (): void => {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  };
}

function locks(): LockManager | undefined {
  return navigator.locks as LockManager | undefined;
}
