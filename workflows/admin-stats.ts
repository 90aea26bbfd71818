import { proxyActivities } from '@temporalio/workflow';
import type { AdminStatsActivities, AdminStatsReport } from './contract.ts';

const { refreshAdminStats } = proxyActivities<AdminStatsActivities>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '5s', maximumAttempts: 3 },
});

/** Computes the admins' statistics and caches them. What it found shows in the Temporal UI. */
export async function adminStats(): Promise<AdminStatsReport> {
  return refreshAdminStats();
}
