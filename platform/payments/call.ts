import { parseJson } from '../model/json.ts';
import { ProviderUnavailable } from './provider.ts';

/** A provider's answer is figures and words; nothing of it is larger. */
const MOST_BYTES = 2 * 1024 * 1024;
const ANSWER_WITHIN_MS = 10_000;

/**
 * One request to a provider. It follows no redirect, so that no key goes elsewhere.
 * @param options.withinMs for the whole answer; 10 s unless told.
 * @returns the status and the parsed body; undefined for a body that is no JSON.
 * @throws ProviderUnavailable when nothing says what happened: no answer, or one of a server that is ill (5xx).
 */
export async function answerOf(
  url: string,
  { withinMs = ANSWER_WITHIN_MS, ...init }: RequestInit & { readonly withinMs?: number },
): Promise<{ readonly status: number; readonly body: unknown }> {
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(withinMs) });
    return { status: response.status, body: parseJson(await readText(response)) };
  } catch (cause) {
    throw new ProviderUnavailable('the provider did not answer', { cause });
  }
}

/** @throws when it is longer than any answer of a provider. */
export async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > MOST_BYTES) throw new Error('the answer is too long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
