import type { Client } from '@temporalio/client';
import type { Database } from '../../db/database.ts';
import { readArmed } from '../../db/money/armed.ts';
import { findAccount, lockAccount } from '../../db/money/accounts.ts';
import { SCHEDULE_KINDS, type Planner } from '../../domain/schedules.ts';
import { createPlanner } from '../../platform/temporal/planner.ts';
import { createZonePlanner, type ArmedAccounts } from '../../platform/temporal/zone-planner.ts';
import { scheduledAccountOf } from '../arm-schedules.ts';

const ACCOUNTS_AT_A_TIME = 1_000;

/** The planner that is configured: a schedule for each account, or one for many. */
export function openPlanner(
  client: Client,
  { taskQueuePrefix, planner }: { readonly taskQueuePrefix: string; readonly planner: 'account' | 'zone' },
  database: Database,
): Planner {
  return planner === 'account'
    ? createPlanner(client, { taskQueuePrefix })
    : createZonePlanner(client, { taskQueuePrefix, armed: armedAccounts(database) });
}

function armedAccounts(database: Database): ArmedAccounts {
  return {
    async find(kind, userId) {
      const owner = await findAccount(database.sql, userId);
      if (owner === null) return null;
      const account = await database.locking(owner, (tx) => lockAccount(tx, owner.accountId));
      return isArmed(account.armed, kind) ? scheduledAccountOf(account) : null;
    },
    async *list() {
      for (let after = 0; ;) {
        const page = await readArmed(database.sql, { after, limit: ACCOUNTS_AT_A_TIME });
        const last = page.at(-1);
        if (last === undefined) return;
        for (const account of page)
          for (const kind of SCHEDULE_KINDS.filter((kind) => isArmed(account.armed, kind))) yield { kind, account };
        after = last.accountId;
      }
    },
  };
}

function isArmed(armed: { readonly reset: boolean; readonly alert: string | null }, kind: 'reset' | 'alert'): boolean {
  return kind === 'reset' ? armed.reset : armed.alert !== null;
}
