import { errorOf } from './api-error.ts';

/**
 * The JSON that a call answered. Some calls answer CSV, too, but only whoever asks for it (`download`).
 * @throws ApiError with the server's code, sentence and figures.
 */
export async function answer<T>(
  calling: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<Exclude<T, string>> {
  const { data, error, response } = await calling;
  if (!response.ok) throw errorOf(response, error);
  return data as Exclude<T, string>;
}
