/**
 * Lets one page of this browser do the work that all pages ask for under one name. The browser gives a lock to the next
 * page when the one that holds it closes, crashes or sleeps. Where a page may have no locks (plain HTTP on another
 * host), each page does the work itself.
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

  /** @param work runs until its signal aborts. */
  constructor(name: string, work: (signal: AbortSignal) => Promise<void>) {
    this.#name = name;
    this.#work = work;
    const { signal } = this.#closed;
    // The browser may show the page again much later, from its back/forward cache or after freezing it.
    addEventListener('pagehide', this.#sleep, { signal });
    addEventListener('freeze', this.#sleep, { signal, capture: true });
    for (const event of ['pageshow', 'resume']) addEventListener(event, this.#rise, { signal, capture: true });
    void this.#run();
  }

  get leads(): boolean {
    return this.#leads;
  }

  /**
   * Takes the work from a leader that does not answer, because it hangs or its browser has frozen it without an event.
   */
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
        // AbortError: we gave up waiting, or another page took over. Any other error would repeat at once, so it is
        // thrown.
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
