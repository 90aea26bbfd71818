import { sql } from 'kysely';
import { followingMonth, startOfMonth } from '../../domain/period.ts';
import { morningOf } from '../../domain/reports/patterns.ts';
import type { PersonReport } from '../../domain/reports/person-report.ts';
import type { Locale } from '../../domain/messages.ts';
import { one, readClock, type Database } from '../database.ts';
import { writeNotification, type Outward } from './outbox.ts';

/**
 * Tells a person that a month's report is there, once a month. The mail leaves at 9 o'clock of the 1st, on the wall
 * clock of the zone that they have now, and never before 9 o'clock of a day.
 * @returns deliveries, to be started after the commit.
 */
export async function tellReport(
  database: Database,
  { userId, report, outward }: { userId: number; report: PersonReport; outward: Outward },
): Promise<readonly string[]> {
  return database.transaction(async (tx) => {
    const now = await readClock(tx);
    const { locale, timeZone } = await one(
      sql<{ locale: Locale; timeZone: string }>`select u.locale, a.time_zone as "timeZone"
        from users u join accounts a on a.user_id = u.id where u.id = ${userId}`,
      tx,
    );
    const { label, usage, available } = report;
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
      dueAt: Math.max(
        now,
        ...[startOfMonth(followingMonth(label), timeZone), now].map((at) => morningOf(at, timeZone)),
      ),
      outward,
    });
    return deliveryIds;
  });
}
