import { Context } from '@temporalio/activity';
import { readDue } from '../../db/money/armed.ts';
import { describeError } from '../../platform/telemetry/describe-error.ts';
import type { FanOutActivities } from '../../workflows/contract/fan-out.ts';
import type { MonthActivities } from '../../workflows/contract/month.ts';
import type { ActivityDeps } from '../deps.ts';
import type { CloseMonth } from './close-month.ts';

/** A batch of some seconds, so that a worker that goes leaves little behind. */
const ACCOUNTS_AT_A_TIME = 500;
/** Each takes a connection for its transaction: people keep most of them. */
const AT_ONCE = 4;

/** @param one what a firing of one account does. */
export function createFanOutSteps(
  deps: Pick<ActivityDeps, 'database' | 'log'>,
  { closeMonth, checkUsage }: { closeMonth: CloseMonth } & Pick<MonthActivities, 'checkUsage'>,
): FanOutActivities {
  return {
    async fireDue({ kind, timeZone, firedFor, after }) {
      const due = await readDue(deps.database.sql, { kind, timeZone, firedFor, after, limit: ACCOUNTS_AT_A_TIME });
      const outcomes: Record<string, number> = {};
      let failed = 0;
      const waiting = due.values();
      const fire = async () => {
        for (const { userId } of waiting) {
          try {
            const outcome =
              kind === 'reset' ? await closeMonth({ userId, firedFor }) : (await checkUsage({ userId })).outcome;
            outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
          } catch (error) {
            failed += 1;
            deps.log.warn({ userId, kind, err: describeError(error) }, 'an account could not be fired with the others');
          }
          Context.current().heartbeat();
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, fire));
      // Nothing but failures is an outage, and no batch: the activity is tried again.
      if (failed > 0 && failed === due.length) throw new Error(`none of ${failed} accounts could be fired`);
      return { outcomes, failed, after: due.length < ACCOUNTS_AT_A_TIME ? null : (due.at(-1)?.accountId ?? null) };
    },
  };
}
