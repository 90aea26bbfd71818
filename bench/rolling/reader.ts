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
  /** Streams of the OpenAI door that ended without their whole answer, by what ended them. No client resumes those. */
  readonly cut = new Map<string, number>();
  /** The longest time in which a stream gave nothing, in milliseconds. */
  longestSilenceMs = 0;
  readonly lost: string[] = [];

  refuse(status: number, code: string): void {
    const name = status === 0 ? 'no answer' : `${status} ${code}`;
    this.refused.set(name, (this.refused.get(name) ?? 0) + 1);
  }
}

const LOST_AFTER_MS = 120_000;

export interface Asks {
  readonly url: string;
  readonly token: string;
  readonly seen: Seen;
  readonly answered: Answered;
}

/** One person who asks, reads to the end, and asks again. */
export abstract class Reader {
  protected readonly asks: Asks;
  #lastEventAt = 0;

  constructor(asks: Asks) {
    this.asks = asks;
  }

  /** Asks once and reads to the end. */
  protected abstract one(asked: {
    readonly turnId: string;
    readonly message: string;
    readonly wanted: string;
  }): Promise<void>;

  async readUntil(isOver: () => boolean): Promise<void> {
    const { seen, answered } = this.asks;
    const { pieces, everyMs } = answered;
    // They do not all begin, and end, in the same moment.
    await sleep(Math.random() * pieces * everyMs);
    while (!isOver()) {
      const turnId = randomUUID();
      const word = ` ${turnId.slice(0, 8)}`;
      const message = `rolling ${mark({ chunks: { count: pieces, text: word }, delayMs: everyMs })}`;
      seen.streams += 1;
      this.#lastEventAt = 0;
      await this.one({ turnId, message, wanted: word.repeat(pieces) });
    }
  }

  protected heard(): void {
    const now = performance.now();
    const { seen } = this.asks;
    if (this.#lastEventAt > 0) seen.longestSilenceMs = Math.max(seen.longestSilenceMs, now - this.#lastEventAt);
    this.#lastEventAt = now;
  }

  /** @returns the stream, or null when there is none: the refusal is noted, and its time waited for. */
  protected async request(path: string, init: RequestInit): Promise<Response | null> {
    const { url, token, seen } = this.asks;
    const response = await fetch(`${url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', ...init.headers },
      signal: AbortSignal.timeout(LOST_AFTER_MS),
    }).catch(() => null);
    if (response === null) {
      seen.refuse(0, '');
      return null;
    }
    if (response.headers.get('content-type')?.startsWith('text/event-stream') === true) return response;
    const text = await response.text().catch(() => '');
    seen.refuse(response.status, codeOf(text) ?? 'not ours');
    await sleep(Number(response.headers.get('retry-after') ?? 1) * 1_000);
    return null;
  }

  protected async read({ body }: Response, feed: (piece: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const bytes of body ?? []) feed(decoder.decode(bytes, { stream: true }));
    } catch {
      // It is cut: whoever reads it says what follows.
    }
  }
}

/** As a client does that keeps its place in a stream, and resumes it elsewhere. */
export class ChatReader extends Reader {
  protected async one({ turnId, message, wanted }: { turnId: string; message: string; wanted: string }): Promise<void> {
    const { seen, answered } = this.asks;
    const body = JSON.stringify({ turnId, message, maxOutputTokens: answered.pieces * 20 });
    let [text, lastId, ended] = ['', '', null as string | null];
    const parser = createParser({
      onEvent: ({ id, event, data }) => {
        this.heard();
        if (id !== undefined) lastId = id;
        const said = JSON.parse(data) as Record<string, unknown>;
        if (event === 'delta') text += String(said['text']);
        if (event === 'restarted') {
          text = '';
          count(seen.restarted, String(said['reason']));
        }
        if (event === 'completed' || event === 'stopped' || event === 'failed') ended = event;
      },
    });
    const began = Date.now();
    for (let tries = 0; ended === null && Date.now() - began < LOST_AFTER_MS; tries += 1) {
      if (tries > 0) {
        parser.reset();
        await sleep(100 + Math.random() * 200);
      }
      const response =
        lastId === ''
          ? await this.request('/api/chat/send', { method: 'POST', headers: JSON_BODY, body })
          : await this.request(`/api/chat/turns/${turnId}/events`, { headers: { 'last-event-id': lastId } });
      if (response === null) continue;
      await this.read(response, (piece) => parser.feed(piece));
      if (ended === null) seen.resumed += 1;
    }
    if (ended === 'completed' && text === wanted) seen.completed += 1;
    else seen.lost.push(`turn ${turnId} ended ${ended ?? 'never'} with ${text.length} of ${wanted.length} characters`);
  }
}

const JSON_BODY = { 'content-type': 'application/json' };

/** A client of the OpenAI door: it tries again what did not begin, and what was cut is over for it. */
export class DoorReader extends Reader {
  protected async one({ turnId, message, wanted }: { turnId: string; message: string; wanted: string }): Promise<void> {
    const { seen, answered } = this.asks;
    const messages = [{ role: 'user', content: message }];
    const body = JSON.stringify({ model: MODEL, stream: true, max_tokens: answered.pieces * 20, messages });
    let [text, ended] = ['', null as string | null];
    const parser = createParser({
      onEvent: ({ data }) => {
        this.heard();
        if (data === '[DONE]') ended = 'completed';
        else {
          const said = JSON.parse(data) as { choices?: { delta: { content?: string } }[] };
          text += said.choices?.[0]?.delta.content ?? '';
          ended ??= codeOf(data);
        }
      },
    });
    let hasBegun = false;
    const began = Date.now();
    for (let tries = 0; !hasBegun && Date.now() - began < LOST_AFTER_MS; tries += 1) {
      if (tries > 0) await sleep(100 + Math.random() * 200);
      const headers = { ...JSON_BODY, 'x-stainless-retry-count': String(tries) };
      const response = await this.request('/v1/chat/completions', { method: 'POST', headers, body });
      if (response === null) continue;
      hasBegun = true;
      await this.read(response, (piece) => parser.feed(piece));
    }
    if (ended === 'completed' && text === wanted) seen.completed += 1;
    else if (hasBegun && ended !== 'completed') count(seen.cut, ended ?? 'no word');
    else
      seen.lost.push(`${turnId} at the door: ${ended ?? 'never begun'}, ${text.length} of ${wanted.length} characters`);
  }
}

const MODEL = 'gpt-4.1-mini';

function count(map: Map<string, number>, name: string): void {
  map.set(name, (map.get(name) ?? 0) + 1);
}

/** The code of a refusal in either door's shape. */
function codeOf(text: string): string | null {
  try {
    const { code, error } = JSON.parse(text) as { code?: unknown; error?: { code?: unknown } };
    const known = code ?? error?.code;
    return typeof known === 'string' ? known : null;
  } catch {
    return null;
  }
}
