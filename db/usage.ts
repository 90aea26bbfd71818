import { sql } from 'kysely';
import { AppError } from '../domain/errors.ts';
import type { Instant } from '../domain/period.ts';
import { totalAvailable, usedAtPercent } from '../domain/policy.ts';
import { describeUsage, type UsageReading, type UsageState } from '../domain/usage-state.ts';
import { lockAccount, readAccount } from './accounts.ts';
import { one, type Database, type Sql } from './database.ts';
import { bookAdjustment } from './ledger.ts';

const DEBITS_IN_THE_MEAN = 20;

/** What an account is shown, in one snapshot: the same figures that admission decides by, never cached (G7, G16). */
export async function readUsage(database: Database, { accountId, now }: { accountId: number; now: Instant }): Promise<UsageState> {
  const read = await readAccount(database.sql, { accountId, now, beside: selectRecent(accountId, now) });
  if (read !== null) return describeUsage({ ...read, ...recentOf(read) });
  // The first touch in a new period opens it.
  return database.transaction(async (tx) => {
    const opened = await lockAccount(tx, { accountId, now });
    return describeUsage({ ...opened, ...await readRecent(tx, accountId, now) });
  });
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

/** Live holds and the last settled turns' debits. For a holder of the account's lock: nobody moves them meanwhile. */
export async function readRecent(on: Sql, accountId: number, now: Instant): Promise<Recent> {
  return recentOf(await one(selectRecent(accountId, now), on));
}

type Recent = Pick<UsageReading, 'heldTokens' | 'recentDebits'>;

interface RecentRow {
  heldTokens: number;
  debitCount: number;
  debitSum: number;
}

function selectRecent(accountId: number, now: Instant) {
  return sql<RecentRow>`
    select
      (select coalesce(sum(tokens), 0)::float8 from holds
        where account_id = ${accountId} and state = 'pending' and expires_at > ${new Date(now)}) as "heldTokens",
      count(*)::int as "debitCount", coalesce(sum(tokens), 0)::float8 as "debitSum"
    from (select tokens from ledger_entries where account_id = ${accountId} and kind = 'debit' order by id desc limit ${DEBITS_IN_THE_MEAN}) d`;
}

function recentOf({ heldTokens, debitCount, debitSum }: RecentRow): Recent {
  return { heldTokens, recentDebits: { count: debitCount, sum: debitSum } };
}
