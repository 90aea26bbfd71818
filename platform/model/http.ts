import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { restMs, schedule } from '../pulse.ts';
import { readFault } from './fault.ts';
import { parseJson } from './json.ts';

/** How long a provider's address may take to answer at all; what it says afterwards has the call's own limits. */
const CONNECT_WITHIN_MS = 10_000;

/** How long a connection without a call is kept for the next. Most servers close it after 5 s. */
const IDLE_MS = 4_000;

/** One that rests takes no more than a piece from the kernel. While it is read, nothing waits in it anyway. */
const CONNECTION = { readableHighWaterMark: 1 };

/** How long to read the rest of a body that nobody needs: after `[DONE]` only the body's end is left. */
const DRAIN_WITHIN_MS = 1_000;

/** Of an error's body. Providers' are below 10 KB, a proxy's page may be anything. */
const MOST_ERROR_BYTES = 65_536;

const DECODERS: ReadonlyMap<string | undefined, () => NodeJS.ReadWriteStream & Readable> = new Map([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['deflate', () => createInflate()],
  ['br', () => createBrotliDecompress()],
]);

/**
 * HTTP for model calls. Node's `fetch` gives up after 300 s without a header or a byte, follows a redirect with the
 * prompt to any origin, and reads an error's body whole. This has no limit of its own beyond the connection, follows
 * nothing, and hands out bodies as they come, so that their reader decides how much is enough.
 */
export interface ModelHttp {
  /** For the client's `fetch`. An error's body is read and put as `{error}` in the words of `readFault`. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** The body of a response that is ok, decompressed. */
  bodyOf(response: Response): Body;
  close(): void;
}

export interface Body {
  /**
   * Hands out the bytes as they come, until `onPart` returns false or the body ends. While many answers stream, a
   * connection is read once a beat. @throws what `onPart` throws, or why the body ends too soon.
   */
  read(onPart: (part: Buffer) => boolean): Promise<void>;
  /** Closes the connection. */
  cut(): void;
  /** Reads the body's end, so that the connection serves the next call: closed each time, every call has a TLS
   * handshake. */
  leave(): void;
}

export function createModelHttp(): ModelHttp {
  const agents = {
    http: new HttpAgent({ ...CONNECTION, keepAlive: true, timeout: IDLE_MS }),
    https: new HttpsAgent({ ...CONNECTION, keepAlive: true, timeout: IDLE_MS }),
  };
  const bodies = new WeakMap<Response, Body>();
  return {
    async fetch(input, init = {}) {
      const message = await send(new URL(input instanceof Request ? input.url : input), init, agents);
      const status = message.statusCode ?? 502;
      const headers = headersOf(message);
      if (status < 200 || status > 299) return new Response(await readError(message), { status, headers });
      const response = new Response(null, { status: 200, headers });
      bodies.set(response, openBody(message));
      return response;
    },
    bodyOf(response) {
      const body = bodies.get(response);
      if (body === undefined) throw new Error('a response without a body');
      return body;
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function send(
  url: URL,
  { method = 'GET', headers, body, signal }: RequestInit,
  agents: { http: HttpAgent; https: HttpsAgent },
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const options = {
    method,
    headers: { ...Object.fromEntries(new Headers(headers)), 'accept-encoding': 'identity' },
  };
  const request =
    url.protocol === 'https:'
      ? requestHttps(url, { ...options, agent: agents.https }, resolve)
      : requestHttp(url, { ...options, agent: agents.http }, resolve);
  request.on('error', reject);
  // Not as an option of the request: its connection would belong to the signal, and outlives the call. The error is not
  // given to the connection either: a response that ends at this moment leaves it without a listener, and an error that
  // nobody hears ends the process.
  const abort = () => {
    reject(new DOMException('the call was aborted', 'AbortError'));
    request.destroy();
  };
  signal?.addEventListener('abort', abort);
  request.once('close', () => signal?.removeEventListener('abort', abort));
  if (signal?.aborted === true) abort();
  request.once('socket', (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => request.destroy(new Error('the connection timed out')), CONNECT_WITHIN_MS);
    for (const event of ['connect', 'close'] as const) socket.once(event, () => clearTimeout(timer));
  });
  request.end(typeof body === 'string' ? body : undefined);
  return promise;
}

function headersOf({ headersDistinct }: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(headersDistinct)) {
    // The client reads what carries a retry or an id; a body that was decoded has another length.
    for (const value of values) if (!name.startsWith('content-')) headers.append(name, value);
  }
  return headers;
}

function openBody(message: IncomingMessage): Body {
  const decoder = DECODERS.get(message.headers['content-encoding'])?.();
  const source: Readable = decoder ?? message;
  if (decoder !== undefined) {
    message.on('error', (error) => decoder.destroy(error));
    message.pipe(decoder);
  }
  // The reader of the bytes hears of an error. One that comes later loses only the connection.
  source.on('error', () => {});
  const cut = () => {
    source.destroy();
    message.destroy();
  };
  const pace = new Pace(message);
  return {
    read(onPart) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const take = (part: Buffer) => {
        try {
          if (onPart(part)) return pace.rest();
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
        source.off('data', take);
      };
      source.once('end', resolve);
      source.once('error', reject);
      source.once('close', () => reject(new Error('the connection was lost in mid-body')));
      // Nothing has been read of a source that was lost before.
      if (source.destroyed) reject(new Error('the connection was lost before its body'));
      source.on('data', take);
      return promise;
    },
    cut,
    leave() {
      pace.end();
      const timer = setTimeout(cut, DRAIN_WITHIN_MS).unref();
      message.once('close', () => clearTimeout(timer));
      source.resume();
    },
  };
}

/**
 * Reads a connection once a beat while many answers stream: what a provider sends meanwhile waits in the kernel and
 * comes in one piece. 400 streams of 50 chunks a second are 4,000 reads a second then, not 20,000.
 */
class Pace {
  readonly #socket: Socket;
  #isResting = false;
  #hasEnded = false;

  constructor(message: IncomingMessage) {
    this.#socket = message.socket;
    message.once('end', this.end);
    message.once('close', this.end);
  }

  /** The connection is not read until the next beat. */
  rest(): void {
    const ms = restMs();
    if (ms === null || this.#isResting || this.#hasEnded) return;
    this.#isResting = true;
    schedule(this.#wake, performance.now() + ms);
    // After Node has asked the connection for more, as it does once it has handed out a piece.
    queueMicrotask(() => {
      if (this.#isResting) this.#socket.pause();
    });
  }

  /** The connection may serve another call from here on. */
  readonly end = (): void => {
    this.#hasEnded = true;
    this.#wake();
  };

  readonly #wake = (): void => {
    if (this.#isResting) this.#socket.resume();
    this.#isResting = false;
  };
}

async function readError(message: IncomingMessage): Promise<string> {
  const { read, cut } = openBody(message);
  const parts: Buffer[] = [];
  let size = 0;
  try {
    await read((part) => {
      parts.push(part);
      size += part.length;
      return size <= MOST_ERROR_BYTES;
    });
  } catch {
    // The status says enough.
  }
  if (!message.complete) cut();
  return JSON.stringify({ error: readFault(parseJson(Buffer.concat(parts).toString())) ?? {} });
}
