import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { MonthActivities, ScheduleReport } from './contract/month.ts';
import { recordFiring } from './firing.ts';

const activities = proxyActivities<MonthActivities>({
  startToCloseTimeout: '110 minutes',
  heartbeatTimeout: '1 minute',
  retry: { initialInterval: '5s', maximumAttempts: 3 },
  summary: 'every armed schedule against its account',
});

/**
 * Compares the schedules of all users with their accounts and mends what differs. Its result shows in the Temporal UI.
 */
export async function repairSchedules(): Promise<ScheduleReport> {
  recordFiring();
  const report = await activities.repairSchedules();
  const { accounts, schedules, missing, mistimed, needless, unrecorded, mended, closedLate = 0 } = report;
  setCurrentDetails(
    `${schedules} schedules of ${accounts} accounts in use: ${missing} missing, ${mistimed} mistimed, ${needless} needless, ${unrecorded} unrecorded; ${mended} mended; ${closedLate} months closed late`,
  );
  return report;
}
