import { errorOf } from './api-error.ts';

/** What a call answered. @throws ApiError with the code, the sentence and the figures that the server gave. */
export async function answer<T>(calling: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await calling;
  if (!response.ok) throw errorOf(response, error);
  return data as T;
}
