import { ApiError } from '../api/api-error.ts';
import { currentLocale } from '../i18n/language.ts';
import { takeEarly } from './early.ts';
import { expire, freshToken, renewedToken } from './session.ts';

/**
 * Every call of the page: the person's token and language go with it. A token that is no longer taken is renewed once,
 * if it can be, and else ends the session. What was asked before the app was there is not asked again.
 */
export async function authorizedFetch(input: Request | string, init: RequestInit = {}): Promise<Response> {
  const request = new Request(input, init);
  request.headers.set('Accept-Language', currentLocale());
  const token = await freshToken().catch(offline);
  // A body can be read once.
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
