import { armSchedules } from '../db/arming.ts';
import type { ApiDeps } from './context.ts';

/**
 * What follows a write to an account outside a turn, right after its commit: the schedules it needs now are armed. The write stands
 * whatever happens here: what Temporal does not take now, the next debit or the daily repair arms.
 */
export async function afterWrite(deps: Pick<ApiDeps, 'database' | 'planner' | 'log' | 'now'>, accountId: number): Promise<void> {
  const armed = armSchedules(deps, { accountId, now: deps.now() });
  await within(ARMED_WITHIN_MS, armed).catch((error: unknown) => deps.log.warn({ accountId, reason: String(error) }, 'schedules were not armed'));
}

const ARMED_WITHIN_MS = 2_000;

/** The connection retries by itself for longer than a person waits. */
async function within(milliseconds: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
