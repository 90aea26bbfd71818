import { ApiError } from '../api/api-error.ts';
import { currentLocale } from '../i18n/language.ts';
import { takeEarly } from './early.ts';
import { expire, freshToken, renewedToken } from './session.ts';

/**
 * Makes every call of the page, with the person's token and language. A token that is refused is renewed once if
 * possible, else the session ends. An answer that early.ts asked for is not asked for again.
 */
export async function authorizedFetch(input: Request | string, init: RequestInit = {}): Promise<Response> {
  const request = new Request(input, init);
  request.headers.set('Accept-Language', currentLocale());
  const token = await freshToken().catch(offline);
  // A second sending needs a copy, because a body can be read only once.
  const again = request.clone();
  const response = (await takeEarly(request, token)) ?? (await send(request, token));
  if (response.status !== 401 || token === null) return response;
  const other = await renewedToken().catch(offline);
  const second = other === null || other === token ? response : await send(again, other);
  if (second.status === 401) expire(other ?? token);
  return second;
}

function send(request: Request, token: string | null): Promise<Response> {
  if (token !== null) request.headers.set('Authorization', `Bearer ${token}`);
  return fetch(request).catch((cause: unknown) => {
    throw request.signal.aborted ? cause : new ApiError('offline', 0, {}, { cause });
  });
}

function offline(cause: unknown): never {
  throw new ApiError('offline', 0, {}, { cause });
}
