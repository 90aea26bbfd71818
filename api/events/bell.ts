/** Rung when something changed; whoever waits for it hears every ring, also one that came while it was busy. */
export class Bell {
  #rung = false;
  #wake: () => void = () => {};

  ring(): void {
    this.#rung = true;
    this.#wake();
  }

  /** Until it rings, `ms` have passed, or `gone` aborts. */
  async wait(ms: number, gone: AbortSignal): Promise<void> {
    if (!this.#rung && !gone.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          done();
        }, ms);
        const done = () => {
          clearTimeout(timer);
          gone.removeEventListener('abort', done);
          this.#wake = () => {};
          resolve();
        };
        gone.addEventListener('abort', done);
        this.#wake = done;
      });
    }
    this.#rung = false;
  }
}
