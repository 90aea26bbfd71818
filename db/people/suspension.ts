import { sql } from 'kysely';
import type { AuditActor } from '../../domain/audit.ts';
import { AppError } from '../../domain/errors.ts';
import { writeAudit } from '../audit.ts';
import { first, type Database, type Tx } from '../database.ts';
import { findAccount } from '../money/accounts.ts';

export interface Suspension {
  readonly userId: number;
  readonly reason: string;
  readonly actor: AuditActor;
}

/**
 * From now on the user's account admits nothing: sends, retries and replays are refused by the API, and again by
 * `reserveTurn`. Turns that have their hold are asked to stop, and are charged for the text that has come. A turn
 * without a hold is refused when it asks for one.
 * @returns the turns that were asked to stop, now or before. Their workers have to be told (`announce`, `cancel`), as
 *   after any stop, and whoever suspended the user before may not have come to that.
 * @throws AppError not_found.
 */
export async function suspendUser(
  database: Database,
  { userId, reason, actor }: Suspension,
): Promise<{ stopping: string[] }> {
  return database.locking(await getAccount(database, userId), async (tx) => {
    const before = await lockSuspension(tx, userId);
    await sql`update accounts set suspended_at = coalesce(suspended_at, now()) where user_id = ${userId}`.execute(tx);
    const { rows } = await sql<{ id: string }>`update turns set stop_requested_at = coalesce(stop_requested_at, now())
      where user_id = ${userId} and state in ('accepted', 'running') and admitted_at is not null returning id`.execute(
      tx,
    );
    await writeAudit(tx, {
      actor,
      action: 'user.suspend',
      target: `user:${userId}`,
      reason,
      before,
      after: { suspended: true, stoppedTurns: rows.length },
    });
    return { stopping: rows.map(({ id }) => id) };
  });
}

/**
 * The user may send again. What was refused or failed meanwhile stays so until it is sent, retried or replayed.
 * @throws AppError not_found.
 */
export async function resumeUser(database: Database, { userId, reason, actor }: Suspension): Promise<void> {
  await database.locking(await getAccount(database, userId), async (tx) => {
    const before = await lockSuspension(tx, userId);
    await sql`update accounts set suspended_at = null where user_id = ${userId}`.execute(tx);
    await writeAudit(tx, {
      actor,
      action: 'user.resume',
      target: `user:${userId}`,
      reason,
      before,
      after: { suspended: false },
    });
  });
}

async function getAccount(database: Database, userId: number): Promise<{ accountId: number }> {
  const account = await findAccount(database.sql, userId);
  if (account === null) throw new AppError('not_found');
  return account;
}

/**
 * Takes the account's lock, which every admission takes. So an admission is either over before the suspension, or sees
 * it.
 */
async function lockSuspension(tx: Tx, userId: number): Promise<{ suspended: boolean }> {
  const account = await first(
    sql<{ suspended: boolean }>`select suspended_at is not null as suspended from accounts
    where user_id = ${userId} for no key update`,
    tx,
  );
  if (account === null) throw new AppError('not_found');
  return account;
}
