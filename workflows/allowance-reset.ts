import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { patched, proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { MonthActivities, ResetReport } from './contract/month.ts';
import type { ReportActivities } from './contract/reports.ts';
import { recordFiring } from './firing.ts';

// All retries end before the workflow's own limit of 15 minutes.
const { resetAllowance } = proxyActivities<MonthActivities>({
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '12 minutes',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
  summary: 'open the new period, unless the first touch has',
});

const { makeReport } = proxyActivities<ReportActivities>({
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '2 minutes',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
  summary: 'the report of the month that is over, and the mail that it is there',
});

/**
 * One firing of `allowance-reset/{userId}`: makes the month's reset visible and prompt. Firing again is always
 * harmless.
 */
export async function allowanceReset({ userId }: { userId: number }): Promise<ResetReport> {
  recordFiring();
  const report = await resetAllowance({ userId, firedFor: nominalTime() });
  setCurrentDetails(describe(report));
  const { period, closedUsedTokens = 0 } = report;
  if (period !== undefined && closedUsedTokens > 0 && patched('report-of-the-month')) {
    const { label, deliveries } = await makeReport({ userId, period });
    setCurrentDetails(`${describe(report)}; the report of ${label ?? 'no month'} is there, ${deliveries} deliveries`);
  }
  return report;
}

const SCHEDULED_FOR = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME);

/** The time when the firing was due: long ago in a backfill. A run that somebody starts by hand is due now. */
function nominalTime(): number {
  const { typedSearchAttributes, startTime } = workflowInfo();
  return (typedSearchAttributes.get(SCHEDULED_FOR) ?? startTime).getTime();
}

function describe({ outcome, period, closedUsedTokens, disarmed }: ResetReport): string {
  const said = {
    reset: `period ${period} opened; ${closedUsedTokens} tokens were used in the one before`,
    already_reset: `period ${period} was open already: the first touch came before the schedule; ${closedUsedTokens} tokens were used in the one before`,
    past_month: 'fired for a month that is over: nothing done',
    not_due: `period ${period} lasts longer than its month in the user’s present zone: nothing done`,
    no_such_user: 'there is no such user any more',
  } as const satisfies Record<ResetReport['outcome'], string>;
  return disarmed ? `${said[outcome]}; nothing was used for a whole period, schedule deleted` : said[outcome];
}
