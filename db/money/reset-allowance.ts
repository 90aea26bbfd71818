import { sql } from 'kysely';
import type { Instant } from '../../domain/period.ts';
import { decideReset, type ResetOutcome } from '../../domain/reset.ts';
import { tellReset } from '../channels/tell-reset.ts';
import type { Outward } from '../channels/outbox.ts';
import { first, type Database, type Tx } from '../database.ts';
import { lockAccountRow, openAccount, periodOf, readLockedAccount } from './accounts.ts';
import type { LockedAccount } from './locked-account.ts';

export type AllowanceReset =
  | { readonly outcome: Extract<ResetOutcome, 'past_month'> }
  | {
      readonly outcome: Exclude<ResetOutcome, 'past_month'>;
      /** Label of the open period. */
      readonly period: string;
      /** Tokens used in the period before; 0 when there was none. */
      readonly closedUsedTokens: number;
      /** To be started after the commit. */
      readonly deliveryIds: readonly string[];
      /** Nothing was used in the closed period or in the open one, so the schedule has no work. */
      readonly idle: boolean;
    };

/**
 * One firing of the monthly reset, under the account's lock. Whichever comes first, a firing or another touch of the
 * account, opens the period, and the other finds it open (the unique account and label are the last guard).
 * @param firing.firedFor nominal time of the firing.
 */
export async function resetAllowance(
  database: Database,
  { accountId, firedFor, outward }: { accountId: number; firedFor: Instant; outward: Outward },
): Promise<AllowanceReset> {
  return database.locking({ accountId }, async (tx) => {
    await lockAccountRow(tx, accountId);
    const stored = await readLockedAccount(tx, accountId);
    const { now, timeZone } = stored;
    const outcome = decideReset({ last: periodOf(stored), firedFor, now, timeZone });
    if (outcome === 'past_month') return { outcome };
    const account = await openAccount(tx, stored);
    const closedUsedTokens = await readUsedBefore(tx, account);
    const idle = outcome !== 'not_due' && closedUsedTokens === 0 && account.balance.used === 0;
    const deliveryIds = outcome === 'not_due' ? [] : await tellReset(tx, account, outward);
    return { outcome, period: account.period.label, closedUsedTokens, idle, deliveryIds };
  });
}

async function readUsedBefore(tx: Tx, { accountId, period }: LockedAccount): Promise<number> {
  const before = await first(
    sql<{ used: number }>`select used_tokens::float8 as used from periods
    where account_id = ${accountId} and ends_at = ${new Date(period.startsAt)}`,
    tx,
  );
  return before?.used ?? 0;
}
