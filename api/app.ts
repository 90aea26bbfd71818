import express, { type Express, type RequestHandler, type Response } from 'express';
import { v7 as uuidv7 } from 'uuid';
import { countLiveTurns } from '../db/turns/turns.ts';
import { AppError } from '../domain/errors.ts';
import type { Principal } from '../db/people/users.ts';
import { createAuthenticate, type Authenticate } from './http/auth.ts';
import type { ApiDeps, Caller } from './context.ts';
import { mountDocs } from './openapi/docs.ts';
import { errorMiddleware, localeOf } from './http/errors.ts';
import { createRequestLimits, type RequestLimits } from './http/limits.ts';
import { describeApi } from './openapi/openapi.ts';
import { createOverloadGate } from './http/overload.ts';
import { timeRequests } from './http/request-metrics.ts';
import { traceRequests } from './http/request-trace.ts';
import { mountRoutes, type Route } from './http/route.ts';
import { routesOf } from './routes.ts';
import { mountHealth } from './routes/health.ts';
import { mountMetrics } from './routes/metrics.ts';
import { mountSignIn } from './routes/sign-in.ts';
import { mountWeb } from './http/web.ts';

/** @param stopping aborts when the server stops: streams end then, and their readers resume elsewhere. */
export function createApp(deps: ApiDeps, stopping: AbortSignal): Express {
  const { limits: limitsConfig } = deps.config;
  const authenticate = createAuthenticate(deps);
  const limits = createRequestLimits(deps.redis, limitsConfig);
  const gate = createOverloadGate({
    countLive: () => countLiveTurns(deps.database),
    limit: limitsConfig.maxTurnsInFlight,
    now: Date.now,
  });
  deps.metrics.observeOverload(gate);
  const routes = routesOf(deps, gate);

  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.set('query parser', 'simple');
  app.use(timeRequests(deps.metrics), identify);
  mountHealth(app, deps);
  mountDocs(app, describeApi(routes));
  mountMetrics(app, deps.metrics, [signIn(authenticate), adminsOnly]);
  app.use(traceRequests(deps.tracing, deps.log));
  mountSignIn(app, deps.config);
  app.use('/api', signIn(authenticate));
  app.use('/api/admin', adminsOnly);
  mountRoutes(
    app,
    routes,
    (route) => [count(limits, route)],
    (response) => callerOf(response, stopping),
  );
  if (deps.config.webDir !== undefined)
    mountWeb(app, {
      folder: deps.config.webDir,
      connectTo: deps.config.oidc?.web ? [new URL(deps.config.oidc.web.issuer).origin] : [],
    });
  app.use(() => {
    throw new AppError('not_found');
  });
  app.use(errorMiddleware(deps));
  return app;
}

interface Locals {
  requestId: string;
  principal?: Principal;
}

const identify: RequestHandler = (_request, response, next) => {
  const locals = response.locals as Locals;
  locals.requestId = uuidv7();
  response.set({
    'X-Request-Id': locals.requestId,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
  });
  next();
};

/** Before anything else of a request is looked at, its body included. */
function signIn(authenticate: Authenticate): RequestHandler {
  return async (request, response, next) => {
    (response.locals as Locals).principal = await authenticate(request);
    next();
  };
}

/** Before routing, so that an unknown admin address tells a user nothing either. */
const adminsOnly: RequestHandler = (_request, response, next) => {
  if (principalOf(response).role !== 'admin') throw new AppError('forbidden');
  next();
};

function count(limits: RequestLimits, { limit }: Route): RequestHandler {
  return async (_request, response, next) => {
    await limits.consume(limit, principalOf(response).accountId);
    next();
  };
}

function callerOf(response: Response, stopping: AbortSignal): Caller {
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  return {
    principal: principalOf(response),
    locale: localeOf(response),
    request: response.req,
    response,
    gone: AbortSignal.any([closed.signal, stopping]),
  };
}

function principalOf(response: Response): Principal {
  const { principal } = response.locals as Locals;
  if (principal === undefined) throw new Error('a route under /api is reached only after sign-in');
  return principal;
}
