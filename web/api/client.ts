import createClient from 'openapi-fetch';
import { currentLocale } from '../i18n/language.ts';
import { currentSession, expire } from '../session/session.ts';
import { ApiError, errorOf } from './api-error.ts';
import type { paths } from './schema.d.ts';

/** Every call of the page: the person's key and language go with it, and a key that is no longer taken ends the session. */
export async function authorizedFetch(input: Request | string, init: RequestInit = {}): Promise<Response> {
  const request = new Request(input, init);
  const session = currentSession();
  request.headers.set('Accept-Language', currentLocale());
  if (session.state === 'in') request.headers.set('Authorization', `Bearer ${session.token}`);
  const response = await fetch(request).catch((cause: unknown) => {
    throw request.signal.aborted ? cause : new ApiError('offline', 0, {}, { cause });
  });
  if (response.status === 401 && session.state === 'in') expire(session.token);
  return response;
}

export const api = createClient<paths>({ baseUrl: location.origin, fetch: authorizedFetch });

/** What a call answered. @throws ApiError with the code, the sentence and the figures that the server gave. */
export async function answer<T>(calling: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await calling;
  if (!response.ok) throw errorOf(response, error);
  return data as T;
}
