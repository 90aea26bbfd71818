import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import express, { type RequestHandler } from 'express';
import { AppError } from '../../domain/errors.ts';

/** Bytes of a body, where an escape such as `\u00e9` counts as what it stands for. */
const MAX_BODY = 256 * 1024;
/** Bytes as they are sent, beside what they stand for: an emoji is 4, and 12 as the two escapes that many write. */
const SENT_AT_MOST = 3;

/** How much one body may be. */
export interface BodyLimits {
  readonly bytes: number;
  /** Bytes of images in base64 (`data:image/…`) beside them; absent: none, they count as any text. */
  readonly images?: number;
  readonly values: number;
  readonly depth: number;
}

const MOST: BodyLimits = { bytes: MAX_BODY, values: 1_000, depth: 32 };

/**
 * Bodies are JSON objects. A missing content type and curl's default are read as JSON, so that `curl -d '{…}'` works.
 * That is safe, because cross-site forms carry no bearer token. Other types are 415.
 */
export function readBody(most: BodyLimits = MOST): RequestHandler {
  const verify = plain(most);
  const limit = SENT_AT_MOST * most.bytes + (most.images ?? 0);
  const parse = express.json({ limit, strict: true, type: () => true, verify });
  return (request, response, next) => {
    if (!hasBody(request.headers)) {
      request.body = {};
      next();
      return;
    }
    const { headers } = request;
    if (!isJson(headers['content-type'])) throw new AppError('unsupported_media_type');
    // The parser knows UTF-8 by its registered name alone.
    headers['content-type'] = headers['content-type']?.replace(/(;\s*charset\s*=\s*"?)utf8\b/i, '$1utf-8');
    assertAnnounced(request, limit, most.bytes);
    parse(request, response, (error: unknown) => {
      next(error === undefined ? objectOnly(request.body) : bodyError(error, most.bytes));
    });
  };
}

/**
 * Keeps the body as bytes, for routes that check a signature over it, and for files. `bytesOf` returns it.
 * @param most how many.
 */
export function readBytes(most: number = MAX_BODY): RequestHandler {
  // The body is not unpacked, because the signature is over the bytes that were sent.
  const parse = express.raw({ limit: most, inflate: false, type: () => true });
  return (request, response, next) => {
    assertAnnounced(request, most);
    parse(request, response, (error: unknown) => next(error === undefined ? undefined : bodyError(error, most)));
  };
}

/** The parser would read all of it before it refuses, and wait for what never comes. */
function assertAnnounced({ headers }: IncomingMessage, most: number, mostBytes = most): void {
  if (Number(headers['content-length'] ?? 0) > most) throw new AppError('payload_too_large', { mostBytes });
}

/** @returns no bytes when there was no body. */
export function bytesOf({ body }: { readonly body?: unknown }): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

function hasBody(headers: NodeJS.Dict<string | string[]>): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

function isJson(contentType: string | undefined): boolean {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  return (
    type === '' ||
    type === 'application/json' ||
    type === 'application/x-www-form-urlencoded' ||
    /^application\/[\w.-]+\+json$/.test(type)
  );
}

/**
 * Korean Windows clients send CP949. Decoded as UTF-8 it would be a question of `\ufffd`, stored and charged. No call
 * has more than 20 fields, and the schemas took 0.1 s to refuse 20,000, or brackets 100,000 deep.
 */
function plain(most: BodyLimits) {
  return (_request: unknown, _response: unknown, bytes: Buffer, charset: string): void => {
    if (charset !== 'utf-8' || !isUtf8(bytes)) throw new NotPlain('not.plain', 'the body is not UTF-8');
    const { values, deepest, size, images } = measure(bytes, most.images !== undefined);
    const mostImages = most.images ?? 0;
    if (images > mostImages)
      throw new NotPlain('entity.too.large', 'the images are too large', { mostBytes: (mostImages / 4) * 3 });
    if (size > most.bytes) throw new NotPlain('entity.too.large', 'the body is too large');
    if (values > most.values || deepest > most.depth)
      throw new NotPlain('not.plain', `the body has more than ${most.values} values, or ${most.depth} levels`);
  };
}

const [QUOTE, BACKSLASH, COMMA, U] = [0x22, 0x5c, 0x2c, 0x75];
const [OPENS, CLOSES] = [new Set([0x5b, 0x7b]), new Set([0x5d, 0x7d])];
/** An escape is 6 bytes: `\u` and four digits. It counts as 2, which is half of an emoji. */
const ESCAPE = { bytes: 6, counts: 2 };

/** Looks at each byte once, before anything is made of it. */
function measure(json: Buffer, hasImages: boolean): { values: number; deepest: number; size: number; images: number } {
  let [values, depth, deepest, inText, size, images] = [1, 0, 0, false, json.length, 0];
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at] ?? 0;
    if (byte === QUOTE && !inText && hasImages) {
      const length = imageLength(json, at + 1);
      [images, size, at] = [images + length, size - length, at + length];
    }
    if (byte === QUOTE) inText = !inText;
    else if (inText && byte === BACKSLASH) {
      at += 1;
      if (json[at] === U) size -= ESCAPE.bytes - ESCAPE.counts;
    } else if (inText) continue;
    else if (byte === COMMA) values += 1;
    else if (OPENS.has(byte)) deepest = Math.max(deepest, (depth += 1));
    else if (CLOSES.has(byte)) depth -= 1;
  }
  return { values, deepest, size, images };
}

const IMAGE = Buffer.from('data:image');
const SLASH = 0x2f;

/** The bytes of a text that is an image in base64; 0 of any other. Some clients escape its slashes, nothing else. */
function imageLength(json: Buffer, begin: number): number {
  if (!json.subarray(begin, begin + IMAGE.length).equals(IMAGE)) return 0;
  const end = json.indexOf(QUOTE, begin);
  for (let at = json.indexOf(BACKSLASH, begin); at !== -1 && at < end; at = json.indexOf(BACKSLASH, at + 2))
    if (json[at + 1] !== SLASH) return 0;
  return end === -1 ? 0 : end - begin;
}

/** Carries what the parser passes on. */
class NotPlain extends Error {
  readonly type: 'not.plain' | 'entity.too.large';
  /** Where it is another figure than that of the body. */
  readonly mostBytes: number | null;

  constructor(type: NotPlain['type'], message: string, { mostBytes = null }: { mostBytes?: number | null } = {}) {
    super(message);
    this.type = type;
    this.mostBytes = mostBytes;
  }
}

function objectOnly(body: unknown): AppError | undefined {
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? undefined : new AppError('invalid_json');
}

/** Codes with which reading a body may refuse it, before its schema does. */
export const BODY_ERRORS = ['invalid_json', 'payload_too_large', 'unsupported_media_type'] as const;

const PARSER_ERRORS: Readonly<Record<string, (typeof BODY_ERRORS)[number]>> = {
  'entity.too.large': 'payload_too_large',
  'entity.parse.failed': 'invalid_json',
  'encoding.unsupported': 'unsupported_media_type',
  'charset.unsupported': 'unsupported_media_type',
};

function bodyError(error: unknown, mostBytes: number): unknown {
  if (typeof error !== 'object' || error === null) return error;
  const { type, status, mostBytes: told } = error as Readonly<Record<'type' | 'status' | 'mostBytes', unknown>>;
  if (type === 'not.plain' && error instanceof Error) return new AppError('invalid_json', { reason: error.message });
  const code = PARSER_ERRORS[String(type)];
  if (code !== undefined)
    return new AppError(
      code,
      code === 'payload_too_large' ? { mostBytes: typeof told === 'number' ? told : mostBytes } : {},
    );
  // Anything else that the parser refuses (a body cut off, a broken gzip) is the request's fault, too.
  return typeof status === 'number' && status < 500 ? new AppError('invalid_json') : error;
}
