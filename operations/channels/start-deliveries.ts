import { findDeliveries, findOverdue } from '../../db/channels/outbox.ts';
import type { OperationDeps } from '../deps.ts';
import type { ChannelDeps } from './channels.ts';

const AT_A_TIME = 500;

type StartDeps = Pick<OperationDeps, 'database' | 'log'> & Pick<ChannelDeps, 'deliveryRuns'>;

/**
 * Starts the workflows of deliveries right after their commit. The write stands whatever happens here: reconcile starts
 * what was missed.
 */
export async function startDeliveries(deps: StartDeps, deliveryIds: readonly string[]): Promise<void> {
  if (deliveryIds.length === 0) return;
  try {
    for (const delivery of await findDeliveries(deps.database.sql, deliveryIds))
      await deps.deliveryRuns.start(delivery);
  } catch (error) {
    deps.log.warn(
      { deliveryIds, reason: error instanceof Error ? error.name : 'unknown' },
      'deliveries were not started',
    );
  }
}

/**
 * Makes a delivery that was begun anew be tried at once. What Temporal does not take now, reconcile starts.
 */
export async function resendDelivery(deps: StartDeps, deliveryId: string): Promise<void> {
  try {
    for (const delivery of await findDeliveries(deps.database.sql, [deliveryId]))
      await deps.deliveryRuns.tryNow(delivery);
  } catch (error) {
    deps.log.warn(
      { deliveryId, reason: error instanceof Error ? error.name : 'unknown' },
      'a delivery was not started',
    );
  }
}

/**
 * Starts the workflows of deliveries that are due and nowhere but in PostgreSQL: a start was lost, or Temporal's data.
 * @returns how many.
 */
export async function startLostDeliveries(deps: StartDeps, { quietMs }: { quietMs: number }): Promise<number> {
  let started = 0;
  for (const delivery of await findOverdue(deps.database.sql, { quietMs, limit: AT_A_TIME }))
    if (await deps.deliveryRuns.start(delivery)) started += 1;
  return started;
}
