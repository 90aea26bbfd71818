import { setTimeout as sleep } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';

const ANSWER_WITHIN_MS = 90_000;
/** How long a person waits where nobody answers before they do something else. */
const AWAY_MS = 1_000;

/** An answer of the API; status 0: none came, or its connection broke. */
export interface Answer {
  readonly status: number;
  // The checks look at the fields that they need; what is told is compared with the database.
  readonly body: Readonly<Record<string, unknown>>;
  /** Whether a stream has said that the turn is accepted, whatever came then. */
  readonly isTaken?: boolean;
}

/** Where one person's requests go: any of the API's processes. */
export class Door {
  readonly #pickUrl: () => string;
  readonly #token: string;

  constructor(token: string, pickUrl: () => string) {
    this.#token = token;
    this.#pickUrl = pickUrl;
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    try {
      const response = await this.#request(method, path, body, headers);
      const text = await response.text();
      return { status: response.status, body: text === '' ? {} : asObject(JSON.parse(text)) };
    } catch {
      await sleep(AWAY_MS);
      return { status: 0, body: {} };
    }
  }

  /**
   * Reads a stream to its ending, and comes back to it where its connection breaks.
   * @returns the ending's turn as its body, with status 200; or the refusal that came instead of a stream.
   * @throws when the pieces of text are not the answer that the ending says.
   */
  async stream(
    path: string,
    { turnId, body, headers = {} }: { turnId: string; body?: unknown; headers?: Readonly<Record<string, string>> },
  ): Promise<Answer> {
    let [text, lastId, ending, isTaken] = ['', '', null as Answer | null, false];
    const parser = createParser({
      onEvent({ id, event, data }) {
        if (id !== undefined) lastId = id;
        const said = asObject(JSON.parse(data));
        isTaken ||= event === 'accepted';
        if (event === 'delta') text += String(said['text']);
        if (event === 'restarted') text = '';
        if (event === 'completed' || event === 'stopped' || event === 'failed')
          ending = { status: 200, body: asObject(said['turn']), isTaken };
      },
    });
    for (let tries = 0; tries < 8; tries += 1) {
      try {
        const response =
          tries === 0 || lastId === ''
            ? await this.#request('POST', path, body, { ...headers, accept: 'text/event-stream' })
            : await this.#request('GET', `/api/chat/turns/${turnId}/events`, undefined, { 'last-event-id': lastId });
        if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) {
          const answer = await response.text();
          if (response.status !== 503 || lastId === '')
            return { status: response.status, body: asObject(JSON.parse(answer)), isTaken };
        } else {
          const decoder = new TextDecoder();
          for await (const bytes of response.body ?? []) parser.feed(decoder.decode(bytes, { stream: true }));
        }
      } catch {
        if (lastId === '') {
          await sleep(AWAY_MS);
          return { status: 0, body: {} };
        }
      }
      if (ending !== null) break;
      parser.reset();
      await sleep(AWAY_MS);
    }
    if (ending === null) return { status: 0, body: {}, isTaken };
    const { body: turn } = ending as Answer;
    if (turn['state'] === 'completed' && turn['content'] !== text)
      throw new Error(
        `a stream gives the answer that its ending says: turn ${turnId} streamed ${text.length} characters and ended with ${String(turn['content']).length}`,
      );
    return ending;
  }

  #request(method: string, path: string, body: unknown, headers: Readonly<Record<string, string>>): Promise<Response> {
    return fetch(`${this.#pickUrl()}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
