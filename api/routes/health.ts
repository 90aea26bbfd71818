import { AppError } from '../../domain/errors.ts';
import { within } from '../../platform/deadline.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { alive, ready } from '../wire/health.ts';

/** The probe must answer before its prober gives up. */
const ANSWER_WITHIN_MS = 2_000;
/** PostgreSQL's clock decides about tokens (G36); one so far off still misjudges who signs in, and misdates logs. */
const MOST_SKEW_MS = 30_000;

/**
 * Alive, and ready to take turns (PostgreSQL and Temporal answer, the clock is right; Redis away is a degraded
 * service).
 */
export function healthRoutes({
  database,
  runs,
  redis,
  now,
}: Pick<ApiDeps, 'database' | 'runs' | 'redis' | 'now'>): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/health',
      access: 'public',
      tag: 'Health',
      summary: 'Alive',
      answers: { 200: { description: 'Alive', body: alive } },
      errors: [],
      handle: async () => ({ status: 200, body: { status: 'ok' } }),
    }),
    defineRoute({
      method: 'get',
      path: '/health/ready',
      access: 'public',
      tag: 'Health',
      summary: 'PostgreSQL and Temporal answer, and the clock is right',
      answers: { 200: { description: 'Ready', body: ready } },
      errors: ['unavailable'],
      async handle() {
        const [skewMs, temporal, isRedisReady] = await Promise.all([
          answerOf(database.ping().then((at) => Math.abs(now() - at))),
          answerOf(runs.ready()),
          redis.probe(),
        ]);
        const parts = {
          postgresql: skewMs === null ? 'down' : 'ok',
          temporal: temporal === true ? 'ok' : 'down',
          redis: isRedisReady ? 'ok' : 'degraded',
          ...(skewMs === null ? {} : { clock: skewMs > MOST_SKEW_MS ? 'wrong' : 'ok' }),
        };
        if (parts.clock !== 'ok' || temporal !== true) throw new AppError('unavailable', { retryAfter: 5, ...parts });
        return { status: 200, body: { status: 'ready', ...parts } };
      },
    }),
  ];
}

/** Null when none comes in time. */
async function answerOf<T>(probe: Promise<T>): Promise<T | null> {
  return within(ANSWER_WITHIN_MS, probe).catch(() => null);
}
