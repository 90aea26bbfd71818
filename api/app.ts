import express, { type Express } from 'express';
import { createModelSwitches } from '../db/catalogue/switches.ts';
import { countLiveTurns } from '../db/turns/turns.ts';
import { AppError } from '../domain/errors.ts';
import type { ApiDeps } from './context.ts';
import { mountDocs } from './openapi/docs.ts';
import { beginAnswer, createDoor } from './http/door.ts';
import { errorMiddleware, useEnvelope } from './http/errors.ts';
import { letPages, readAddress, refuseAddress, WITHOUT_VERSION } from './openai/addresses.ts';
import { OPENAI_ENVELOPE } from './openai/envelope.ts';
import { mountRoutes } from './http/mount.ts';
import { describeApi } from './openapi/openapi.ts';
import { createOverloadGate } from './http/overload.ts';
import { timeRequests } from './http/request-metrics.ts';
import { traceRequests } from './http/request-trace.ts';
import { routesOf, watchRoutes } from './routes.ts';
import type { Stopping } from './stopping.ts';
import { paymentScriptAt } from './web/page-policy.ts';
import { mountWeb } from './web/web.ts';

export function createApp(parts: Omit<ApiDeps, 'switches'>, stopping: Stopping): Express {
  const deps: ApiDeps = { ...parts, switches: createModelSwitches(parts.database) };
  const { limits: limitsConfig } = deps.config;
  const door = createDoor(deps, stopping);
  const gate = createOverloadGate({
    countLive: () => countLiveTurns(deps.database),
    limit: limitsConfig.maxTurnsInFlight,
    now: Date.now,
  });
  deps.metrics.observeOverload(gate);
  const [watched, routes] = [watchRoutes(deps), routesOf(deps, gate)];

  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.set('query parser', 'simple');
  app.use(timeRequests(deps.metrics), beginAnswer);
  mountRoutes(app, watched, door);
  mountDocs(app, describeApi([...watched, ...routes]));
  app.use(traceRequests(deps.tracing, deps.log), readAddress);
  app.use('/v1', letPages);
  mountRoutes(app, routes, door);
  // The guards come first, so that an unknown address tells a stranger nothing, and an unknown admin address tells a
  // user nothing.
  app.use('/api/admin', ...door.guard('admin'));
  app.use('/api', ...door.guard('user'));
  app.use('/v1', useEnvelope(OPENAI_ENVELOPE), ...door.guard('user'), refuseAddress);
  const { webDir, oidc, payments } = deps.config;
  if (webDir !== undefined)
    mountWeb(app, {
      folder: webDir,
      connectTo: oidc?.web ? [new URL(oidc.web.issuer).origin] : [],
      paymentScript: payments.toss === null ? null : paymentScriptAt(payments.toss.scriptUrl),
    });
  app.use(WITHOUT_VERSION, useEnvelope(OPENAI_ENVELOPE), refuseAddress);
  app.use(() => {
    throw new AppError('not_found');
  });
  app.use(errorMiddleware(deps));
  return app;
}
