import type { ReportedUsage, UsageFigures } from '../../domain/usage.ts';
import { isRecord } from './json.ts';

/** More than any model's context. A larger figure is a mistake, and debits are capped below 10^12. */
const MOST_TOKENS = 100_000_000;

export interface ReadUsage {
  readonly usage: ReportedUsage;
  readonly figures: UsageFigures;
}

/**
 * Reads a provider's usage where it stands. Pure. Cached tokens lie inside prompt tokens, and reasoning inside
 * completion tokens: a part that is larger than its whole is cut to it, an impossible part is 0. What the total says
 * beyond both was used too (xAI and Gemini leave thoughts out of the completion).
 * @returns null for what says nothing.
 */
export function readUsage(usage: unknown): ReadUsage | null {
  if (!isRecord(usage)) return null;
  const figures = figuresOf(usage);
  if (Object.keys(figures).length === 0) return null;
  const [inPrompt, inCompletion] = [detailsOf(usage, 'prompt', 'input'), detailsOf(usage, 'completion', 'output')];
  const hit = count(usage['prompt_cache_hit_tokens']);
  const cached = count(inPrompt['cached_tokens']) ?? count(usage['cached_tokens']) ?? hit ?? 0;
  // DeepSeek's halves of a prompt.
  const miss = count(usage['prompt_cache_miss_tokens']);
  const promptTokens =
    count(usage['prompt_tokens'] ?? usage['input_tokens']) ?? (hit === null || miss === null ? null : hit + miss);
  const completion = count(usage['completion_tokens'] ?? usage['output_tokens']);
  const beyond = Math.max(0, (count(usage['total_tokens']) ?? 0) - (promptTokens ?? 0) - (completion ?? 0));
  // Without a prompt the rest of the total may be the prompt.
  const completionTokens = completion === null || !hasSense(promptTokens) ? completion : completion + beyond;
  const reasoning = count(inCompletion['reasoning_tokens']) ?? count(usage['reasoning_tokens']) ?? 0;
  return {
    usage: {
      promptTokens,
      cachedTokens: Math.min(cached, promptTokens ?? 0),
      completionTokens,
      reasoningTokens: Math.min(reasoning, completionTokens ?? 0),
    },
    figures,
  };
}

/** Usage that comes again replaces what came before, half by half, where it says more than nothing. */
export function mergeUsage(before: ReadUsage | null, next: ReadUsage): ReadUsage {
  if (before === null) return next;
  const [prompt, completion] = [
    hasSense(next.usage.promptTokens) ? next.usage : before.usage,
    hasSense(next.usage.completionTokens) ? next.usage : before.usage,
  ];
  return {
    usage: {
      promptTokens: prompt.promptTokens,
      cachedTokens: prompt.cachedTokens,
      completionTokens: completion.completionTokens,
      reasoningTokens: completion.reasoningTokens,
    },
    figures: next.figures,
  };
}

function hasSense(tokens: number | null): boolean {
  return tokens !== null && tokens > 0;
}

const COUNTS = [
  'prompt_tokens',
  'completion_tokens',
  'total_tokens',
  'input_tokens',
  'output_tokens',
  'prompt_cache_hit_tokens',
  'prompt_cache_miss_tokens',
] as const;

/** The figures as they came; only numbers, because another value could be anything. */
function figuresOf(usage: Readonly<Record<string, unknown>>): UsageFigures {
  const figures: Record<string, number | string> = {};
  for (const name of COUNTS) {
    const value = usage[name];
    if (typeof value === 'number' || (typeof value === 'string' && /^[-+.\deE]{1,32}$/.test(value)))
      figures[name] = value;
  }
  return figures;
}

function detailsOf(usage: Readonly<Record<string, unknown>>, ...halves: readonly string[]) {
  for (const half of halves) {
    const details = usage[`${half}_tokens_details`];
    if (isRecord(details)) return details;
  }
  return {};
}

/** Some gateways write counts as text. */
function count(value: unknown): number | null {
  const tokens = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof tokens === 'number' && Number.isSafeInteger(tokens) && tokens >= 0 && tokens <= MOST_TOKENS
    ? tokens
    : null;
}
