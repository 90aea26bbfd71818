/**
 * What a provider said of a failed call, in machine words only: its sentences may quote the prompt. Admins find the
 * cause by it.
 */
export interface ProviderError {
  readonly status: number | null;
  /** Such as `invalid_api_key` or `insufficient_quota`. */
  readonly code: string | null;
  /** What the provider's support asks for. */
  readonly requestId: string | null;
}

/** One word, 64 characters at most; anything else could be a sentence. */
export function wordOf(value: unknown): string | null {
  return typeof value === 'string' && /^[A-Za-z0-9_.-]{1,64}$/.test(value) ? value : null;
}
