import { sql } from 'kysely';
import type { Locale } from '../../domain/messages.ts';
import { first, type Tx } from '../database.ts';
import type { LockedAccount } from '../money/locked-account.ts';
import { writeNotification, type Outward } from './outbox.ts';

/**
 * Tells a person that their free tokens are there again, once a period: those who were warned in the one before,
 * because nobody else waits for it.
 * @returns deliveries, to be started after the commit.
 */
export async function tellReset(
  tx: Tx,
  { accountId, userId, period, balance, timeZone, now }: LockedAccount,
  outward: Outward,
): Promise<readonly string[]> {
  const warned = await first(
    sql<{ locale: Locale }>`select locale from users where id = ${userId} and exists (
      select 1 from periods p join alerts a on a.period_id = p.id
      where p.account_id = ${accountId} and p.ends_at = ${new Date(period.startsAt)})`,
    tx,
  );
  if (warned === null) return [];
  const figures = {
    period: period.label,
    allowanceTokens: balance.allowance,
    purchasedTokens: balance.purchased,
    resetsAt: period.endsAt,
    timeZone,
  };
  const told = { kind: 'usage.reset', figures } as const;
  const { locale } = warned;
  const { deliveryIds } = await writeNotification(tx, {
    userId,
    told,
    locale,
    purchaseUrl: '',
    key: period.label,
    now,
    outward,
  });
  return deliveryIds;
}
