import { sql } from 'kysely';
import { AppError } from '../domain/errors.ts';
import type { Instant } from '../domain/period.ts';
import { totalAvailable, usedAtPercent } from '../domain/policy.ts';
import { describeUsage, type UsageState } from '../domain/usage-state.ts';
import { lockAccount, readAccount } from './accounts.ts';
import { one, type Database, type Sql } from './database.ts';
import { bookAdjustment } from './ledger.ts';

const DEBITS_IN_THE_MEAN = 20;

/** What an account is shown: the same figures that admission decides by, never cached (G7, G16). */
export async function readUsage(database: Database, { accountId, now }: { accountId: number; now: Instant }): Promise<UsageState> {
  const current = await readAccount(database.sql, { accountId, now })
    // The first touch in a new period opens it.
    ?? await database.transaction((tx) => lockAccount(tx, { accountId, now }));
  const recent = await readRecent(database.sql, accountId, now);
  return describeUsage({ ...current, ...recent });
}

/**
 * Puts an account at a level: used = min(ceil(total × percent / 100), ceiling), as one adjustment.
 * @throws AppError tokens_held while a hold is live, since it would move under it.
 */
export async function setTestUsage(
  database: Database, { accountId, percent, now }: { accountId: number; percent: number; now: Instant },
): Promise<UsageState> {
  await database.transaction(async (tx) => {
    const account = await lockAccount(tx, { accountId, now });
    if ((await readRecent(tx, accountId, now)).heldTokens > 0) throw new AppError('tokens_held', { retryAfter: 5 });
    await bookAdjustment(tx, account, usedAtPercent(totalAvailable(account.balance), percent), 'test usage');
  });
  return readUsage(database, { accountId, now });
}

/** Live holds and the last settled turns' debits, in one round trip. */
export async function readRecent(
  on: Sql, accountId: number, now: Instant,
): Promise<{ heldTokens: number; recentDebits: { count: number; sum: number } }> {
  const { heldTokens, count, sum } = await one(sql<{ heldTokens: number; count: number; sum: number }>`
    select
      (select coalesce(sum(tokens), 0)::float8 from holds
        where account_id = ${accountId} and state = 'pending' and expires_at > ${new Date(now)}) as "heldTokens",
      count(*)::int as count, coalesce(sum(tokens), 0)::float8 as sum
    from (select tokens from ledger_entries where account_id = ${accountId} and kind = 'debit' order by id desc limit ${DEBITS_IN_THE_MEAN}) d`, on);
  return { heldTokens, recentDebits: { count, sum } };
}
