/** Wakes one waiter when something has changed. A ring while the waiter was busy is kept, so no ring is missed. */
export class Bell {
  #rung = false;
  #closed = false;
  #wake: (() => void) | null = null;
  /** When the present wait ends. */
  #due = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires. */
  #firesAt = 0;

  /** Whether it has rung since the waiter last heard it. */
  get rung(): boolean {
    return this.#rung;
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Forgets all rings until now. */
  hear(): void {
    this.#rung = false;
  }

  /**
   * Waits until it rings, `ms` have passed, `gone` aborts or the bell is closed. Afterwards all rings count as heard.
   */
  async wait(ms: number, gone?: AbortSignal): Promise<void> {
    if (!this.#rung && !this.#closed && gone?.aborted !== true) {
      const woken = Promise.withResolvers<void>();
      const wake = () => woken.resolve();
      this.#wake = wake;
      gone?.addEventListener('abort', wake);
      this.#due = performance.now() + ms;
      this.#arm(ms);
      await woken.promise;
      this.#wake = null;
      gone?.removeEventListener('abort', wake);
    }
    this.hear();
  }

  /** Ends the present wait and all later ones, and keeps the process alive no longer. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#wake?.();
  }

  /**
   * One timer is kept from wait to wait. When it fires, it checks whether the present wait is over: otherwise a stream
   * of 20 entries a second would set 20 timers a second for each reader.
   */
  #arm(ms: number): void {
    if (this.#timer !== undefined && this.#firesAt <= this.#due) return;
    clearTimeout(this.#timer);
    this.#firesAt = performance.now() + ms;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const left = this.#due - performance.now();
      if (this.#wake === null) return;
      if (left > 0) this.#arm(left);
      else this.#wake();
    }, ms);
  }
}
