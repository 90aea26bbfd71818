import type { ApiPrompt } from '../../domain/api-prompt.ts';
import type { Choice } from '../../domain/choice.ts';
import type { TurnFailureCode } from '../../domain/errors.ts';
import type { Model } from '../../domain/model.ts';
import type { ProviderError } from '../../domain/provider-error.ts';
import type { PromptMessage, ReportedUsage, UsageFigures } from '../../domain/usage.ts';

export interface StallLimits {
  readonly firstByteMs: number;
  readonly betweenMs: number;
}

/**
 * What the model is asked: a conversation of ours, or what a caller brings who writes all of the prompt. That is passed
 * on as it came, and its answer comes with refusal, calls and logprobs apart.
 */
export type Ask = { readonly messages: readonly PromptMessage[]; readonly parameters?: undefined } | ApiPrompt;

export type ModelRequest = Ask & ModelRequestLimits;

interface ModelRequestLimits {
  readonly model: Model;
  /** In the model's own tokens. It is passed on as the provider's limit (G2). */
  readonly outputLimit: number;
  /** The most tokens of our own count, thoughts too, that are read of a provider that does not keep to its limit. */
  readonly mostOutput?: number;
  readonly signal: AbortSignal;
  /** Replaces the client's own limits. */
  readonly stall?: StallLimits;
}

/** What a call brought beside its text, however it ended. */
export interface Seen {
  /** Null when the provider said nothing of it. */
  readonly usage: ReportedUsage | null;
  /** The same as it came. */
  readonly figures: UsageFigures | null;
  /** The answer, as far as it came. */
  readonly choice: Choice;
  /** Our count of the model's thoughts, which no reader sees. */
  readonly thoughtTokens: number;
  readonly providerRequestId: string | null;
}

/** How a stream ended. It is complete only if a finish reason came last: an aborted stream ends in the same way. */
export interface ModelEnd extends Seen {
  readonly finishReason: 'stop' | 'length' | null;
  /** The provider's finish word. */
  readonly finishWord: string | null;
  /** Nobody knows the word, or none came and the usage showed that the answer was whole. */
  readonly isFinishUnknown: boolean;
  /** It was cut at `mostOutput`, so that usage that came before is not of all that came. */
  readonly isCut: boolean;
  /** It called a tool, so that it may have no text. A conversation of ours offers none. */
  readonly isCall: boolean;
  readonly aborted: boolean;
}

/** Of a call that brought no answer. */
export const UNFINISHED = {
  finishReason: null,
  finishWord: null,
  isFinishUnknown: false,
  isCut: false,
  isCall: false,
  aborted: false,
} as const satisfies Omit<ModelEnd, keyof Seen>;

/** The message holds only the provider's machine words, because its own messages may quote the prompt. */
export class ModelFailure extends Error {
  override readonly name = 'ModelFailure';
  readonly code: TurnFailureCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
  readonly provider: ProviderError | null;
  /** What the call used stays on the attempt, and nobody is charged. */
  readonly seen: Seen;

  constructor(
    failure: {
      code: TurnFailureCode;
      retryable: boolean;
      retryAfterMs?: number | null;
      provider?: ProviderError | null;
    },
    seen: Seen,
  ) {
    super(failure.code);
    this.code = failure.code;
    this.retryable = failure.retryable;
    this.retryAfterMs = failure.retryAfterMs ?? null;
    this.provider = failure.provider ?? null;
    this.seen = seen;
  }
}
