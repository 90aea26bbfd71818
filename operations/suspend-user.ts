import { resumeUser, suspendUser, type Suspension } from '../db/people/suspension.ts';
import { announceAccount } from '../platform/streams/account-feed.ts';
import type { OperationDeps } from './deps.ts';
import { deliverStop } from './stop-turn.ts';

/**
 * Admits no further turn of the user, tells the account's followers so, and stops the turns that run.
 * @returns the turns that were asked to stop. @throws AppError not_found.
 */
export async function suspend(
  deps: Pick<OperationDeps, 'database' | 'redis' | 'feed' | 'runs' | 'log'>,
  suspension: Suspension,
): Promise<{ stopping: string[] }> {
  const { stopping } = await suspendUser(deps.database, suspension);
  const { userId } = suspension;
  announceAccount(deps.redis, { userId });
  await Promise.all(stopping.map((turnId) => deliverStop(deps, { turnId, userId })));
  return { stopping };
}

/** Admits turns of the user again and tells the account's followers so. @throws AppError not_found. */
export async function resume(deps: Pick<OperationDeps, 'database' | 'redis'>, suspension: Suspension): Promise<void> {
  await resumeUser(deps.database, suspension);
  announceAccount(deps.redis, { userId: suspension.userId });
}
