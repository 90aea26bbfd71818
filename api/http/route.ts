import { z } from 'zod';
import type { Need } from '../../domain/api-keys.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Caller, Visitor } from '../context.ts';
import type { BodyLimits } from './body.ts';
import type { ErrorEnvelope } from './errors.ts';

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One call of the API. The schemas that validate it also describe it in the OpenAPI document. */
export type Route<Params = unknown, Query = unknown, Body = unknown> =
  PublicRoute<Params, Query, Body> | WebhookRoute<Params, Query> | CallerRoute<Params, Query, Body>;

/**
 * Who is let in: everybody, a machine that the route itself checks (if at all), people who have signed in, or admins.
 */
export type Access = Route['access'];

interface PublicRoute<Params, Query, Body> extends Described<Params, Query> {
  readonly access: 'public';
  readonly limit?: never;
  readonly body?: z.ZodType<Body>;
  /** @returns null when the handler has answered itself (text, a stream). */
  handle(visitor: Visitor, input: { params: Params; query: Query; body: Body }): Promise<Reply | null>;
}

interface WebhookRoute<Params, Query> extends Described<Params, Query> {
  readonly access: 'webhook';
  readonly limit?: never;
  readonly body?: never;
  /**
   * @param input.body the bytes as they were sent, because a signature is computed over them and not over parsed
   *   values.
   */
  handle(visitor: Visitor, input: { params: Params; query: Query; body: Buffer }): Promise<Reply | null>;
}

interface CallerRoute<Params, Query, Body> extends Described<Params, Query> {
  readonly access: 'user' | 'admin';
  /** What a key that a person made must have. Absent: `v1` under /v1, `read` of a GET, and no such key may write. */
  readonly need?: Need;
  /** The request limit that counts the call. */
  readonly limit: 'send' | 'read' | 'none';
  readonly body?: z.ZodType<Body>;
  /** Absent: 256 KiB, 1,000 values, 32 levels. */
  readonly mostBody?: BodyLimits;
  /** The body is bytes of any type, so many at most, and `input.bytes` has them. */
  readonly mostBytes?: number;
  /** Nobody can take its answer up elsewhere: while the server stops it may come until the grace time is over. */
  readonly lasts?: true;
  handle(caller: Caller, input: { params: Params; query: Query; body: Body; bytes: Buffer }): Promise<Reply | null>;
}

interface Described<Params, Query> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** With `:name` for each parameter. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly params?: z.ZodObject & z.ZodType<Params>;
  readonly query?: z.ZodObject & z.ZodType<Query>;
  /** Request headers that mean something to this call, for the OpenAPI document. */
  readonly headers?: z.ZodObject;
  /**
   * The one other origin whose pages may call this in a browser, with what signs their person in; null: none. It is
   * asked once, when the route is mounted.
   */
  readonly pagesOf?: () => string | null;
  /** Successful answers by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** Codes with which the route's own code refuses. Refusals before that follow from the other fields. */
  readonly errors: readonly ErrorCode[];
  /** The shape of the route's errors, also of those before its own code. Absent: our flat shape. */
  readonly envelope?: ErrorEnvelope;
}

export interface Answer {
  readonly description: string;
  readonly body?: z.ZodType;
  /** The type of an answer that is, or may be, text. */
  readonly text?: 'text/plain' | 'text/html' | 'text/markdown';
  /** As the bytes of a file. */
  readonly binary?: boolean;
  /** The answer may also come as server-sent events. */
  readonly stream?: boolean;
  /** The answer may also come as CSV. The text says what its lines are. */
  readonly csv?: string;
  /** The answer may also be a PDF. The text says what it is. */
  readonly pdf?: string;
}

/** Infers the types of a route from its schemas. */
export function defineRoute<Params = undefined, Query = undefined, Body = undefined>(
  route: Route<Params, Query, Body>,
): Route {
  return route;
}

/** Whether the body is a file. */
export function isUpload(
  route: Route,
): route is CallerRoute<unknown, unknown, unknown> & { readonly mostBytes: number } {
  return 'mostBytes' in route && route.mostBytes !== undefined;
}

/** What a request to the route must come with; null: nothing is asked of its sender. */
export function needOf(route: Route): Need | null {
  if (route.access === 'public' || route.access === 'webhook') return null;
  if (route.need !== undefined) return route.need;
  if (route.path.startsWith('/v1/')) return 'v1';
  return route.method === 'get' ? 'read' : 'person';
}
