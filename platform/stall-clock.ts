/**
 * Ends a wait for something that gives signs of life. Each sign only moves the time when it is over: one timer is kept,
 * and when it fires it looks whether the time has come. Else a stream of 200 chunks a second would set 400 timers a
 * second.
 */
export class StallClock {
  readonly #onStall: () => void;
  #over = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #firesAt = 0;
  #late: NodeJS.Immediate | undefined;

  constructor(onStall: () => void) {
    this.#onStall = onStall;
  }

  /** From now on `ms` may pass without a sign. */
  allow(ms: number): void {
    this.#over = performance.now() + ms;
    if (this.#timer === undefined || this.#firesAt > this.#over) this.#arm(ms);
  }

  stop(): void {
    this.#over = Infinity;
    clearTimeout(this.#timer);
    clearImmediate(this.#late);
    this.#timer = undefined;
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#late);
    this.#firesAt = performance.now() + ms;
    // What has arrived while this process was busy is read first: its own lateness is no silence of the other side.
    this.#timer = setTimeout(() => {
      this.#late = setImmediate(() => {
        const left = this.#over - performance.now();
        if (left > 0) return this.#arm(left);
        this.#timer = undefined;
        this.#onStall();
      });
    }, ms);
  }
}
