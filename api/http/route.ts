import type { Express, RequestHandler, Response } from 'express';
import { z } from 'zod';
import { AppError, type ErrorCode } from '../../domain/errors.ts';
import { readBody } from './body.ts';
import type { Caller } from '../context.ts';

export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One call of the API: what validates it is what the OpenAPI document says of it. */
export interface Route<Params = unknown, Query = unknown, Body = unknown> {
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  /** With `:name` for each parameter. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  /** Which request limit counts it. */
  readonly limit: 'send' | 'read';
  readonly params?: z.ZodObject & z.ZodType<Params>;
  readonly query?: z.ZodObject & z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  /** Request headers with a meaning of their own, for the document. */
  readonly headers?: z.ZodObject;
  /** Successes by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** What it may refuse beside what every call may (401, 429, 500, 503). */
  readonly errors: readonly ErrorCode[];
  /** Null: the handler has answered by itself (a stream). */
  handle(caller: Caller, input: { params: Params; query: Query; body: Body }): Promise<Reply | null>;
}

export interface Answer {
  readonly description: string;
  readonly body?: z.ZodType;
  /** Also as server-sent events. */
  readonly stream?: boolean;
  /** Also as CSV; says what its lines are. */
  readonly csv?: string;
}

/** Infers the types of a route from its schemas. */
export function defineRoute<Params = undefined, Query = undefined, Body = undefined>(
  route: Route<Params, Query, Body>,
): Route {
  return route as unknown as Route;
}

/** @param call runs what every call needs first (authentication, limits) and gives the caller. */
export function mountRoutes(
  app: Express,
  routes: readonly Route[],
  call: (route: Route) => RequestHandler[],
  callerOf: (response: Response) => Caller,
): void {
  for (const route of routes) {
    const parse: RequestHandler[] = route.body === undefined ? [] : [readBody()];
    app[route.method](route.path, ...call(route), ...parse, async (request, response) => {
      const reply = await route.handle(callerOf(response), {
        params: parseParams(route, request.params),
        query: parseInput(route.query, request.query),
        body: parseInput(route.body, request.body),
      });
      if (reply === null || response.destroyed) return;
      response.status(reply.status).set(reply.headers ?? {});
      if (reply.body === undefined) response.end();
      else response.json(reply.body);
    });
  }
  allowOnly(app, routes);
}

/** A known path with another method says which methods it has. */
export function allowOnly(app: Express, routes: readonly Pick<Route, 'path' | 'method'>[]): void {
  // `/turns/replay` is not `/turns/:turnId`.
  const literalFirst = routes.toSorted((a, b) => Number(a.path.includes(':')) - Number(b.path.includes(':')));
  for (const [path, group] of Map.groupBy(literalFirst, ({ path }) => path)) {
    const methods = group.map(({ method }) => method.toUpperCase()).join(', ');
    app.all(path, (request, response) => {
      response.set('Allow', methods);
      if (request.method === 'OPTIONS') response.status(204).end();
      else throw new AppError('method_not_allowed');
    });
  }
}

/** An id that is none names nothing: the same 404 as an unknown one. */
function parseParams(route: Route, params: unknown): unknown {
  const parsed = (route.params ?? z.object({})).safeParse(params);
  if (!parsed.success) throw new AppError('not_found');
  return parsed.data;
}

function parseInput(schema: z.ZodType | undefined, input: unknown): unknown {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AppError('invalid_request', { field: fieldOf(issue), reason: issue?.message ?? 'invalid' });
}

function fieldOf(issue: z.core.$ZodIssue | undefined): string | null {
  const path = issue?.path.map(String) ?? [];
  if (path.length > 0) return path.join('.');
  return issue?.code === 'unrecognized_keys' ? (issue.keys[0] ?? null) : null;
}
