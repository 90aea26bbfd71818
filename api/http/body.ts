import { isUtf8 } from 'node:buffer';
import express, { type RequestHandler } from 'express';
import { AppError } from '../../domain/errors.ts';

const MAX_BODY = 256 * 1024;

/**
 * Bodies are JSON objects. A missing content type and curl's default are read as JSON, so that `curl -d '{…}'` works.
 * That is safe, because cross-site forms carry no bearer token. Other types are 415.
 */
export function readBody(): RequestHandler {
  const parse = express.json({ limit: MAX_BODY, strict: true, type: () => true, verify: utf8Only });
  return (request, response, next) => {
    if (!hasBody(request.headers)) {
      request.body = {};
      next();
      return;
    }
    if (!isJson(request.headers['content-type'])) throw new AppError('unsupported_media_type');
    parse(request, response, (error: unknown) => {
      next(error === undefined ? objectOnly(request.body) : bodyError(error));
    });
  };
}

/** Keeps the body as bytes, for routes that check a signature over it. `bytesOf` returns it. */
export function readBytes(): RequestHandler {
  // The body is not unpacked, because the signature is over the bytes that were sent.
  const parse = express.raw({ limit: MAX_BODY, inflate: false, type: () => true });
  return (request, response, next) => {
    parse(request, response, (error: unknown) => next(error === undefined ? undefined : bodyError(error)));
  };
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

/** Korean Windows clients send CP949. Decoded as UTF-8 it would be a question of `\ufffd`, stored and charged. */
function utf8Only(_request: unknown, _response: unknown, bytes: Buffer, charset: string): void {
  if (charset !== 'utf-8' || !isUtf8(bytes)) throw new NotUtf8();
}

/** Carries `type`, the one field that the parser passes on. */
class NotUtf8 extends Error {
  readonly type = 'not.utf-8';
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

function bodyError(error: unknown): unknown {
  if (typeof error !== 'object' || error === null) return error;
  const { type, status } = error as { readonly type?: unknown; readonly status?: unknown };
  if (type === 'not.utf-8') return new AppError('invalid_json', { reason: 'the body is not UTF-8' });
  const code = PARSER_ERRORS[String(type)];
  if (code !== undefined) return new AppError(code);
  // Anything else that the parser refuses (a body cut off, a broken gzip) is the request's fault, too.
  return typeof status === 'number' && status < 500 ? new AppError('invalid_json') : error;
}
