import { sql } from 'kysely';
import { morningOf } from '../../domain/reports/patterns.ts';
import type { PersonReport } from '../../domain/reports/person-report.ts';
import type { Locale } from '../../domain/messages.ts';
import { one, readClock, type Database } from '../database.ts';
import { writeNotification, type Outward } from './outbox.ts';

/**
 * Tells a person that a month's report is there, once a month. The mail leaves at 9 o'clock of the morning after, on
 * their wall clock.
 * @returns deliveries, to be started after the commit.
 */
export async function tellReport(
  database: Database,
  { userId, report, outward }: { userId: number; report: PersonReport; outward: Outward },
): Promise<readonly string[]> {
  return database.transaction(async (tx) => {
    const now = await readClock(tx);
    const { locale } = await one(sql<{ locale: Locale }>`select locale from users where id = ${userId}`, tx);
    const { label, usage, available, endsAt, timeZone } = report;
    const figures = {
      label,
      turns: usage.turns,
      usedTokens: usage.usedTokens,
      usagePercent: available.usagePercent,
    };
    const { deliveryIds } = await writeNotification(tx, {
      userId,
      told: { kind: 'usage.report', figures },
      locale,
      purchaseUrl: '',
      key: label,
      now,
      dueAt: Math.max(now, morningOf(endsAt, timeZone)),
      outward,
    });
    return deliveryIds;
  });
}
