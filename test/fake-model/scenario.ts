/**
 * Where a scripted answer can be held: before anything is sent, before the n-th chunk (1, the first, is also
 * 'first-delta'), before the finish reason, before usage, before `[DONE]`.
 */
export type Point = 'request' | 'first-delta' | 'finish' | 'usage' | 'done' | number;

/** What the model does with one request. */
export interface Scenario {
  readonly chunks?: readonly string[] | { readonly count: number; readonly text: string };
  /** From chunk to chunk, and before the first; kept on average, whatever the timers do. */
  readonly delayMs?: number;
  /** Holds at its point until it is opened. */
  readonly gate?: Gate | readonly Gate[];
  /** Instead of a stream: an error of the provider's. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly error?: { readonly code?: string | number | null; readonly type?: string; readonly message?: string };
  /**
   * Destroys the connection before the n-th chunk; one more than there are: before the finish reason; two more: before
   * usage.
   */
  readonly dropAt?: number;
  /** Sends `error` as an event before the n-th chunk, as `dropAt` counts. */
  readonly errorAt?: number;
  readonly omitUsage?: boolean;
  readonly omitFinish?: boolean;
  readonly finishReason?: string;
  /**
   * The `finish_reason` of other chunks than the last, by their number; 0 is the empty one that opens the answer. Else
   * it is null there.
   */
  readonly finishReasons?: Readonly<Record<number, string>>;
  /**
   * False: a provider that overruns the limit. Else the answer ends with `length` before the chunk that would exceed
   * it.
   */
  readonly honourLimit?: boolean;
  /** Instead of the tokenizer's counts. */
  readonly usage?: Readonly<Record<string, unknown>>;
  /** `usage` comes along with every chunk, as some providers send it. */
  readonly usageAlong?: boolean;
  /** Each write to the socket has at most so many bytes: events and UTF-8 sequences arrive in pieces. */
  readonly splitBytes?: number;
}

/** Opened by the test; every request that comes to its point waits at it. */
export class Gate {
  readonly point: Point;
  /** Resolves when a request has come to the point. */
  readonly reached: Promise<void>;
  readonly opened: Promise<void>;
  #reach: () => void = () => {};
  #open: () => void = () => {};

  constructor(point: Point) {
    this.point = point === 'first-delta' ? 1 : point;
    this.reached = new Promise((resolve) => {
      this.#reach = resolve;
    });
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
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

const MARK = '#fake ';

/**
 * The end of a question that scripts its answer, for models in a process of their own: `hello #fake {"status":500}`.
 */
export function mark(scenario: Omit<Scenario, 'gate'>): string {
  return MARK + JSON.stringify(scenario);
}

export function readMark(question: string | undefined): Scenario | null {
  const at = question?.lastIndexOf(MARK) ?? -1;
  return question === undefined || at === -1 ? null : (JSON.parse(question.slice(at + MARK.length)) as Scenario);
}
