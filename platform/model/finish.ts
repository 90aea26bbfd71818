import type { TurnFailureCode } from '../../domain/errors.ts';

/** Reasons that are no end of an answer. */
export const FAILED_FINISH: ReadonlyMap<string, TurnFailureCode> = new Map([
  ['content_filter', 'content_filtered'],
  ['error', 'model_unavailable'],
  ['insufficient_system_resource', 'model_unavailable'],
]);

export const CUT_FINISH: ReadonlySet<string> = new Set(['length', 'max_tokens']);

/**
 * Words that end an answer by themselves. Another one (some say `eos`) does so only once the whole stream has been
 * read.
 */
export const KNOWN_FINISH: ReadonlySet<string> = new Set([
  'stop',
  'tool_calls',
  'function_call',
  ...CUT_FINISH,
  ...FAILED_FINISH.keys(),
]);

/** Some providers write an empty word, or `null` as a word, into every chunk that is not the last. */
export function readFinish(reason: unknown): string | null {
  return typeof reason === 'string' && reason !== '' && reason !== 'null' ? reason : null;
}
