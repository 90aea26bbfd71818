import type { Answer } from './send.ts';
import type { Case } from './requests.ts';

/** The links of mails: people read what they answer. */
const LEADS_TO_PAGE = /^[A-Z]+ \/(unsubscribe|confirm-address)\b/;

/** Refusals of ours for a while, each with a code. Any other 5xx is a fault. */
const isKnown503 = (code: unknown) =>
  code === 'unavailable' || code === 'overloaded' || code === 'provider_unavailable';

/**
 * @param codes the closed list of the document. `slowMs`: from a request to the first byte of its answer.
 * @returns what is wrong with the answer, or null.
 */
export function judge(
  { whole, parts }: Case,
  answer: Answer,
  { codes, slowMs }: { codes: ReadonlySet<string>; slowMs: number },
): string | null {
  const { status, text, firstByteMs } = answer;
  if (status === 0) return whole ? 'no answer' : null;
  if (firstByteMs !== null && firstByteMs > slowMs) return `slow: ${Math.round(firstByteMs)} ms`;
  // Of several answers on one connection, each status counts.
  const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, digits]) => Number(digits));
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  const error = errorOf(text, body);
  for (const each of statuses)
    if (each >= 500 && !(each === 503 && isKnown503(codeOf(error) ?? 'unavailable'))) return `status ${each}`;
  if (!whole || status < 400 || body === '') return null;
  if (
    error === null &&
    status === 404 &&
    LEADS_TO_PAGE.test(String(parts[0])) &&
    /^content-type: text\/html/im.test(text)
  )
    return null;
  if (error === null) return `status ${status} with a body that is no JSON object`;
  if (isOpenaiError(error['error'])) return null;
  if (
    !codes.has(String(error['code'])) ||
    typeof error['message'] !== 'string' ||
    typeof error['requestId'] !== 'string'
  )
    return `status ${status} without the flat shape of errors`;
  return null;
}

function codeOf(error: Record<string, unknown> | null): unknown {
  const inner = error?.['error'];
  return typeof inner === 'object' && inner !== null && 'code' in inner ? inner.code : error?.['code'];
}

/** The shape of errors under `/v1`. */
function isOpenaiError(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { message, type, code } = { message: null, type: null, code: null, ...error };
  return typeof message === 'string' && typeof type === 'string' && (code === null || typeof code === 'string');
}

function errorOf(text: string, body: string): Record<string, unknown> | null {
  try {
    const json: unknown = JSON.parse(/^transfer-encoding: chunked/im.test(text) ? dechunk(body) : body);
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : null;
  } catch {
    return null;
  }
}

function dechunk(body: string): string {
  return body.replaceAll(/(^|\r\n)[0-9a-f]+\r\n/gi, '').replace(/\r\n$/, '');
}
