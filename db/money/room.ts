import { sql } from 'kysely';
import type { TurnInstructions } from '../../domain/own-instructions.ts';
import { instructionsOf } from '../conversations/own-instructions.ts';
import type { Tx } from '../database.ts';
import { findPayer, type StoredAccount } from './accounts.ts';
import { selectCap, type CapRow } from './key-caps.ts';

/** What admission decides by: who pays, what of it others hold, and what else the model is told. */
export type Room = StoredAccount &
  CapRow & { readonly heldByOthers: number; readonly instructions: TurnInstructions | null };

/**
 * The payer and the sum of its live holds without the turn's own, so that a restart does not compete with itself. A
 * hold past its expiry does not count, whether or not it has been marked. Beside it the cap of the turn's key.
 */
export function findRoom(tx: Tx, turnId: string): Promise<Room | null> {
  return findPayer(tx, {
    turnId,
    beside: (accountId) => sql<CapRow & { heldByOthers: number; instructions: TurnInstructions | null }>`select
        (select coalesce(sum(tokens), 0)::float8 from holds
          where account_id = ${accountId} and ended_at is null and expires_at > ${tx.clock()} and turn_id <> ${turnId}) as "heldByOthers",
        ${instructionsOf(turnId)} as instructions, cap.*
      from (${selectCap(tx, { accountId, periodId: sql`payer."periodId"::bigint`, turnId })}) cap`,
  });
}
