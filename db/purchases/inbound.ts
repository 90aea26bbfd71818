import { sql } from 'kysely';
import type { ProviderName } from '../../domain/payments/provider.ts';
import type { Sql } from '../database.ts';

/** Remembers that a webhook about a purchase came, and how often. It decides nothing. */
export async function noteWebhook(
  on: Sql,
  {
    provider,
    eventId,
    type,
    purchaseId,
  }: { provider: ProviderName; eventId: string; type: string; purchaseId: string },
): Promise<void> {
  await sql`insert into inbound_events (provider, event_id, type, purchase_id) values (${provider}, ${eventId}, ${type}, ${purchaseId})
    on conflict (provider, event_id) do update set times = inbound_events.times + 1`.execute(on);
}
