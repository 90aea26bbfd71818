/**
 * The point at which a scripted answer is held: before anything is sent, before the n-th chunk (1, the first, is also
 * 'first-delta'), before the finish reason, before usage, or before `[DONE]`.
 */
export type Point = 'request' | 'first-delta' | 'finish' | 'usage' | 'done' | number;

/** One step of a raw answer. */
export type RawStep =
  /** Bytes as they are. */
  | { readonly bytes: string | Uint8Array }
  /** `data: ` and this as JSON; a string is written as it is. */
  | { readonly data: unknown }
  /** The same, as often as that, with a pause before each. */
  | { readonly data: unknown; readonly times: number; readonly everyMs?: number }
  | { readonly pauseMs: number }
  /** Holds the answer until its gate is opened. */
  | { readonly gate: Gate }
  /** The connection is lost. */
  | { readonly cut: true }
  /** Nothing more comes, and the connection stays. */
  | { readonly open: true };

/** A chunk with this text, and whatever else a provider puts beside it. */
export function piece(
  text: string | null,
  more: { readonly finish?: unknown; readonly usage?: unknown } = {},
): RawStep {
  const { finish = null, usage } = more;
  const choice = { index: 0, delta: text === null ? {} : { content: text }, finish_reason: finish };
  return { data: { id: 'x', choices: [choice], ...(usage === undefined ? {} : { usage }) } };
}

/** Usage in a chunk of its own, as OpenAI sends it. */
export function usageChunk(usage: unknown): RawStep {
  return { data: { id: 'x', choices: [], usage } };
}

export function usageOf(prompt: unknown, completion: unknown, more: object = {}): object {
  return { prompt_tokens: prompt, completion_tokens: completion, ...more };
}

export const DONE_STEP: RawStep = { data: '[DONE]' };

/** The same chunk so many times, with `{n}` in it as its number from 1 on, and one before and after them. */
export interface Repeated {
  readonly count: number;
  readonly text: string;
  readonly open?: string;
  readonly close?: string;
}

/** What the model does with one request. */
export interface Scenario {
  readonly chunks?: readonly string[] | Repeated;
  /**
   * Calls of tools after the chunks (none by default), each with its arguments in pieces. The answer then ends with
   * `tool_calls`.
   */
  readonly calls?: readonly { readonly id?: string; readonly name: string; readonly arguments: readonly string[] }[];
  /** A refusal in place of the chunks, in pieces. */
  readonly refusal?: readonly string[];
  /** `logprobs` of each chunk, where they are asked for. */
  readonly logprob?: number;
  /** The delay before each chunk; it is kept on average, whatever the timers do. */
  readonly delayMs?: number;
  /** Holds the answer at its point until the gate is opened. */
  readonly gate?: Gate | readonly Gate[];
  /** Answers with a provider's error instead of a stream. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly error?: { readonly code?: string | number | null; readonly type?: string; readonly message?: string };
  /**
   * Destroys the connection before the n-th chunk. One more than there are chunks means before the finish reason, two
   * more before usage.
   */
  readonly dropAt?: number;
  /** Sends `error` as an event before the n-th chunk, counted as for `dropAt`. */
  readonly errorAt?: number;
  readonly omitUsage?: boolean;
  readonly omitFinish?: boolean;
  readonly finishReason?: string;
  /**
   * The `finish_reason` of chunks before the last, by their number; 0 is the empty chunk that opens the answer. It is
   * null by default.
   */
  readonly finishReasons?: Readonly<Record<number, string>>;
  /**
   * False for a provider that exceeds the limit. By default the answer ends with `length` before the chunk that would
   * exceed it.
   */
  readonly honourLimit?: boolean;
  /** Replaces the tokenizer's counts. */
  readonly usage?: Readonly<Record<string, unknown>>;
  /** `usage` comes along with every chunk, as some providers send it. */
  readonly usageAlong?: boolean;
  /**
   * Replaces all of the answer but its status and headers, step by step: any bytes, any chunk, any pause, any cut. A
   * body that is neither cut nor left open ends after the last step.
   */
  readonly raw?: readonly RawStep[];
  /** The most bytes of one write to the socket, so that events and UTF-8 sequences arrive in pieces. */
  readonly splitBytes?: number;
}

/** A gate that the test opens; every request that comes to its point waits there. */
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
 * The end of a question that scripts its answer, for a fake model in a process of its own: `hello #fake
 * {"status":500}`.
 */
export function mark(scenario: Omit<Scenario, 'gate'>): string {
  return MARK + JSON.stringify(scenario);
}

export function readMark(question: string | undefined): Scenario | null {
  const at = question?.lastIndexOf(MARK) ?? -1;
  return question === undefined || at === -1 ? null : (JSON.parse(question.slice(at + MARK.length)) as Scenario);
}
