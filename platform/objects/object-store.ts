import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectsSettings } from '../config/objects-settings.ts';
import { sha256, signed } from './signature.ts';

/** Bytes by their key, in any store that speaks S3. */
export interface ObjectStore {
  /** Writes an object, or the same once more. @throws ObjectStoreAway. */
  put(key: string, object: ObjectToPut): Promise<void>;
  /** @throws ObjectStoreAway, also when there is none, or its bytes are not those that were put. */
  get(key: string, expected: ObjectFigures): Promise<Buffer>;
  /** What is not there is removed, too. @throws ObjectStoreAway. */
  remove(key: string, options?: { readonly withinMs?: number }): Promise<void>;
  /** Asks for an object that there is not, once. @throws ObjectStoreAway. */
  look(options: { readonly withinMs: number }): Promise<void>;
}

export interface ObjectFigures {
  readonly bytes: number;
  /** SHA-256 in hex. */
  readonly hash: string;
}

export interface ObjectToPut {
  readonly bytes: Buffer;
  readonly hash: string;
  readonly mediaType: string;
}

type Method = 'PUT' | 'GET' | 'DELETE';

/** S3's codes for what only other settings mend. `AccessDenied` is none: it may stand for an object that is missing. */
const WRONG_SETTINGS = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'AuthorizationHeaderMalformed',
  'NoSuchBucket',
  'PermanentRedirect',
]);

/** The store did not answer, or not as it should: `PUT 503 SlowDown`, `GET no answer`. */
export class ObjectStoreAway extends Error {
  override readonly name = 'ObjectStoreAway';
  /** It has said no, so it wrote nothing. */
  readonly isRefused: boolean;
  readonly hasWrongSettings: boolean;
  readonly isWorthAnotherTry: boolean;

  /**
   * @param status 0: it did not answer.
   * @param code S3's own, or what is wrong with the answer.
   */
  constructor(method: Method, status: number, code: string, options?: ErrorOptions) {
    super(`${method} ${status === 0 ? 'no answer' : status} ${code}`.trim(), options);
    this.isRefused = status >= 400 && status < 500;
    this.hasWrongSettings = WRONG_SETTINGS.has(code);
    this.isWorthAnotherTry = status < 300 || status === 429 || status >= 500;
  }
}

/** Is told of each try: null when it went well. */
export type OnTry = (method: Method, failure: ObjectStoreAway | null) => void;

/** All tries together: 5 MB on a slow line, and no longer than somebody waits for an upload. */
const WITHIN_MS = 15_000;
/** Stores say 503 SlowDown or 500 on any day, and ask to be asked again. */
const TRIES = 3;
const PAUSE_MS = 150;
/** What an error says of itself is short. */
const MOST_ERROR_BYTES = 16_384;
const HASH_OF_NOTHING = sha256('');

interface Ask {
  readonly body?: Buffer;
  readonly hash?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly mostBytes?: number;
  readonly withinMs?: number;
  readonly tries?: number;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export function createObjectStore(settings: ObjectsSettings, onTry: OnTry = () => {}): ObjectStore {
  /** @param judge returns what the answer is worth, or throws ObjectStoreAway. */
  async function ask<T>(method: Method, key: string, asked: Ask, judge: (answer: Answer) => T): Promise<T> {
    const deadline = performance.now() + (asked.withinMs ?? WITHIN_MS);
    for (let tried = 1; ; tried += 1) {
      try {
        const result = judge(await askOnce(settings, method, key, asked, deadline));
        onTry(method, null);
        return result;
      } catch (error) {
        if (!(error instanceof ObjectStoreAway)) throw error;
        onTry(method, error);
        const pauseMs = PAUSE_MS * 3 ** (tried - 1);
        const isLast = tried >= (asked.tries ?? TRIES) || performance.now() + pauseMs > deadline;
        if (isLast || !error.isWorthAnotherTry) throw error;
        await sleep(pauseMs);
      }
    }
  }
  return {
    put: (key, { bytes, hash, mediaType }) =>
      ask('PUT', key, { body: bytes, hash, headers: { 'content-type': mediaType } }, expecting('PUT')),
    get: (key, { bytes, hash }) =>
      ask('GET', key, { mostBytes: bytes + MOST_ERROR_BYTES }, (answer) => {
        expecting('GET')(answer);
        if (answer.body.length !== bytes || sha256(answer.body) !== hash)
          throw new ObjectStoreAway('GET', answer.status, 'with other bytes than were put');
        return answer.body;
      }),
    remove: (key, options = {}) => ask('DELETE', key, options, expecting('DELETE', 'NoSuchKey')),
    look: ({ withinMs }) => ask('GET', 'files/none', { withinMs, tries: 1 }, expecting('GET', 'NoSuchKey')),
  };
}

/** One request. It follows no redirect, so that no signature and no image goes elsewhere. */
async function askOnce(
  { endpoint, bucket, ...signer }: ObjectsSettings,
  method: Method,
  key: string,
  { body, hash = HASH_OF_NOTHING, headers = {}, mostBytes = MOST_ERROR_BYTES }: Ask,
  deadline: number,
): Promise<Answer> {
  const url = new URL(`${endpoint}/${bucket}/${key}`);
  try {
    const response = await fetch(url, {
      method,
      headers: signed({ method, url, headers, bodyHash: hash, at: Date.now() }, signer),
      redirect: 'manual',
      signal: AbortSignal.timeout(Math.max(1, Math.ceil(deadline - performance.now()))),
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    });
    return { status: response.status, body: await readUpTo(response, mostBytes) };
  } catch (cause) {
    throw new ObjectStoreAway(method, 0, '', { cause });
  }
}

/** @throws ObjectStoreAway for an answer that is neither a success nor says this code. */
function expecting(method: Method, orCode?: string): (answer: Answer) => void {
  return ({ status, body }) => {
    if (status >= 200 && status < 300) return;
    // <Error><Code>NoSuchKey</Code>…
    const code = /<Code>([A-Za-z0-9]{1,64})<\/Code>/.exec(body.toString('latin1'))?.[1] ?? '';
    if (code === '' || code !== orCode) throw new ObjectStoreAway(method, status, code);
  };
}

/** @throws when the answer is longer, or ends before it should. */
async function readUpTo(response: Response, most: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > most) throw new Error('the answer is too long');
    parts.push(part);
  }
  return Buffer.concat(parts);
}
