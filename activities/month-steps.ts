import { Context } from '@temporalio/activity';
import { checkUsage } from '../db/alerts/check-usage.ts';
import { findAccount } from '../db/money/accounts.ts';
import { resetAllowance } from '../db/money/reset-allowance.ts';
import { purgeExpiredLinks } from '../db/sharing/share-links.ts';
import { purgeRefused } from '../db/turns/purge.ts';
import { armSchedules, disarmSchedule } from '../operations/arm-schedules.ts';
import { startDeliveries } from '../operations/channels/start-deliveries.ts';
import { compareSchedules, mendSchedules } from '../operations/repair-schedules.ts';
import { announceAccount } from '../platform/streams/account-feed.ts';
import type { MonthActivities, ScheduleReport } from '../workflows/contract/month.ts';
import type { ActivityDeps } from './deps.ts';

/**
 * The activities of an account's schedules, and the one that arms them. Each reads PostgreSQL anew, so a late or
 * repeated run does no harm.
 */
export function createMonthSteps(deps: ActivityDeps): MonthActivities {
  return {
    async armSchedules({ userId }) {
      const owner = await findAccount(deps.database.sql, userId);
      return { armed: owner === null ? [] : await armSchedules(deps, owner) };
    },
    async resetAllowance({ userId, firedFor }) {
      const owner = await findAccount(deps.database.sql, userId);
      if (owner === null) {
        await deps.planner.disarm('reset', userId);
        return { outcome: 'no_such_user', disarmed: true };
      }
      const reset = await resetAllowance(deps.database, { ...owner, firedFor, outward: deps.channels.outward });
      if (reset.outcome === 'past_month') return { outcome: reset.outcome, disarmed: false };
      const { outcome, period, closedUsedTokens, idle } = reset;
      await startDeliveries(deps, reset.deliveryIds);
      if (outcome === 'reset') announceAccount(deps.redis, { userId });
      const disarmed = idle && !(await disarmSchedule(deps, 'reset', { ...owner, userId })).includes('reset');
      return { outcome, period, closedUsedTokens, disarmed };
    },
    async checkUsage({ userId }) {
      const owner = await findAccount(deps.database.sql, userId);
      if (owner === null) {
        await deps.planner.disarm('alert', userId);
        return { outcome: 'no_such_user', disarmed: true };
      }
      const { purchaseUrl, channels } = deps;
      const { outward } = channels;
      const check = await checkUsage(deps.database, { ...owner, purchaseUrl, outward });
      if (check.outcome === 'below') {
        const rearmed = await disarmSchedule(deps, 'alert', { ...owner, userId });
        return { ...check, disarmed: !rearmed.includes('alert') };
      }
      if (check.outcome === 'sent_before') return { ...check, disarmed: false };
      const { deliveryIds, ...sent } = check;
      // Operators search the log for these words.
      deps.log.warn({ ...owner, userId, ...sent }, `토큰 임계값 ${sent.level}: ${sent.usagePercent}%`);
      announceAccount(deps.redis, { userId });
      await startDeliveries(deps, deliveryIds);
      return { ...sent, disarmed: false };
    },
    repairSchedules: () => repairSchedules(deps),
  };
}

async function repairSchedules(deps: ActivityDeps): Promise<ScheduleReport> {
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
  return { ...found, mended };
}
