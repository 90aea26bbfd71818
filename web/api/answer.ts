import { errorOf } from './api-error.ts';

/**
 * The body that a call answered.
 * @throws ApiError with the server's code, sentence and figures.
 */
export async function answer<T>(calling: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await calling;
  if (!response.ok) throw errorOf(response, error);
  return data as T;
}
