import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { ReportActivities } from '../contract/reports.ts';
import { recordFiring } from '../firing.ts';

const { forecastUsage } = proxyActivities<ReportActivities>({
  startToCloseTimeout: '50 minutes',
  heartbeatTimeout: '1 minute',
  retry: { initialInterval: '5s', maximumAttempts: 3 },
  summary: 'all accounts, page by page',
});

const { makeOperatorReport } = proxyActivities<ReportActivities>({
  startToCloseTimeout: '20 minutes',
  retry: { initialInterval: '5s', maximumAttempts: 3 },
  summary: 'the last month that is over, day by day',
});

export interface DailyReport {
  readonly accounts: number;
  readonly made: number;
  /** The month of the operator's newest report; null: no month is over yet. */
  readonly label: string | null;
}

/** Once a day: forecasts of accounts at 50 % or more, and the operator's report when a month is over. */
export async function dailyReports(): Promise<DailyReport> {
  recordFiring();
  const { accounts, made } = await forecastUsage();
  const { label } = await makeOperatorReport();
  setCurrentDetails(
    `${accounts} accounts at 50 % or more, ${made} forecasts made; the operator’s report is that of ${label ?? 'no month'}`,
  );
  return { accounts, made, label };
}
