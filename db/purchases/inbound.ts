import { sql } from 'kysely';
import type { ProviderName } from '../../domain/payments/provider.ts';
import type { Sql } from '../database.ts';

/** A provider sends about ten a purchase. Not all of them sign, so whoever bought it could send any number. */
const MOST_OF_PURCHASE = 200;

/** Remembers that a webhook about a purchase came, and how often; the first 200 of it. It decides nothing. */
export async function noteWebhook(
  on: Sql,
  {
    provider,
    eventId,
    type,
    purchaseId,
  }: { provider: ProviderName; eventId: string; type: string; purchaseId: string },
): Promise<void> {
  await sql`insert into inbound_events (provider, event_id, type, purchase_id)
    select ${provider}, ${eventId}, ${type}, ${purchaseId}::uuid
    where (select count(*) from inbound_events where purchase_id = ${purchaseId}::uuid) < ${MOST_OF_PURCHASE}
    on conflict (provider, event_id) do update set times = inbound_events.times + 1`.execute(on);
}

/** Long after the last time at which a provider sends a webhook again, or a dispute may be asked about. */
const KEPT_DAYS = 90;
const AT_A_TIME = 5_000;

/** Forgets webhooks of long ago, in steps that hold nobody up. @param onStep is called between them. */
export async function forgetWebhooks(on: Sql, { onStep }: { onStep: () => void }): Promise<void> {
  for (;;) {
    const gone = await sql`delete from inbound_events where ctid = any(array(
      select ctid from inbound_events where received_at < now() - ${KEPT_DAYS} * interval '1 day' limit ${AT_A_TIME}))`.execute(
      on,
    );
    if (Number(gone.numAffectedRows) < AT_A_TIME) return;
    onStep();
  }
}
