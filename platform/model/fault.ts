import { isRecord } from './json.ts';

/** What a provider says of a failure, in the fields of OpenAI's errors. */
export interface Fault {
  readonly code: string | number | null;
  readonly type: string | null;
  /** The word below it, where a provider has one (Azure's filter). */
  readonly inner: string | null;
  /** The parameter that it does not know, if it is `stream_options`. The provider's sentences go no further. */
  readonly param: 'stream_options' | null;
}

/**
 * Reads an error in the shapes that providers send, as an error's body, as one event of a stream or as the whole of a
 * 200. Pure.
 *
 * - `{"error": {"code", "type"}}`: OpenAI and most others; Gemini has it in a list, and its word is `status`
 * - `{"type": "error", "error": {"type"}}`: Anthropic
 * - `{"object": "error", "code": 400, "type"}`: vLLM and its relatives
 * - `{"error": "a sentence", "error_type"}`: Hugging Face, some proxies
 * - `{"detail"}`, `{"message"}` without choices: servers made with FastAPI, gateways
 *
 * @returns null for what is no error. `"error": null` beside an answer is none.
 */
export function readFault(value: unknown): Fault | null {
  if (Array.isArray(value)) return value.length === 0 ? null : readFault(value[0]);
  if (!isRecord(value)) return null;
  const { error } = value;
  if (isRecord(error)) return faultOf(error, value);
  if (typeof error === 'string' && error !== '') return faultOf({ ...value, message: error }, value);
  if (value['object'] === 'error' || value['type'] === 'error') return faultOf(value, value);
  const saysWhat = value['detail'] != null || value['message'] != null || value['errors'] != null;
  return saysWhat && !('choices' in value) ? faultOf(value, value) : null;
}

function faultOf(error: Readonly<Record<string, unknown>>, whole: unknown): Fault {
  const inner = error['innererror'] ?? error['inner_error'];
  const type = error['type'] === 'error' ? null : (error['type'] ?? error['status'] ?? error['error_type']);
  return {
    code: wordOrNumber(error['code']),
    type: word(type),
    inner: isRecord(inner) ? word(inner['code']) : null,
    // Most providers tell the parameter only in a sentence.
    param: /stream_options|include_usage/.test(JSON.stringify(whole)) ? 'stream_options' : null,
  };
}

function word(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function wordOrNumber(value: unknown): string | number | null {
  return typeof value === 'number' ? value : word(value);
}
