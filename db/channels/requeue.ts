import { sql } from 'kysely';
import type { Sql } from '../database.ts';

/** Begins deliveries anew, whatever they came to. The caller has their workflows try now. */
export async function requeue(on: Sql, deliveryIds: readonly string[]): Promise<void> {
  if (deliveryIds.length === 0) return;
  await sql`update deliveries set state = 'pending', ended_at = null, error_code = null, unknowns = 0, trying_since = null,
      queued_at = ${on.clock()}, due_at = ${on.clock()}
    where id = any(${[...deliveryIds]}::uuid[])`.execute(on);
}
