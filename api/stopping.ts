import type { Response } from 'express';

/** How the server stops: what can be taken up elsewhere ends at once, what cannot may come whole within a time. */
export class Stopping {
  readonly #begun = new AbortController();
  readonly #over = new AbortController();
  readonly #lasting = new Set<Response>();

  /** Aborts when the server begins to stop. */
  get begun(): AbortSignal {
    return this.#begun.signal;
  }

  /** Aborts when the time is over in which answers may still come whole. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Open answers that nobody can take up elsewhere. */
  get lasting(): number {
    return this.#lasting.size;
  }

  /** @returns `over`, for an answer that nobody can take up elsewhere. */
  last(response: Response): AbortSignal {
    if (!response.closed) {
      this.#lasting.add(response);
      response.once('close', () => this.#lasting.delete(response));
    }
    return this.over;
  }

  begin(): void {
    this.#begun.abort();
  }

  end(): void {
    this.#over.abort();
  }
}
