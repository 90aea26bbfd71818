import type { ErrorCode } from '../../domain/errors.ts';

/** `offline`: no answer came at all. */
export type ProblemCode = ErrorCode | 'offline';

/** An error of the API, as the page throws it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ProblemCode;
  readonly status: number;
  /** Fields that some codes add: `remainingTokens`, `resetsAt`, `turnId`, … */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ProblemCode, status: number, details: Readonly<Record<string, unknown>>, options?: ErrorOptions) {
    super(typeof details['message'] === 'string' ? details['message'] : code, options);
    this.code = code;
    this.status = status;
    this.details = details;
  }

  /** How many seconds the server asks us to wait, if it does. */
  get retryAfter(): number | null {
    const seconds = Number(this.details['retryAfter']);
    return Number.isFinite(seconds) && seconds > 0 ? seconds : null;
  }
}

export function errorOf(response: Response, body: unknown): ApiError {
  const details = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const code =
    typeof details['code'] === 'string'
      ? (details['code'] as ErrorCode)
      : response.status === 401
        ? 'unauthorized'
        : 'internal';
  return new ApiError(code, response.status, {
    ...details,
    retryAfter: response.headers.get('retry-after') ?? undefined,
  });
}

/**
 * The response itself.
 * @throws ApiError when the server refuses.
 */
export async function accepted(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw errorOf(response, await response.json().catch(() => null));
}
