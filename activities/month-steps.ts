import { checkUsage } from '../db/alerts/check-usage.ts';
import { findAccount } from '../db/money/accounts.ts';
import { resetAllowance } from '../db/money/reset-allowance.ts';
import { armSchedules, disarmSchedule } from '../operations/arm-schedules.ts';
import { startDeliveries } from '../operations/channels/start-deliveries.ts';
import { announceAccount } from '../platform/streams/account-feed.ts';
import type { MonthActivities } from '../workflows/contract/month.ts';
import type { ActivityDeps } from './deps.ts';

/**
 * The activities of an account's schedules, and the one that arms them. Each reads PostgreSQL anew, so a late or
 * repeated run does no harm.
 */
export function createMonthSteps(deps: ActivityDeps): Omit<MonthActivities, 'repairSchedules'> {
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
  };
}
