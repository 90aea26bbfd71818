import type { Model } from './model.ts';
import type { ReportedUsage, Usage } from './usage.ts';

/** Below so many tokens of ours another tokenizer may honestly count anything. */
const LEAST_COMPARED = 64;

export interface UsageInput {
  /** Null when the provider said nothing. */
  readonly reported: ReportedUsage | null;
  /** Our own count: of the prompt, and of all that came, thoughts too. */
  readonly counted: Usage;
  readonly model: Pick<Model, 'contextWindow' | 'usageFloor'>;
  /** The limit that the model was given. */
  readonly outputLimit: number;
}

/**
 * Whose figure counts (policy 10). A provider's half stands if it can be true and covers what came; else that half is
 * our count, and the usage is estimated.
 */
export function decideUsage({ reported, counted, model, outputLimit }: UsageInput): {
  usage: Usage;
  estimated: boolean;
} {
  const prompt = reported !== null && isPrompt(reported.promptTokens, model) ? reported.promptTokens : null;
  const completion =
    reported !== null && isCompletion(reported.completionTokens, { counted, model, outputLimit })
      ? reported.completionTokens
      : null;
  return {
    usage: {
      promptTokens: prompt ?? counted.promptTokens,
      cachedTokens: prompt === null ? 0 : Math.min(reported?.cachedTokens ?? 0, prompt),
      completionTokens: completion ?? counted.completionTokens,
      reasoningTokens: completion === null ? counted.reasoningTokens : (reported?.reasoningTokens ?? 0),
    },
    estimated: prompt === null || completion === null,
  };
}

/** Cached tokens may be left out of it, so any prompt stands that fits the model. No prompt is empty. */
function isPrompt(tokens: number | null, { contextWindow }: UsageInput['model']): tokens is number {
  return tokens !== null && tokens >= 1 && tokens <= contextWindow;
}

function isCompletion(
  tokens: number | null,
  { counted, model, outputLimit }: Omit<UsageInput, 'reported'>,
): tokens is number {
  const ours = counted.completionTokens;
  if (tokens === null || (tokens === 0 && ours > 0)) return false;
  if (tokens > 2 * outputLimit && tokens > 2 * ours) return false;
  return ours < LEAST_COMPARED || tokens >= model.usageFloor * ours;
}

/**
 * Whether usage shows that a stream without a finish reason was whole: it covers all the text that came, however short.
 */
export function coversText(
  { completionTokens }: ReportedUsage,
  textTokens: number,
  { usageFloor }: Pick<Model, 'usageFloor'>,
): boolean {
  return completionTokens !== null && textTokens > 0 && completionTokens >= Math.max(1, usageFloor * textTokens);
}

/**
 * What a call used that brought no answer, as far as the provider said so: it stays on the attempt, and nobody pays it.
 */
export function unpaidUsage(reported: ReportedUsage | null): Usage | null {
  if (reported === null) return null;
  const { promptTokens, completionTokens } = reported;
  if ((promptTokens ?? 0) + (completionTokens ?? 0) === 0) return null;
  return { ...reported, promptTokens: promptTokens ?? 0, completionTokens: completionTokens ?? 0 };
}
