import { z } from 'zod';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Caller, Visitor } from '../context.ts';
import type { ErrorEnvelope } from './errors.ts';

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One call of the API: what validates it is what the OpenAPI document says of it. */
export type Route<Params = unknown, Query = unknown, Body = unknown> =
  PublicRoute<Params, Query, Body> | WebhookRoute<Params, Query> | CallerRoute<Params, Query, Body>;

/** Who is let in: everybody · a machine that the route itself checks, if anything does · who signed in · admins. */
export type Access = Route['access'];

interface PublicRoute<Params, Query, Body> extends Described<Params, Query> {
  readonly access: 'public';
  readonly limit?: never;
  readonly body?: z.ZodType<Body>;
  /** Null: the handler has answered by itself (text, a stream). */
  handle(visitor: Visitor, input: { params: Params; query: Query; body: Body }): Promise<Reply | null>;
}

interface WebhookRoute<Params, Query> extends Described<Params, Query> {
  readonly access: 'webhook';
  readonly limit?: never;
  readonly body?: never;
  /** @param input.body the bytes as they came: a signature is computed over these and over nothing that was parsed. */
  handle(visitor: Visitor, input: { params: Params; query: Query; body: Buffer }): Promise<Reply | null>;
}

interface CallerRoute<Params, Query, Body> extends Described<Params, Query> {
  readonly access: 'user' | 'admin';
  /** Which request limit counts it. */
  readonly limit: 'send' | 'read' | 'none';
  readonly body?: z.ZodType<Body>;
  handle(caller: Caller, input: { params: Params; query: Query; body: Body }): Promise<Reply | null>;
}

interface Described<Params, Query> {
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  /** With `:name` for each parameter. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly params?: z.ZodObject & z.ZodType<Params>;
  readonly query?: z.ZodObject & z.ZodType<Query>;
  /** Request headers with a meaning of their own, for the document. */
  readonly headers?: z.ZodObject;
  /** Successes by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** What its own code may refuse; what the door refuses before that follows from the other fields. */
  readonly errors: readonly ErrorCode[];
  /** The shape of its errors, the door's included; ours, flat, when there is none. */
  readonly envelope?: ErrorEnvelope;
}

export interface Answer {
  readonly description: string;
  readonly body?: z.ZodType;
  /** As plain text. */
  readonly text?: boolean;
  /** Also as server-sent events. */
  readonly stream?: boolean;
  /** Also as CSV; says what its lines are. */
  readonly csv?: string;
}

/** Infers the types of a route from its schemas. */
export function defineRoute<Params = undefined, Query = undefined, Body = undefined>(
  route: Route<Params, Query, Body>,
): Route {
  return route;
}
