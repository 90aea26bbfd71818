import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { AdminStatsActivities, AdminStatsReport } from './contract/month.ts';
import { recordFiring } from './firing.ts';

const { refreshAdminStats } = proxyActivities<AdminStatsActivities>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '5s', maximumAttempts: 3 },
  summary: 'all accounts and their open periods, in one statement',
});

/** Computes the admins' statistics and caches them. Its result shows in the Temporal UI. */
export async function adminStats(): Promise<AdminStatsReport> {
  recordFiring();
  const report = await refreshAdminStats();
  setCurrentDetails(describe(report));
  return report;
}

function describe({ totalUsers, activeUsers, totalUsedTokens, over95, cached, asOf }: AdminStatsReport): string {
  return `${activeUsers} of ${totalUsers} users used ${totalUsedTokens} tokens, ${over95} of them 95 % or more; as of ${asOf}, ${cached ? 'cached' : 'not cached: Redis did not take it'}`;
}
