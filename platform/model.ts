import OpenAI from 'openai';
import type { ChatCompletionChunk, ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';
import { STALL_LIMITS } from '../domain/attempt-limits.ts';
import type { TurnFailureCode } from '../domain/errors.ts';
import type { Model } from '../domain/model.ts';
import type { PromptMessage, Usage } from '../domain/usage.ts';
import { AppConfigError } from './config-error.ts';
import { classifyModelError } from './model-error.ts';

export interface ModelRequest {
  readonly model: Model;
  readonly messages: readonly PromptMessage[];
  /** In the model's own tokens; it is passed on as the provider's limit (G2). */
  readonly outputLimit: number;
  readonly signal: AbortSignal;
  readonly stall?: { readonly firstByteMs: number; readonly betweenMs: number };
}

/** How a stream ended. Complete means that a finish reason was seen: an aborted stream ends in the same way. */
export interface ModelEnd {
  readonly finishReason: 'stop' | 'length' | null;
  /** Null when the provider sent none, or nonsense. */
  readonly usage: Usage | null;
  readonly aborted: boolean;
  readonly providerRequestId: string | null;
}

/** Any OpenAI-compatible provider of streamed chat completions. It retries nothing: Temporal owns retries (G30). */
export interface ModelClient {
  /** Calls `onDelta` with each piece of text. Resolves also when `signal` aborts. @throws ModelFailure. */
  stream(request: ModelRequest, onDelta: (text: string) => void): Promise<ModelEnd>;
  close(): Promise<void>;
}

/** Says nothing that the provider said: its messages may quote the prompt. */
export class ModelFailure extends Error {
  override readonly name = 'ModelFailure';
  readonly code: TurnFailureCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
  /** What the failed call used, when the provider said so: it stays on the attempt, nobody is charged. */
  readonly usage: Usage | null;

  constructor(failure: { code: TurnFailureCode; retryable: boolean; retryAfterMs?: number | null; usage?: Usage | null }) {
    super(failure.code);
    this.code = failure.code;
    this.retryable = failure.retryable;
    this.retryAfterMs = failure.retryAfterMs ?? null;
    this.usage = failure.usage ?? null;
  }
}

/** Usage follows the finish reason in a chunk of its own; a provider that does not send it must not hold up the answer. */
const USAGE_WITHIN_MS = 2_000;
/** Above every attempt's own limit (30 minutes): the stall limits below are the ones that count. */
const LONGEST_CALL_MS = 35 * 60_000;

/** @throws AppConfigError without a key, unless the provider is one of your own. */
export function createModelClient({ apiKey, baseUrl }: { apiKey: string | undefined; baseUrl: string | undefined }): ModelClient {
  if (apiKey === undefined && baseUrl === undefined) throw new AppConfigError('OPENAI_API_KEY: must be set (or OPENAI_BASE_URL for a provider that needs none).');
  const client = new OpenAI({
    apiKey: apiKey ?? 'none', baseURL: baseUrl ?? 'https://api.openai.com/v1', organization: null, project: null,
    maxRetries: 0, timeout: LONGEST_CALL_MS, logLevel: 'off',
  });
  const closing = new AbortController();
  return {
    stream: (request, onDelta) => new ModelCall(request, closing.signal).run(client, onDelta),
    async close() {
      closing.abort();
    },
  };
}

/** One call, and the clock that ends it when the provider stalls. */
class ModelCall {
  readonly #request: ModelRequest;
  readonly #clock = new AbortController();
  readonly #signal: AbortSignal;
  #timer: NodeJS.Timeout | undefined;
  #finish: string | null = null;
  #usage: Usage | null = null;
  #providerRequestId: string | null = null;

  constructor(request: ModelRequest, closing: AbortSignal) {
    this.#request = request;
    this.#signal = AbortSignal.any([request.signal, closing, this.#clock.signal]);
  }

  async run(client: OpenAI, onDelta: (text: string) => void): Promise<ModelEnd> {
    const { firstByteMs, betweenMs } = this.#request.stall ?? STALL_LIMITS;
    this.#limit(firstByteMs);
    try {
      const { data: chunks, request_id: requestId } = await client.chat.completions.create(parametersOf(this.#request), { signal: this.#signal }).withResponse();
      this.#providerRequestId = requestId;
      for await (const chunk of chunks) {
        const text = this.#take(chunk);
        if (text !== '') onDelta(text);
        if (this.#finish !== null && this.#usage !== null) break;
        this.#limit(this.#finish === null ? betweenMs : USAGE_WITHIN_MS);
      }
    } catch (error) {
      if (!this.#signal.aborted) throw new ModelFailure({ ...classifyModelError(error), usage: this.#usage });
    } finally {
      clearTimeout(this.#timer);
    }
    return this.#end();
  }

  /** @returns its text. */
  #take(chunk: ChatCompletionChunk): string {
    if (chunk.usage != null) this.#usage = usageOf(chunk.usage);
    const choice = chunk.choices?.[0];
    if (choice?.finish_reason != null) this.#finish = choice.finish_reason;
    return choice?.delta?.content ?? '';
  }

  #end(): ModelEnd {
    const usage = this.#usage;
    if (this.#finish === 'content_filter') throw new ModelFailure({ code: 'content_filtered', retryable: false, usage });
    if (this.#finish !== null) {
      // We offer no tools, so whatever else a provider calls its end is an end.
      return { finishReason: this.#finish === 'length' ? 'length' : 'stop', usage, aborted: false, providerRequestId: this.#providerRequestId };
    }
    if (this.#clock.signal.aborted && !this.#request.signal.aborted) throw new ModelFailure({ code: 'model_timeout', retryable: true, usage });
    if (this.#signal.aborted) return { finishReason: null, usage, aborted: true, providerRequestId: this.#providerRequestId };
    // The connection closed in mid-answer as if all were well.
    throw new ModelFailure({ code: 'model_unavailable', retryable: true, usage });
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

/** Cached tokens lie inside prompt tokens, reasoning inside completion tokens. Null for what cannot be true (G14). */
function usageOf(usage: NonNullable<ChatCompletionChunk['usage']>): Usage | null {
  const promptTokens = usage.prompt_tokens;
  const completionTokens = usage.completion_tokens;
  if (!isCount(promptTokens) || !isCount(completionTokens) || promptTokens + completionTokens === 0) return null;
  return {
    promptTokens,
    completionTokens,
    cachedTokens: within(usage.prompt_tokens_details?.cached_tokens, promptTokens),
    reasoningTokens: within(usage.completion_tokens_details?.reasoning_tokens, completionTokens),
  };
}

/** More than any model's context: a larger figure is a mistake, and debits are capped below 10^12. */
const MOST_TOKENS = 100_000_000;

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MOST_TOKENS;
}

function within(value: number | null | undefined, whole: number): number {
  return isCount(value) ? Math.min(value, whole) : 0;
}
