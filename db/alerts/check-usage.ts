import { sql } from 'kysely';
import { alertLevelOf, decideAlert, type AlertLevel, type SentAlert } from '../../domain/alerts.ts';
import { alertText, type Locale } from '../../domain/messages.ts';
import { totalAvailable, usagePercent } from '../../domain/policy.ts';
import { first, one, type Database, type Tx } from '../database.ts';
import { writeNotification, type Outward } from '../channels/outbox.ts';
import { lockAccount } from '../money/accounts.ts';
import { forgetNeedless } from '../money/armed.ts';
import type { LockedAccount } from '../money/locked-account.ts';

export type UsageCheck =
  | { readonly outcome: 'below'; readonly usagePercent: number }
  | { readonly outcome: 'sent_before'; readonly level: AlertLevel; readonly usagePercent: number }
  | {
      readonly outcome: 'sent';
      readonly level: AlertLevel;
      readonly usagePercent: number;
      readonly notificationId: number;
      /** To be started after the commit. */
      readonly deliveryIds: readonly string[];
    };

/**
 * Checks one account: its present level becomes an alert and a notification, unless one was sent within 24 hours. A
 * unique row (account, period, level, nth) decides under the account's lock before anything is sent, so that checks
 * that race send once (G20).
 */
export async function checkUsage(
  database: Database,
  { accountId, purchaseUrl, outward }: { accountId: number; purchaseUrl: string; outward: Outward },
): Promise<UsageCheck> {
  return database.locking({ accountId }, async (tx) => {
    const account = await lockAccount(tx, accountId);
    const { now } = account;
    const { used } = account.balance;
    const total = totalAvailable(account.balance);
    const percent = usagePercent(used, total);
    const level = alertLevelOf(account.balance);
    if (level === null) {
      await forgetNeedless(tx, account);
      return { outcome: 'below', usagePercent: percent };
    }
    const alert = decideAlert(await findLastAlert(tx, account, level), now);
    if (alert === null) return { outcome: 'sent_before', level, usagePercent: percent };
    const { id: alertId } = await one(
      sql<{ id: number }>`insert into alerts (account_id, period_id, level, nth, used_tokens, total_tokens, created_at)
      values (${accountId}, ${account.periodId}, ${level}, ${alert.nth}, ${used}, ${total}, ${new Date(now)}) returning id::float8 as id`,
      tx,
    );
    const { locale } = await one(sql<{ locale: Locale }>`select locale from users where id = ${account.userId}`, tx);
    const { period, timeZone, userId } = account;
    const figures = {
      level,
      usagePercent: percent,
      remainingTokens: Math.max(0, total - used),
      resetsAt: period.endsAt,
      timeZone,
      purchaseUrl,
    };
    const { notificationId, deliveryIds } = await writeNotification(tx, {
      userId,
      told: { kind: 'usage.alert', figures },
      locale,
      purchaseUrl,
      now,
      outward,
      alert: { alertId, level, ...alertText(figures, locale) },
    });
    if (notificationId === null) throw new Error('an alert has one notification, and this one is new');
    return { outcome: 'sent', level, usagePercent: percent, notificationId, deliveryIds };
  });
}

async function findLastAlert(
  tx: Tx,
  { accountId, periodId }: LockedAccount,
  level: AlertLevel,
): Promise<SentAlert | null> {
  return first(
    sql<SentAlert>`select nth, floor(extract(epoch from created_at) * 1000)::float8 as at from alerts
    where account_id = ${accountId} and period_id = ${periodId} and level = ${level} order by nth desc limit 1`,
    tx,
  );
}
