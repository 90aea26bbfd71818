import { sql, type RawBuilder } from 'kysely';
import { nearestDayOf } from '../../domain/period.ts';
import { LEAST_ROOM, levelOf, totalAvailable } from '../../domain/policy.ts';
import type { Database } from '../database.ts';
import { readAccount } from './accounts.ts';
import { readCap } from './key-caps.ts';
import type { LockedAccount } from './locked-account.ts';

/**
 * So many refused questions of an account are kept (for a retry after a purchase, and for whoever asks what became of
 * them). Each has up to 32,000 characters, so the others leave nothing but their number (G40).
 */
export const KEPT_REFUSALS = 5;

/**
 * Refuses a new question of a BLOCKED account before anything of it is written, once enough are kept. All is read in
 * one snapshot, and only while the stored period is open: the first touch of a new one opens it, in admission. A
 * conversation that is not the person's is left to answer for itself.
 * @returns whether it is refused; then it is counted.
 */
export async function refuseAtDoor(
  database: Database,
  asking: { accountId: number; userId: number; conversationId: string | null },
): Promise<boolean> {
  const { accountId, userId, conversationId } = asking;
  const beside = sql<{ kept: number; isTheirs: boolean }>`select
      (select count(*)::int from (select 1 from turns where user_id = ${userId} and error_code = 'TOKEN_EXHAUSTED' and state = 'refused' limit ${KEPT_REFUSALS}) k) as kept,
      (${conversationId}::uuid is null or exists (select 1 from conversations where id = ${conversationId}::uuid and user_id = ${userId})) as "isTheirs"`;
  const account = await readAccount(database.sql, { accountId, beside });
  if (account === null || account.kept < KEPT_REFUSALS || !account.isTheirs) return false;
  if (levelOf(account.balance.used, totalAvailable(account.balance)) !== 'BLOCKED') return false;
  await database.inLane({ accountId }, () => countRefusal(account).execute(database.sql));
  return true;
}

/**
 * One more refusal for want of tokens, on a day of the month of the account's period, so that it counts in one month,
 * whatever zones there were.
 */
export function countRefusal({
  accountId,
  today,
  period,
}: Pick<LockedAccount, 'accountId' | 'today' | 'period'>): RawBuilder<unknown> {
  const day = nearestDayOf(period.label, today);
  return sql`insert into refusals (account_id, day, count) values (${accountId}, ${day}, 1)
    on conflict (account_id, day) do update set count = refusals.count + 1`;
}

/**
 * Whether a new question of a capped key is refused before anything of it is written: when its cap is used up, or
 * nearly so and enough refused questions are kept (G40). What lies between is admission's to decide.
 */
export async function capRefusesAtDoor(database: Database, key: { keyId: number; userId: number }): Promise<boolean> {
  const cap = await readCap(database, key.keyId);
  if (cap === null) return false;
  const left = cap.capTokens - cap.usedTokens;
  if (left <= 0) return true;
  if (left >= LEAST_ROOM) return false;
  const { rows } =
    await sql`select 1 from turns where user_id = ${key.userId} and error_code = 'KEY_CAP_REACHED' and state = 'refused' limit ${KEPT_REFUSALS}`.execute(
      database.sql,
    );
  return rows.length === KEPT_REFUSALS;
}
