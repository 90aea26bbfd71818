import { AppError } from '../../domain/errors.ts';
import { within } from '../../platform/deadline.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { alive, ready } from '../wire/health.ts';

/** The probe must answer before its prober gives up. */
const ANSWER_WITHIN_MS = 2_000;
const NOT_STORED = { 'Cache-Control': 'no-store' };

/**
 * Two probes: alive, and ready to take turns, which means that PostgreSQL and Temporal answer. Without Redis the
 * service is degraded, but ready.
 */
export function healthRoutes({ database, runs, redis }: Pick<ApiDeps, 'database' | 'runs' | 'redis'>): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/health',
      access: 'public',
      tag: 'Health',
      summary: 'Alive',
      answers: { 200: { description: 'Alive', body: alive } },
      errors: [],
      handle: async () => ({ status: 200, headers: NOT_STORED, body: { status: 'ok' } }),
    }),
    defineRoute({
      method: 'get',
      path: '/health/ready',
      access: 'public',
      tag: 'Health',
      summary: 'PostgreSQL and Temporal answer',
      answers: { 200: { description: 'Ready', body: ready } },
      errors: ['unavailable'],
      async handle({ response }) {
        const [postgresql, temporal, isRedisReady] = await Promise.all([
          answers(database.ping()),
          answers(runs.ready()),
          redis.probe(),
        ]);
        const parts = {
          postgresql: word(postgresql),
          temporal: word(temporal),
          redis: isRedisReady ? 'ok' : 'degraded',
        };
        response.set(NOT_STORED);
        if (!postgresql || !temporal) throw new AppError('unavailable', { retryAfter: 5, ...parts });
        return { status: 200, body: { status: 'ready', ...parts } };
      },
    }),
  ];
}

async function answers(probe: Promise<unknown>): Promise<boolean> {
  return within(ANSWER_WITHIN_MS, probe).then(
    (answer) => answer !== false,
    () => false,
  );
}

function word(answered: boolean): 'ok' | 'down' {
  return answered ? 'ok' : 'down';
}
