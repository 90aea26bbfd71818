import { findAccount } from '../db/money/accounts.ts';
import { within } from '../platform/deadline.ts';
import { announceAccount } from '../platform/streams/account-feed.ts';
import { armSchedules } from './arm-schedules.ts';
import type { OperationDeps } from './deps.ts';

export type AfterWriteDeps = Pick<OperationDeps, 'database' | 'redis' | 'planner' | 'armWithinMs' | 'log' | 'now'>;

/**
 * What follows a write to a user's account outside a turn's own run, right after its commit: those who follow the
 * account are told, and the schedules it needs now are armed. The write stands whatever happens here: what Temporal
 * does not take now, the next debit or the daily repair arms.
 */
export async function afterWrite(deps: AfterWriteDeps, userId: number): Promise<void> {
  announceAccount(deps.redis, { userId });
  await within(deps.armWithinMs ?? ARM_WITHIN_MS, arm(deps, userId)).catch((error: unknown) =>
    deps.log.warn({ userId, reason: String(error) }, 'schedules were not armed'),
  );
}

async function arm(deps: Pick<OperationDeps, 'database' | 'planner' | 'now'>, userId: number): Promise<void> {
  const account = await findAccount(deps.database.sql, userId);
  if (account !== null) await armSchedules(deps, { ...account, now: deps.now() });
}

const ARM_WITHIN_MS = 2_000;
