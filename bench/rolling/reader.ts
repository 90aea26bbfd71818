import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { mark } from '../../test/fake-model/scenario.ts';

/** How each stream is answered: `pieces` pieces, `everyMs` apart. */
export interface Answered {
  readonly pieces: number;
  readonly everyMs: number;
}

/** What all readers saw. */
export class Seen {
  streams = 0;
  completed = 0;
  /** Connections that ended before the answer did, and were followed elsewhere. */
  resumed = 0;
  /** `restarted` by its reason. */
  readonly restarted = new Map<string, number>();
  /** Refusals by status and code; 0: the connection broke or was refused. */
  readonly refused = new Map<string, number>();
  /** The longest time in which a stream gave nothing, in milliseconds. */
  longestSilenceMs = 0;
  readonly lost: string[] = [];

  refuse(status: number, code: string): void {
    const name = status === 0 ? 'no answer' : `${status} ${code}`;
    this.refused.set(name, (this.refused.get(name) ?? 0) + 1);
  }
}

const LOST_AFTER_MS = 120_000;

/** One person who asks, reads to the end, and asks again, as a client does that keeps its place in a stream. */
export class Reader {
  readonly #url: string;
  readonly #token: string;
  readonly #seen: Seen;
  readonly #answered: Answered;
  #lastEventAt = 0;

  constructor({ url, token, seen, answered }: { url: string; token: string; seen: Seen; answered: Answered }) {
    this.#url = url;
    this.#token = token;
    this.#seen = seen;
    this.#answered = answered;
  }

  async readUntil(isOver: () => boolean): Promise<void> {
    // They do not all begin, and end, in the same moment.
    await sleep(Math.random() * this.#answered.pieces * this.#answered.everyMs);
    while (!isOver()) await this.#one();
  }

  async #one(): Promise<void> {
    const turnId = randomUUID();
    const word = ` ${turnId.slice(0, 8)}`;
    const { pieces, everyMs } = this.#answered;
    const message = `rolling ${mark({ chunks: { count: pieces, text: word }, delayMs: everyMs })}`;
    const body = JSON.stringify({ turnId, message, maxOutputTokens: pieces * 20 });
    let [text, lastId, ended] = ['', '', null as string | null];
    const parser = createParser({
      onEvent: ({ id, event, data }) => {
        this.#heard();
        if (id !== undefined) lastId = id;
        const said = JSON.parse(data) as Record<string, unknown>;
        if (event === 'delta') text += String(said['text']);
        if (event === 'restarted') {
          text = '';
          count(this.#seen.restarted, String(said['reason']));
        }
        if (event === 'completed' || event === 'stopped' || event === 'failed') ended = event;
      },
    });
    this.#seen.streams += 1;
    this.#lastEventAt = 0;
    const began = Date.now();
    for (let tries = 0; ended === null && Date.now() - began < LOST_AFTER_MS; tries += 1) {
      if (tries > 0) {
        parser.reset();
        await sleep(100 + Math.random() * 200);
      }
      const ask = lastId === '' ? { method: 'POST', path: '/api/chat/send', body } : null;
      const response = await this.#request(
        ask ?? { method: 'GET', path: `/api/chat/turns/${turnId}/events`, lastId },
      ).catch(() => null);
      if (response === null) this.#seen.refuse(0, '');
      else if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true)
        await this.#refused(response);
      else {
        await this.#read(response, (piece) => parser.feed(piece));
        if (ended === null) this.#seen.resumed += 1;
      }
    }
    this.#judge(turnId, { text, wanted: word.repeat(pieces), ended });
  }

  #judge(turnId: string, { text, wanted, ended }: { text: string; wanted: string; ended: string | null }): void {
    if (ended === 'completed' && text === wanted) this.#seen.completed += 1;
    else
      this.#seen.lost.push(
        `turn ${turnId} ended ${ended ?? 'never'} with ${text.length} of ${wanted.length} characters`,
      );
  }

  async #refused(response: Response): Promise<void> {
    const text = await response.text().catch(() => '');
    const said = parsed(text);
    this.#seen.refuse(response.status, typeof said['code'] === 'string' ? said['code'] : 'not ours');
    await sleep(Number(response.headers.get('retry-after') ?? 1) * 1_000);
  }

  async #read({ body }: Response, feed: (piece: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const bytes of body ?? []) feed(decoder.decode(bytes, { stream: true }));
    } catch {
      // It is cut: the reader comes back with its place.
    }
  }

  #heard(): void {
    const now = performance.now();
    if (this.#lastEventAt > 0)
      this.#seen.longestSilenceMs = Math.max(this.#seen.longestSilenceMs, now - this.#lastEventAt);
    this.#lastEventAt = now;
  }

  #request(ask: { method: string; path: string; body?: string; lastId?: string }): Promise<Response> {
    return fetch(`${this.#url}${ask.path}`, {
      method: ask.method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        accept: 'text/event-stream',
        ...(ask.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(ask.lastId === undefined ? {} : { 'last-event-id': ask.lastId }),
      },
      ...(ask.body === undefined ? {} : { body: ask.body }),
      signal: AbortSignal.timeout(LOST_AFTER_MS),
    });
  }
}

function count(map: Map<string, number>, name: string): void {
  map.set(name, (map.get(name) ?? 0) + 1);
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
