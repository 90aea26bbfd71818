import type { IncomingMessage } from 'node:http';
import type { RequestHandler, Response } from 'express';
import { v7 as uuidv7 } from 'uuid';
import type { Principal } from '../../db/people/users.ts';
import { AppError } from '../../domain/errors.ts';
import { ANSWER_HEADERS } from '../../platform/http-server.ts';
import type { ApiDeps, Caller, Visitor } from '../context.ts';
import type { Stopping } from '../stopping.ts';
import { assertMay, createAuthenticate, type Authenticate, type SignedIn } from './auth.ts';
import { localeOf } from './errors.ts';
import { createKeyWatch, type KeyWatch } from '../events/key-watch.ts';
import { createStreamLimit } from '../events/stream-limit.ts';
import { createPlaces, createRequestLimits, type RequestRoom } from './limits.ts';
import type { Door } from './mount.ts';
import type { Access } from './route.ts';

/** Each read takes a connection to PostgreSQL: a page of the web app begins with six. */
const READS_AT_ONCE = { most: 4, waiting: 100 };
/**
 * Answers that are long in coming: streams, and sends that wait. It is twice what a fair share lets one account have at
 * work; a turn that runs can be joined any number of times, and each takes one of the process's connections.
 */
const READERS_AT_ONCE = 500;
/** Each upload may have 5 MB in memory. */
const UPLOADS_AT_ONCE = { most: 2, waiting: 16, inAll: 32 };

export function createDoor(
  deps: Pick<ApiDeps, 'database' | 'issuer' | 'redis' | 'config' | 'log'>,
  stopping: Stopping,
): Door {
  const signedIn = signIn(createAuthenticate(deps));
  const keys = createKeyWatch(deps, stopping.over);
  const limits = createRequestLimits(deps.redis, deps.config.limits);
  const places = createPlaces(READS_AT_ONCE);
  const uploads = createPlaces(UPLOADS_AT_ONCE);
  const readers = createStreamLimit(Math.max(READERS_AT_ONCE, deps.config.limits.maxTurnsInFlight));
  const guards = {
    public: [],
    webhook: [],
    user: [signedIn],
    admin: [signedIn, adminsOnly],
  } as const satisfies Record<Access, readonly RequestHandler[]>;
  return {
    guard: (access) => guards[access],
    place: async (_request, response, next) => {
      const leave = await places.enter(principalOf(response).accountId);
      response.once('close', leave);
      // Its reader has left while it waited.
      if (response.closed) leave();
      else next();
    },
    reader: (_request, response, next) => {
      const leave = readers.enter(principalOf(response).accountId);
      response.once('close', leave);
      if (response.closed) leave();
      else next();
    },
    upload: async (_request, response, next) => {
      const leave = await uploads.enter(principalOf(response).accountId);
      response.once('close', leave);
      if (response.closed) leave();
      else next();
    },
    allow: (need) => (_request, response, next) => {
      assertMay(signedInOf(response), need);
      next();
    },
    count: (limit) => async (_request, response, next) => {
      const { principal, key } = signedInOf(response);
      (response.locals as Locals).requestRoom = await limits.consume(limit, principal.accountId, key);
      next();
    },
    visitorOf: (response) => visitorOf(response, stopping.begun),
    callerOf: (response, { lasts }) => callerOf(response, { stopping, lasts, keys }),
  };
}

interface Locals {
  requestId: string;
  signedIn?: SignedIn;
  requestRoom?: RequestRoom;
}

/** What is left of the limit that counted this request; null when none did. */
export function requestRoomOf(response: Response): RequestRoom | null {
  return (response.locals as Locals).requestRoom ?? null;
}

/** What every answer carries, even one that no route matches: its id, and what a browser may do with it. */
export const beginAnswer: RequestHandler = (request, response, next) => {
  const locals = response.locals as Locals;
  locals.requestId = uuidv7();
  response.set({
    'X-Request-Id': locals.requestId,
    ...ANSWER_HEADERS,
    ...(cameByTls(request) ? { 'Strict-Transport-Security': 'max-age=31536000' } : {}),
  });
  const hosts = countHosts(request);
  if (hosts > 1 || (hosts === 0 && request.httpVersion === '1.1'))
    throw new AppError('invalid_request', { field: 'Host', reason: hosts > 1 ? 'came more than once' : 'is missing' });
  next();
};

/** Node keeps the first; a proxy before us may have looked at the last (RFC 9112, 3.2). */
function countHosts({ rawHeaders }: IncomingMessage): number {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (/^host$/i.test(rawHeaders[i] ?? '')) hosts += 1;
  return hosts;
}

/**
 * Whether the proxy in front says that the person came by TLS. Nobody gains by saying it falsely: a browser heeds the
 * header only of an answer that came by TLS.
 */
function cameByTls({ headers }: IncomingMessage): boolean {
  const [nearest = ''] = String(headers['x-forwarded-proto'] ?? '').split(',');
  return nearest.trim().toLowerCase() === 'https' || /(^|[;,]\s*)proto="?https\b/i.test(headers.forwarded ?? '');
}

function signIn(authenticate: Authenticate): RequestHandler {
  return async (request, response, next) => {
    (response.locals as Locals).signedIn = await authenticate(request);
    next();
  };
}

const adminsOnly: RequestHandler = (_request, response, next) => {
  if (principalOf(response).role !== 'admin') throw new AppError('forbidden');
  next();
};

/** @param stops aborts when the server lets the answer come no longer. */
function visitorOf(response: Response, stops: AbortSignal): Visitor {
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  return {
    locale: localeOf(response),
    request: response.req,
    response,
    closed: closed.signal,
    gone: AbortSignal.any([closed.signal, stops]),
  };
}

/** How long a stream that came with a key may go on after it, to say its last word. */
const LAST_WORD_WITHIN_MS = 1_000;

function callerOf(
  response: Response,
  { stopping, lasts, keys }: { readonly stopping: Stopping; readonly lasts: boolean; readonly keys: KeyWatch },
): Caller {
  const { principal, key } = signedInOf(response);
  const visitor = visitorOf(response, lasts ? stopping.last(response) : stopping.begun);
  const { over } = stopping;
  const caller = { ...visitor, over, principal, key, keyId: key?.keyId ?? null, left: visitor.gone };
  if (key === null) return caller;
  const watched = keys.enter(key.secretHash);
  const { ended } = watched;
  response.once('close', watched.over);
  const cut = () => {
    // What was asked for whole is answered: only what has begun to leave is a stream.
    if (response.headersSent) response.destroy();
  };
  ended.addEventListener('abort', () => setTimeout(cut, LAST_WORD_WITHIN_MS).unref());
  return { ...caller, gone: AbortSignal.any([visitor.gone, ended]) };
}

function principalOf(response: Response): Principal {
  return signedInOf(response).principal;
}

function signedInOf(response: Response): SignedIn {
  const { signedIn } = response.locals as Locals;
  if (signedIn === undefined) throw new Error('a caller is known only behind a guard');
  return signedIn;
}
