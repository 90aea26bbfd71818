import { Context } from '@temporalio/activity';
import { readClock } from '../../db/database.ts';
import { findUntold } from '../../db/reports/person/untold.ts';
import { purgeExpiredLinks } from '../../db/sharing/share-links.ts';
import { purgeRefused } from '../../db/turns/purge.ts';
import { compareSchedules, mendSchedules } from '../../operations/repair-schedules.ts';
import { describeError } from '../../platform/telemetry/describe-error.ts';
import type { MonthActivities, ScheduleReport } from '../../workflows/contract/month.ts';
import type { ActivityDeps } from '../deps.ts';
import type { CloseMonth } from './close-month.ts';

const ACCOUNTS_AT_A_TIME = 500;

/** The daily repair: what is older than it is kept, schedules that differ, and months that no firing has closed. */
export function createRepairSchedules(deps: ActivityDeps, closeMonth: CloseMonth): MonthActivities['repairSchedules'] {
  return async () => {
    const onProgress = () => Context.current().heartbeat();
    await purgeExpiredLinks(deps.database);
    const purged = await purgeRefused(deps.database, { onStep: onProgress });
    if (purged.turns > 0) deps.log.info(purged, 'refused questions of more than 7 days ago were purged');
    const { accounts, schedules, differences } = await compareSchedules(deps, { onProgress });
    const count = (fault: (typeof differences)[number]['fault']) =>
      differences.filter((difference) => difference.fault === fault).length;
    const found = {
      accounts,
      schedules,
      missing: count('missing'),
      mistimed: count('mistimed'),
      needless: count('needless'),
      unrecorded: count('unrecorded'),
    };
    const mended = await mendSchedules(deps, differences, { onProgress });
    if (mended > 0)
      deps.log.warn(
        { ...found, mended, first: differences.slice(0, 20) },
        'schedules differed from the accounts and were mended',
      );
    const closedLate = await closeMissedMonths(deps, closeMonth, onProgress);
    return { ...found, mended, closedLate } satisfies ScheduleReport;
  };
}

/**
 * Closes months that are over for hours and of whose report nobody was told. Their owner has moved east, so that the
 * firing came before the month's end; or their firing was lost, or failed.
 */
async function closeMissedMonths(
  { database, log }: ActivityDeps,
  closeMonth: CloseMonth,
  onProgress: () => void,
): Promise<number> {
  const firedFor = await readClock(database.sql);
  const outcomes: Record<string, number> = {};
  let closed = 0;
  for (let after = 0; ;) {
    const missed = await findUntold(database.sql, { after, limit: ACCOUNTS_AT_A_TIME });
    for (const { userId } of missed) {
      const outcome = await closeMonth({ userId, firedFor }).catch((error: unknown) => {
        log.warn({ userId, err: describeError(error) }, 'a month that no firing had closed could not be closed');
        return 'failed';
      });
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (outcome === 'reset' || outcome === 'already_reset') closed += 1;
      onProgress();
    }
    const last = missed.at(-1);
    if (last === undefined || missed.length < ACCOUNTS_AT_A_TIME) break;
    after = last.periodId;
  }
  if (closed > 0) log.warn(outcomes, 'months that no firing had closed were closed');
  return closed;
}
