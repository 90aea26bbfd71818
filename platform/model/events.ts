import { parseJson } from './json.ts';

/** Ends a stream whose event is larger than any answer. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

/** The end of a stream in OpenAI's words. */
export const DONE = Symbol('[DONE]');

/**
 * Reads server-sent events and hands out their JSON. It is more lenient than the standard, as providers are: comments,
 * empty events and data that is no JSON are heartbeats; an event without its empty line is read at the end of the body;
 * lines of data that each are JSON are events of their own. A body that begins with `{` or `[` is no stream, but one
 * whole JSON.
 */
export class EventReader {
  readonly #most: number;
  readonly #decoder = new TextDecoder();
  /** Parts of the line that has not ended yet. */
  #line: string[] = [];
  #data: string[] = [];
  #size = 0;
  #isAfterCr = false;
  #isWhole: boolean | null = null;

  /** @param most UTF-16 units of one event, or of a whole body that is no stream. */
  constructor(most: number) {
    this.#most = most;
  }

  /** @throws TooLarge. SyntaxError for JSON that is broken: its text may be part of the answer. */
  push(bytes: Uint8Array): unknown[] {
    return this.#take(this.#decoder.decode(bytes, { stream: true }));
  }

  /** @returns what the last bytes held. */
  end(): unknown[] {
    const events = this.#take(this.#decoder.decode());
    if (this.#isWhole === true) return [readJson(this.#line.join(''))];
    this.#endLine(events);
    this.#endEvent(events);
    return events;
  }

  #take(text: string): unknown[] {
    const events: unknown[] = [];
    this.#isWhole ??= /^\s*$/.test(text) ? null : /^\s*[{[]/.test(text);
    if (this.#isWhole === true) {
      this.#keep(text);
      return events;
    }
    let at = this.#isAfterCr && text.startsWith('\n') ? 1 : 0;
    if (text !== '') this.#isAfterCr = text.endsWith('\r');
    let [lf, cr] = [text.indexOf('\n', at), text.indexOf('\r', at)];
    while (lf >= 0 || cr >= 0) {
      const isCr = cr >= 0 && (lf < 0 || cr < lf);
      const end = isCr ? cr : lf;
      this.#keep(text.slice(at, end));
      this.#endLine(events);
      at = end + (isCr && lf === end + 1 ? 2 : 1);
      if (lf >= 0 && lf < at) lf = text.indexOf('\n', at);
      if (cr >= 0 && cr < at) cr = text.indexOf('\r', at);
    }
    if (at < text.length) this.#keep(text.slice(at));
    return events;
  }

  #keep(part: string): void {
    this.#size += part.length;
    if (this.#size > this.#most) throw new TooLarge('an event is larger than any answer');
    this.#line.push(part);
  }

  #endLine(events: unknown[]): void {
    const line = this.#line.length === 1 ? (this.#line[0] ?? '') : this.#line.join('');
    this.#line = [];
    if (line === '') return this.#endEvent(events);
    // llama.cpp's server wrote errors into a field of their own.
    if (line.startsWith('error:')) events.push({ error: parseJson(line.slice(6)) ?? 'an error' });
    // Comments and the fields `event`, `id` and `retry` say nothing: an error is known by its data.
    if (!line.startsWith('data:')) this.#size -= line.length;
    else this.#data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
  }

  #endEvent(events: unknown[]): void {
    const data = this.#data;
    this.#data = [];
    this.#size = 0;
    if (data.length === 0) return;
    const one = data.length === 1 ? undefined : parseJson(data.join('\n'));
    for (const text of one === undefined ? data : []) {
      const event = readData(text);
      if (event !== undefined) events.push(event);
    }
    if (one !== undefined) events.push(one);
  }
}

/** @returns undefined for a heartbeat. */
function readData(text: string): unknown {
  const data = text.trim();
  if (data === '[DONE]') return DONE;
  return data.startsWith('{') || data.startsWith('[') ? readJson(data) : undefined;
}

function readJson(text: string): unknown {
  return JSON.parse(text);
}
