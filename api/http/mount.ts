import type { Express, Request, RequestHandler, Response } from 'express';
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import type { Caller, Visitor } from '../context.ts';
import { bytesOf, readBody, readBytes } from './body.ts';
import { useEnvelope } from './errors.ts';
import type { Need } from '../../domain/api-keys.ts';
import { isUpload, needOf, type Access, type Reply, type Route } from './route.ts';

/** What every request passes before a route's own code. */
export interface Door {
  /** Lets in only those whom `access` names, before anything else of the request is read, its body included. */
  guard(access: Access): readonly RequestHandler[];
  /** Refuses what the key of a request that a guard has let in may not do. */
  allow(need: Need): RequestHandler;
  /** Counts a request that a guard has let in. */
  count(limit: 'send' | 'read'): RequestHandler;
  /** Waits until the account has a place for one more read. */
  readonly place: RequestHandler;
  /** Refuses one more answer of those that take long, where an account has too many of them open. */
  readonly reader: RequestHandler;
  /** Waits until the account may send one more file: each is in memory while it is read. */
  readonly upload: RequestHandler;
  visitorOf(response: Response): Visitor;
  /**
   * @param options.lasts nobody can take the answer up elsewhere.
   * @throws when no guard has let anybody in.
   */
  callerOf(response: Response, options: { readonly lasts: boolean }): Caller;
}

export function mountRoutes(app: Express, routes: readonly Route[], door: Door): void {
  // Literal paths come first, with all their methods: `GET /turns/replay` is no turn with that id.
  const literalFirst = routes.toSorted((a, b) => Number(a.path.includes(':')) - Number(b.path.includes(':')));
  for (const [path, group] of Map.groupBy(literalFirst, ({ path }) => path)) {
    const origin = group.find(({ pagesOf }) => pagesOf !== undefined)?.pagesOf?.() ?? null;
    if (origin !== null) app.use(path, letPagesOf(origin));
    for (const route of group) mountRoute(app, route, door);
    const [any] = group;
    if (any !== undefined) app.all(path, ...enter(any, door), allowOnly(group.map(({ method }) => method)));
  }
}

function mountRoute(app: Express, route: Route, door: Door): void {
  app[route.method](
    route.path,
    ...enter(route, door),
    ...allow(route, door),
    ...count(route, door),
    ...read(route, door),
    async (request, response) => {
      const reply = await answer(route, door, request, response);
      if (reply === null || response.destroyed) return;
      response.status(reply.status).set(reply.headers ?? {});
      if (reply.body === undefined) response.end();
      else response.json(reply.body);
    },
  );
}

/** Lets pages of this origin read answers, refusals too, and answers what a browser asks before it sends anything. */
function letPagesOf(origin: string): RequestHandler {
  return ({ method, headers }, response, next) => {
    response.vary('Origin');
    if (headers.origin !== origin) return next();
    response.set({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true' });
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return next();
    response.set({
      'Access-Control-Allow-Methods': headers['access-control-request-method'],
      'Access-Control-Allow-Headers': 'Authorization, Content-Type, X-Namespace',
      'Access-Control-Max-Age': '600',
    });
    response.status(204).end();
  };
}

/** Answers any other method of a path with those that it has, to those who may use it. What is read has a HEAD. */
export function allowOnly(methods: readonly Route['method'][]): RequestHandler {
  const allowed = methods.flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])).join(', ');
  return (request, response) => {
    response.set('Allow', allowed);
    if (request.method !== 'OPTIONS') throw new AppError('method_not_allowed');
    response.status(204).end();
  };
}

function enter({ access, envelope }: Route, door: Door): RequestHandler[] {
  return [...(envelope === undefined ? [] : [useEnvelope(envelope)]), ...door.guard(access)];
}

function allow(route: Route, door: Door): RequestHandler[] {
  const need = needOf(route);
  return need === null ? [] : [door.allow(need)];
}

/** A stream keeps no place of a read: it lasts, and reads only now and then. */
function count({ limit, answers }: Route, door: Door): RequestHandler[] {
  if (limit === undefined || limit === 'none') return [];
  const streams = Object.values(answers).some(({ stream }) => stream === true);
  if (streams) return [door.count(limit), door.reader];
  return [door.count(limit), ...(limit === 'read' ? [door.place] : [])];
}

function read(route: Route, door: Door): RequestHandler[] {
  if (route.access === 'webhook') return [readBytes()];
  if (isUpload(route)) return [door.upload, readBytes(route.mostBytes)];
  if (route.body === undefined) return [];
  return [readBody('mostBody' in route ? route.mostBody : undefined)];
}

async function answer(route: Route, door: Door, request: Request, response: Response): Promise<Reply | null> {
  const params = parseParams(route, request.params);
  const query = parseInput(route.query, request.query);
  switch (route.access) {
    case 'webhook':
      return route.handle(door.visitorOf(response), { params, query, body: bytesOf(request) });
    case 'public':
      return route.handle(door.visitorOf(response), { params, query, body: parseInput(route.body, request.body) });
    default:
      return route.handle(door.callerOf(response, { lasts: route.lasts === true }), {
        params,
        query,
        body: parseInput(route.body, request.body),
        bytes: bytesOf(request),
      });
  }
}

/** A malformed id names nothing, so it gets the same 404 as an unknown one. */
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
