import OpenAI from 'openai';
import type { ChatCompletionChunk, ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';
import { TURN_FAILURES, type TurnFailureCode } from '../../domain/errors.ts';
import type { Model } from '../../domain/model.ts';
import { machineWordOf, type ProviderError } from '../../domain/provider-error.ts';
import type { PromptMessage, Usage } from '../../domain/usage.ts';
import { classifyModelError, providerErrorOf } from './error.ts';
import { CUT_FINISH, FAILED_FINISH, KNOWN_FINISH, readFinish } from './finish.ts';
import { readUsage } from './usage.ts';

export interface StallLimits {
  readonly firstByteMs: number;
  readonly betweenMs: number;
}

export interface ModelRequest {
  readonly model: Model;
  readonly messages: readonly PromptMessage[];
  /** In the model's own tokens. It is passed on as the provider's limit (G2). */
  readonly outputLimit: number;
  readonly signal: AbortSignal;
  /** Replaces the client's own limits. */
  readonly stall?: StallLimits;
}

/** How a stream ended. It is complete only if a finish reason came last: an aborted stream ends in the same way. */
export interface ModelEnd {
  readonly finishReason: 'stop' | 'length' | null;
  /** Null when the provider sent none, or an impossible one. */
  readonly usage: Usage | null;
  readonly aborted: boolean;
  readonly providerRequestId: string | null;
}

/** The message holds only the provider's machine words, because its own messages may quote the prompt. */
export class ModelFailure extends Error {
  override readonly name = 'ModelFailure';
  readonly code: TurnFailureCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
  /** What the failed call used, if the provider said so. It stays on the attempt, and nobody is charged. */
  readonly usage: Usage | null;
  readonly provider: ProviderError | null;

  constructor(failure: {
    code: TurnFailureCode;
    retryable: boolean;
    retryAfterMs?: number | null;
    usage?: Usage | null;
    provider?: ProviderError | null;
  }) {
    super(failure.code);
    this.code = failure.code;
    this.retryable = failure.retryable;
    this.retryAfterMs = failure.retryAfterMs ?? null;
    this.usage = failure.usage ?? null;
    this.provider = failure.provider ?? null;
  }
}

/**
 * Usage follows the finish reason in a chunk of its own. A provider that does not send it must not delay the answer.
 */
const USAGE_WITHIN_MS = 2_000;

/**
 * After usage only the end of the stream is missing. It is read, so that the connection can be used again, but the
 * answer does not wait for it.
 */
const END_WITHIN_MS = 100;

/** One call of the model, and the timer that ends it when the provider stalls. */
export class ModelCall {
  readonly #request: Required<ModelRequest>;
  readonly #clock = new AbortController();
  readonly #signal: AbortSignal;
  #timer: NodeJS.Timeout | undefined;
  #spoken = false;
  /** The last finish reason that came. */
  #finish: string | null = null;
  /** The answer is complete, whatever happens to the connection. */
  #ended = false;
  #usage: Usage | null = null;
  #providerRequestId: string | null = null;

  constructor(request: Required<ModelRequest>, closing: AbortSignal) {
    this.#request = request;
    this.#signal = AbortSignal.any([request.signal, closing, this.#clock.signal]);
  }

  async run(client: OpenAI, onDelta: (text: string) => void): Promise<ModelEnd> {
    try {
      // An error of onDelta belongs to the caller: it ends the call and reaches the caller unchanged.
      for await (const text of this.#texts(client)) onDelta(text);
    } finally {
      clearTimeout(this.#timer);
    }
    return this.#end();
  }

  async *#texts(client: OpenAI): AsyncGenerator<string, void> {
    this.#limit(this.#silence());
    try {
      const { data: chunks, request_id: requestId } = await client.chat.completions
        .create(parametersOf(this.#request), { signal: this.#signal })
        .withResponse();
      this.#providerRequestId = requestId;
      for await (const chunk of chunks) {
        const text = this.#take(chunk);
        if (text !== '') yield text;
      }
      // The client ends an aborted stream in the same way, and then more text may have been on its way.
      this.#ended ||= this.#finish !== null && !this.#signal.aborted;
    } catch (error) {
      // A connection lost after the finish reason takes nothing from the answer.
      if (this.#signal.aborted || this.#ended) return;
      throw new ModelFailure({ ...classifyModelError(error), usage: this.#usage, provider: providerErrorOf(error) });
    }
  }

  /** @returns the chunk's text. */
  #take(chunk: ChatCompletionChunk): string {
    const choice = chunk.choices?.[0];
    const reason = readFinish(choice?.finish_reason);
    if (chunk.usage != null) this.#usage = readUsage(chunk.usage);
    const content: unknown = choice?.delta?.content;
    const text = typeof content === 'string' ? content : '';
    this.#spoken ||= text !== '';
    this.#finish = reason ?? this.#finish;
    // Text after a finish reason shows that the answer goes on.
    this.#ended = (this.#ended && text === '') || (reason !== null && KNOWN_FINISH.has(reason));
    if (!this.#ended) this.#limit(this.#silence());
    // Some providers send usage in every chunk. Only usage that comes with the finish reason or after it is final.
    else if (chunk.usage != null) this.#limit(END_WITHIN_MS);
    else if (reason !== null) this.#limit(USAGE_WITHIN_MS);
    return text;
  }

  /** How long the provider may be silent from now on. */
  #silence(): number {
    const { firstByteMs, betweenMs } = this.#request.stall;
    return this.#spoken ? betweenMs : firstByteMs;
  }

  #end(): ModelEnd {
    const usage = this.#usage;
    const providerRequestId = this.#providerRequestId;
    if (this.#ended && this.#finish !== null) {
      const code = FAILED_FINISH.get(this.#finish);
      if (code !== undefined) throw this.#failure(code);
      // We offer no tools, so any other finish reason ends the answer.
      return {
        finishReason: CUT_FINISH.has(this.#finish) ? 'length' : 'stop',
        usage,
        aborted: false,
        providerRequestId,
      };
    }
    if (this.#clock.signal.aborted && !this.#request.signal.aborted) throw this.#failure('model_timeout');
    if (this.#signal.aborted) return { finishReason: null, usage, aborted: true, providerRequestId };
    // The connection closed in the middle of the answer without an error.
    throw this.#failure('model_unavailable');
  }

  #failure(code: TurnFailureCode): ModelFailure {
    const requestId = machineWordOf(this.#providerRequestId);
    const word = machineWordOf(this.#finish);
    const provider = requestId === null && word === null ? null : { status: null, code: word, requestId };
    return new ModelFailure({ code, retryable: TURN_FAILURES[code], usage: this.#usage, provider });
  }

  #limit(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#clock.abort(), ms);
  }
}

function parametersOf({ model, messages, outputLimit }: ModelRequest): ChatCompletionCreateParamsStreaming {
  return {
    model: model.name,
    messages: messages.map(({ role, content }) => ({ role, content })),
    [model.limitField]: outputLimit,
    stream: true,
    stream_options: { include_usage: true },
  };
}
