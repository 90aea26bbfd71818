/**
 * What a provider said about a failed call. It holds only machine words, because the provider's sentences may quote the
 * prompt. Admins find the cause by it.
 */
export interface ProviderError {
  readonly status: number | null;
  /** For example `invalid_api_key` or `insufficient_quota`. */
  readonly code: string | null;
  /** The id that the provider's support asks for. */
  readonly requestId: string | null;
}

/** @returns null unless the value is one word of at most 64 characters: anything else could be a sentence. */
export function machineWordOf(value: unknown): string | null {
  return typeof value === 'string' && /^[A-Za-z0-9_.-]{1,64}$/.test(value) ? value : null;
}
