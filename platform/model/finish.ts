import type { TurnFailureCode } from '../../domain/errors.ts';

/**
 * What a finish word means: the answer is whole, it is cut at its limit, it is a call of a tool, or it fails with a
 * code.
 */
export type Finish = 'stop' | 'length' | 'calls' | Extract<TurnFailureCode, 'content_filtered' | 'model_unavailable'>;

/**
 * The words of OpenAI and of other providers (docs/providers.md), in lower case with `_` between their parts. The table
 * is closed: any other word is unknown.
 */
const WORDS = {
  stop: ['stop', 'end', 'eos', 'eos_token', 'end_turn', 'stop_sequence', 'stop_token', 'complete', 'completed', 'done'],
  length: [
    'length',
    'max_tokens',
    'max_output_tokens',
    'max_completion_tokens',
    'max_new_tokens',
    'max_length',
    'model_length',
    'token_limit',
    'model_context_window_exceeded',
    'context_length_exceeded',
  ],
  calls: ['tool_calls', 'tool_call', 'tool_use', 'function_call'],
  content_filtered: [
    'content_filter',
    'content_filtered',
    'sensitive',
    'safety',
    'image_safety',
    'prohibited_content',
    'blocklist',
    'blocked',
    'spii',
    'recitation',
    'refusal',
    'moderation',
    'guardrail',
    'guardrails',
    'guardrail_intervened',
    'error_toxic',
  ],
  model_unavailable: [
    'error',
    'network_error',
    'server_error',
    'internal_error',
    'timeout',
    'abort',
    'aborted',
    'cancelled',
    'canceled',
    'error_limit',
    'insufficient_system_resource',
    'malformed_function_call',
  ],
} as const satisfies Record<Finish, readonly string[]>;

const FINISHES: ReadonlyMap<string, Finish> = new Map(
  (Object.keys(WORDS) as Finish[]).flatMap((finish) => WORDS[finish].map((word) => [word, finish] as const)),
);

/** @returns null for a word that nobody knows. */
export function finishOf(word: string): Finish | null {
  return FINISHES.get(word.toLowerCase().replaceAll(/[\s-]+/g, '_')) ?? null;
}

/**
 * @returns null for no reason. Some providers write an empty word, or the word `null`, into every chunk but the last.
 */
export function readFinish(reason: unknown): string | null {
  if (typeof reason !== 'string') return null;
  const word = reason.trim();
  return word === '' || word.toLowerCase() === 'null' || word.toLowerCase() === 'none' ? null : word;
}
