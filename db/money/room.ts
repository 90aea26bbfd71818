import { sql } from 'kysely';
import type { Tx } from '../database.ts';
import { findPayer, type StoredAccount } from './accounts.ts';
import { selectCap, type CapRow } from './key-caps.ts';

/** What admission decides by: who pays, and what of it others hold. */
export type Room = StoredAccount & CapRow & { readonly heldByOthers: number };

/**
 * The payer and the sum of its live holds without the turn's own, so that a restart does not compete with itself. A
 * hold past its expiry does not count, whether or not it has been marked. Beside it the cap of the turn's key.
 */
export function findRoom(tx: Tx, turnId: string): Promise<Room | null> {
  return findPayer(tx, {
    turnId,
    beside: (accountId) => sql<CapRow & { heldByOthers: number }>`select
        (select coalesce(sum(tokens), 0)::float8 from holds
          where account_id = ${accountId} and ended_at is null and expires_at > ${tx.clock()} and turn_id <> ${turnId}) as "heldByOthers", cap.*
      from (${selectCap(tx, { accountId, periodId: sql`payer."periodId"::bigint`, turnId })}) cap`,
  });
}
