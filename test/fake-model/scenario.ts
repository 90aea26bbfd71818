/** Where a scripted answer can be held: before anything is sent, before the n-th chunk (1 is the first), before the finish reason, before usage. */
export type Point = 'request' | 'finish' | 'usage' | number;

/** What the model does with one request. */
export interface Scenario {
  readonly chunks?: readonly string[];
  readonly delayMs?: number;
  /** Holds at this point until the gate opens. */
  readonly gate?: Gate;
  /** Instead of a stream: an error of the provider's. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly error?: { readonly code?: string | null; readonly type?: string; readonly message?: string };
  /** Destroys the connection before the n-th chunk. */
  readonly dropAt?: number;
  /** Sends an error event before the n-th chunk. */
  readonly errorAt?: number;
  readonly omitUsage?: boolean;
  readonly omitFinish?: boolean;
  readonly finishReason?: string;
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } & Record<string, unknown>;
}

/** Opened by the test; the model waits at it. */
export class Gate {
  readonly point: Point;
  /** Resolves when a request has come to the point. */
  readonly reached: Promise<void>;
  readonly opened: Promise<void>;
  #reach: () => void = () => {};
  #open: () => void = () => {};

  constructor(point: Point) {
    this.point = point;
    this.reached = new Promise((resolve) => { this.#reach = resolve; });
    this.opened = new Promise((resolve) => { this.#open = resolve; });
  }

  open(): void {
    this.#open();
  }

  async pass(point: Point): Promise<void> {
    if (point !== this.point) return;
    this.#reach();
    await this.opened;
  }
}
