import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { AlertReport, MonthActivities } from './contract/month.ts';
import { recordFiring } from './firing.ts';

// All retries end before the workflow's own limit of 15 minutes.
const { checkUsage } = proxyActivities<MonthActivities>({
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '12 minutes',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
  summary: 'tell the person, unless that was done within 24 hours',
});

/**
 * One firing of `usage-alert/{userId}`. It judges the account as it is now, so that late, repeated and racing firings
 * send each alert once.
 */
export async function usageAlert({ userId }: { userId: number }): Promise<AlertReport> {
  recordFiring();
  const report = await checkUsage({ userId });
  setCurrentDetails(describe(report));
  return report;
}

function describe({ outcome, level, usagePercent, notificationId, disarmed }: AlertReport): string {
  const said = {
    sent: `${level} at ${usagePercent}%: notification ${notificationId} sent`,
    sent_before: `${level} at ${usagePercent}%: sent less than 24 hours ago, nothing done`,
    below: `${usagePercent}%: nothing to say`,
    no_such_user: 'there is no such user any more',
  } as const satisfies Record<AlertReport['outcome'], string>;
  return disarmed ? `${said[outcome]}, schedule deleted` : said[outcome];
}
