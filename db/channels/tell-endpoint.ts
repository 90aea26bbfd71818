import { sql } from 'kysely';
import type { Locale } from '../../domain/messages.ts';
import type { Instant } from '../../domain/period.ts';
import { instantOf, one, type Database, type Tx } from '../database.ts';
import { writeNotification, type Outward } from './outbox.ts';

/** Tells the owner that their endpoint was disabled. @returns deliveries, to be started after the commit. */
export async function tellOfEndpoint(
  database: Database,
  { userId, endpointId, host, outward }: { userId: number; endpointId: string; host: string; outward: Outward },
): Promise<readonly string[]> {
  return database.transaction(async (tx) => {
    const { locale, now } = await readOwner(tx, userId);
    const told = { kind: 'security.endpoint', figures: { endpointId, host } } as const;
    // Disabled again after it was enabled, it is told again.
    const key = `${endpointId}/${now}`;
    const { deliveryIds } = await writeNotification(tx, { userId, told, locale, purchaseUrl: '', key, now, outward });
    return deliveryIds;
  });
}

/** One event for one endpoint, to try it. @returns the delivery, to be started after the commit. */
export async function writeTestEvent(
  database: Database,
  { userId, endpointId }: { userId: number; endpointId: string },
): Promise<string> {
  return database.transaction(async (tx) => {
    const { now } = await readOwner(tx, userId);
    const at = new Date(now);
    const { id } = await one(
      sql<{ id: string }>`with told as (
        insert into notifications (user_id, kind, key, figures, title, body, purchase_url, created_at)
        values (${userId}, 'endpoint.test', ${`${endpointId}/${now}/`} || gen_random_uuid(), '{}', '', '', '', ${at}) returning id
      )
      insert into deliveries (notification_id, channel, address, due_at, queued_at)
      select id, 'webhook', ${endpointId}, ${at}, ${at} from told returning id::text as id`,
      tx,
    );
    return id;
  });
}

function readOwner(tx: Tx, userId: number): Promise<{ locale: Locale; now: Instant }> {
  return one(
    sql<{ locale: Locale; now: Instant }>`select locale, ${instantOf(tx)} as now from users where id = ${userId}`,
    tx,
  );
}
