import { sql } from 'kysely';
import type { Told } from '../../domain/channels/letters.ts';
import type { Locale } from '../../domain/messages.ts';
import { isCardsFault, type Decline, type TopUpPause } from '../../domain/payments/top-up.ts';
import type { Instant } from '../../domain/period.ts';
import { totalAvailable } from '../../domain/policy.ts';
import { writeNotification, type Outward } from '../channels/outbox.ts';
import { one, type Tx } from '../database.ts';
import type { LockedAccount } from '../money/locked-account.ts';
import { judgeCard } from './cards.ts';
import type { TopUpSettings } from './settings.ts';

interface Telling {
  readonly account: LockedAccount;
  readonly settings: TopUpSettings;
  readonly shop: { readonly outward: Outward };
}

/**
 * Nothing is bought automatically from now on, and the person is told. The caller holds the account's lock and has seen
 * that it is on.
 * @returns deliveries, to be started after the commit.
 */
export async function pauseTopUp(
  tx: Tx,
  { why, ...telling }: Telling & { why: TopUpPause },
): Promise<readonly string[]> {
  const { account, settings } = telling;
  const { accountId, now } = account;
  await sql`update auto_top_ups set state = 'paused', pause = ${why}, paused_at = ${new Date(now)}, claimed_until = null
    where account_id = ${accountId}`.execute(tx);
  if (isCardsFault(why) && settings.methodId !== null) await judgeCard(tx, settings.methodId, true);
  const { amount, currency } = settings;
  return tell(tx, telling, {
    told: { kind: 'topup.paused', figures: { pause: why, amount, currency } },
    key: `${accountId}/${now}`,
  });
}

/** The first decline of a streak. */
export function tellDecline(
  tx: Tx,
  {
    purchaseId,
    decline,
    nextTryAt,
    ...telling
  }: Telling & { purchaseId: string; decline: Decline; nextTryAt: Instant },
): Promise<readonly string[]> {
  const { amount, currency } = telling.settings;
  const { timeZone } = telling.account;
  const figures = { purchaseId, decline, nextTryAt, timeZone, amount, currency };
  return tell(tx, telling, { told: { kind: 'topup.declined', figures }, key: purchaseId });
}

/** Once a fall: a grant, or a new period, opens the next one. */
export async function tellReminder(tx: Tx, telling: Telling): Promise<readonly string[]> {
  const { account, settings } = telling;
  const { grants } = await one(
    sql<{
      grants: number;
    }>`select count(*)::float8 as grants from ledger_entries where account_id = ${account.accountId} and kind = 'grant'`,
    tx,
  );
  const { packId, amount, currency, tokens, bonusTokens } = settings;
  const remainingTokens = Math.max(0, totalAvailable(account.balance) - account.balance.used);
  return tell(tx, telling, {
    told: {
      kind: 'topup.reminder',
      figures: { packId, remainingTokens, tokens: tokens + bonusTokens, amount, currency },
    },
    key: `${account.period.label}/${grants}`,
  });
}

async function tell(
  tx: Tx,
  { account: { userId, now }, shop: { outward } }: Telling,
  { told, key }: { told: Told; key: string },
): Promise<readonly string[]> {
  const { locale } = await one(sql<{ locale: Locale }>`select locale from users where id = ${userId}`, tx);
  return (await writeNotification(tx, { userId, told, locale, purchaseUrl: '', key, now, outward })).deliveryIds;
}
