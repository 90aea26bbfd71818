import type { TurnFailureCode } from '../../domain/errors.ts';

/** Finish reasons with which an answer fails. */
export const FAILED_FINISH: ReadonlyMap<string, TurnFailureCode> = new Map([
  ['content_filter', 'content_filtered'],
  ['error', 'model_unavailable'],
  ['insufficient_system_resource', 'model_unavailable'],
]);

export const CUT_FINISH: ReadonlySet<string> = new Set(['length', 'max_tokens']);

/**
 * Finish reasons that end an answer by themselves. Any other (some providers say `eos`) ends it only once the whole
 * stream has been read.
 */
export const KNOWN_FINISH: ReadonlySet<string> = new Set([
  'stop',
  'tool_calls',
  'function_call',
  ...CUT_FINISH,
  ...FAILED_FINISH.keys(),
]);

/**
 * @returns null for no reason. Some providers write an empty word, or the word `null`, into every chunk but the last.
 */
export function readFinish(reason: unknown): string | null {
  return typeof reason === 'string' && reason !== '' && reason !== 'null' ? reason : null;
}
