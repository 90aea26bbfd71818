/** Rung when something changed; whoever waits for it hears every ring, also one that came while it was busy. */
export class Bell {
  #rung = false;
  #closed = false;
  #wake: (() => void) | null = null;
  /** When the present wait is over. */
  #due = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires. */
  #firesAt = 0;

  /** Whether it has rung since it was heard last. */
  get rung(): boolean {
    return this.#rung;
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Forgets what rang until now. */
  hear(): void {
    this.#rung = false;
  }

  /** Until it rings, `ms` have passed, `gone` aborts or the bell is closed; then all is heard. */
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

  /** Nobody is kept waiting any more, nor the process alive. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#wake?.();
  }

  /**
   * A timer is left running from wait to wait and looks, when it fires, whether the present wait is over: a stream of
   * 20 entries a second would otherwise set 20 timers a second per reader.
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
