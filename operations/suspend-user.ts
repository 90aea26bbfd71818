import { suspendUser, type Suspension } from '../db/people/suspension.ts';
import type { OperationDeps } from './deps.ts';
import { deliverStop } from './stop-turn.ts';

/**
 * Admits no further turn of the user and stops those that run.
 * @returns the turns that were asked to stop. @throws AppError not_found.
 */
export async function suspend(
  deps: Pick<OperationDeps, 'database' | 'feed' | 'runs' | 'log'>,
  suspension: Suspension,
): Promise<{ stopping: string[] }> {
  const { stopping } = await suspendUser(deps.database, suspension);
  const { userId } = suspension;
  await Promise.all(stopping.map((turnId) => deliverStop(deps, { turnId, userId })));
  return { stopping };
}
