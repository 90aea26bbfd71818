import type { Express } from 'express';
import { AppError } from '../../domain/errors.ts';
import type { ApiDeps } from '../context.ts';
import { allowOnly } from '../http/route.ts';

/** A probe must not wait longer than the prober does. */
const ANSWER_WITHIN_MS = 2_000;

/**
 * Without authentication: alive, and ready to take turns (PostgreSQL and Temporal answer; Redis away is a degraded
 * service).
 */
export function mountHealth(
  app: Express,
  { database, runs, redis }: Pick<ApiDeps, 'database' | 'runs' | 'redis'>,
): void {
  app.get('/health', (_request, response) => {
    response.set('Cache-Control', 'no-store').json({ status: 'ok' });
  });
  app.get('/health/ready', async (_request, response) => {
    const [postgresql, temporal] = await Promise.all([
      answers(database.ping().then(() => true)),
      answers(runs.ready()),
    ]);
    const parts = {
      postgresql: word(postgresql),
      temporal: word(temporal),
      redis: redis.isReady() ? 'ok' : 'degraded',
    };
    response.set('Cache-Control', 'no-store');
    if (!postgresql || !temporal) throw new AppError('unavailable', { retryAfter: 5, ...parts });
    response.json({ status: 'ready', ...parts });
  });
  allowOnly(app, [
    { method: 'get', path: '/health' },
    { method: 'get', path: '/health/ready' },
  ]);
}

async function answers(probe: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ANSWER_WITHIN_MS);
  });
  try {
    return await Promise.race([probe.catch(() => false), late]);
  } finally {
    clearTimeout(timer);
  }
}

function word(answered: boolean): 'ok' | 'down' {
  return answered ? 'ok' : 'down';
}
