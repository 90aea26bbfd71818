import { sql } from 'kysely';
import { first, type Database, type LockedBy, type Tx } from '../database.ts';

/**
 * Runs `work` in a transaction that locks the turn, in the lane of the account that pays for it (`database.locking`).
 * For a turn that does not exist it is a transaction as any other, and finds nothing.
 */
export async function lockingTurn<T>(
  database: Database,
  { turnId, isPatient = false }: { readonly turnId: string } & Pick<LockedBy, 'isPatient'>,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  const accountId = await findPayerId(database, turnId);
  return accountId === null ? database.transaction(work) : database.locking({ accountId, isPatient }, work);
}

/** Runs a statement that locks the turn by itself, in the same lane. */
export async function inLaneOfTurn<T>(
  database: Database,
  { turnId, isPatient = false }: { readonly turnId: string } & Pick<LockedBy, 'isPatient'>,
  work: () => Promise<T>,
): Promise<T> {
  const accountId = await findPayerId(database, turnId);
  return accountId === null ? work() : database.inLane({ accountId, isPatient }, work);
}

/** Who pays for a turn never changes, so each process reads it once. Enough for the turns that run at any time. */
const MOST_REMEMBERED = 10_000;
const payers = new WeakMap<Database, Map<string, number>>();

/** Saves reading it: whoever wrote the turn knows. */
export function rememberPayer(database: Database, turnId: string, accountId: number): void {
  const known = payers.get(database) ?? new Map<string, number>();
  payers.set(database, known);
  known.set(turnId, accountId);
  const [oldest] = known.keys();
  if (known.size > MOST_REMEMBERED && oldest !== undefined) known.delete(oldest);
}

async function findPayerId(database: Database, turnId: string): Promise<number | null> {
  const known = payers.get(database)?.get(turnId);
  if (known !== undefined) return known;
  const turn = await first(
    sql<{ accountId: number }>`select account_id::float8 as "accountId" from turns where id = ${turnId}`,
    database.sql,
  );
  if (turn !== null) rememberPayer(database, turnId, turn.accountId);
  return turn?.accountId ?? null;
}
