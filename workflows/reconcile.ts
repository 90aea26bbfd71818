import { proxyActivities } from '@temporalio/workflow';
import { noteFiring } from './firing.ts';
import type { ReconcileActivities, ReconcileReport } from './contract.ts';

const { reconcileTurns } = proxyActivities<ReconcileActivities>({
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '5s', maximumAttempts: 3 },
});

/** Mends what no live workflow will: see `reconcileTurns`. Its result shows in the Temporal UI. */
export async function reconcile(): Promise<ReconcileReport> {
  noteFiring();
  return reconcileTurns();
}
