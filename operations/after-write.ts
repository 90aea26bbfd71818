import { findAccount } from '../db/money/accounts.ts';
import { within } from '../platform/deadline.ts';
import { announceAccount } from '../platform/streams/account-feed.ts';
import { armSchedules } from './arm-schedules.ts';
import type { OperationDeps } from './deps.ts';

export type AfterWriteDeps = Pick<OperationDeps, 'database' | 'redis' | 'planner' | 'armWithinMs' | 'log'>;

/**
 * Follows every write to a user's account outside a turn's own run, right after its commit: it tells the account's
 * followers and arms the schedules that the account needs now. The write stands whatever happens here. The next debit
 * or the daily repair arms what Temporal does not take now.
 */
export async function afterWrite(deps: AfterWriteDeps, userId: number): Promise<void> {
  announceAccount(deps.redis, { userId });
  await within(deps.armWithinMs ?? ARM_WITHIN_MS, arm(deps, userId)).catch((error: unknown) =>
    deps.log.warn({ userId, reason: String(error) }, 'schedules were not armed'),
  );
}

async function arm(deps: Pick<OperationDeps, 'database' | 'planner'>, userId: number): Promise<void> {
  const account = await findAccount(deps.database.sql, userId);
  if (account !== null) await armSchedules(deps, account);
}

const ARM_WITHIN_MS = 2_000;
