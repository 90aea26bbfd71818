import { describeError } from '../../platform/telemetry/describe-error.ts';
import type { MonthActivities } from '../../workflows/contract/month.ts';
import type { ReportActivities } from '../../workflows/contract/reports.ts';
import type { ActivityDeps } from '../deps.ts';

/** @returns what the reset came to, as a firing of the account's own schedule says it. */
export type CloseMonth = (account: { userId: number; firedFor: number }) => Promise<string>;

/**
 * What one firing of `allowance-reset/{userId}` does, for callers who fire many accounts: the reset and the report. A
 * report that cannot be made holds nobody's reset back; the daily repair comes back to it.
 */
export function createCloseMonth(
  { log }: Pick<ActivityDeps, 'log'>,
  { resetAllowance, makeReport }: Pick<MonthActivities, 'resetAllowance'> & Pick<ReportActivities, 'makeReport'>,
): CloseMonth {
  return async ({ userId, firedFor }) => {
    const { outcome, period, closedUsedTokens = 0 } = await resetAllowance({ userId, firedFor });
    if (period !== undefined && closedUsedTokens > 0)
      await makeReport({ userId, period }).catch((error: unknown) =>
        log.warn(
          { userId, period, err: describeError(error) },
          'the report of a month could not be made with the reset',
        ),
      );
    return outcome;
  };
}
