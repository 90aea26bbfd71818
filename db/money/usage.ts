import { sql, type RawBuilder } from 'kysely';
import type { Balance } from '../../domain/balance.ts';
import { AppError } from '../../domain/errors.ts';
import { forecastDepletion, type Pace } from '../../domain/forecast.ts';
import { totalAvailable, usedAtPercent } from '../../domain/policy.ts';
import { describeUsage, type UsageReading, type UsageState } from '../../domain/usage-state.ts';
import { one, type Database, type Sql, type Tx } from '../database.ts';
import { findPayer, lockAccount, readAccount, type StoredAccount } from './accounts.ts';
import { bookAdjustment } from './ledger.ts';
import type { LockedAccount } from './locked-account.ts';

const DEBITS_IN_THE_MEAN = 20;

/**
 * All that an account is shown, in one snapshot: the same figures by which admission decides, never cached (G7, G16).
 */
export async function readUsage(database: Database, { accountId }: { accountId: number }): Promise<UsageState> {
  const on = database.sql;
  const beside = sql<
    RecentRow & Pace & Door
  >`select * from (${selectRecent(on, accountId)}) recent cross join (${selectPace(on, accountId)}) pace
    cross join (${selectDoor(accountId)}) door`;
  const read = await readAccount(on, { accountId, beside });
  if (read !== null) return stateOf(read, recentOf(read), read, read);
  // The first touch in a new period opens it.
  return database.locking({ accountId }, async (tx) => {
    const opened = await lockAccount(tx, accountId);
    const recent = await readRecent(tx, accountId);
    return stateOf(opened, recent, await one(selectPace(tx, accountId), tx), await one(selectDoor(accountId), tx));
  });
}

function stateOf(account: LockedAccount, recent: Recent, pace: Pace, { suspended }: Door): UsageState {
  const figures = describeUsage({ ...account, ...recent });
  return {
    ...figures,
    asOf: account.now,
    depletesAt: forecastDepletion({
      now: account.now,
      timeZone: account.timeZone,
      remaining: figures.remainingTokens,
      resetsAt: figures.resetsAt,
      pace,
    }),
    suspended,
  };
}

/**
 * Sets an account's used tokens to min(ceil(total × percent / 100), ceiling), as one adjustment.
 * @throws AppError tokens_held while a hold is live, because its room would change under it.
 */
export async function setTestUsage(
  database: Database,
  { accountId, percent }: { accountId: number; percent: number },
): Promise<UsageState> {
  await database.locking({ accountId }, async (tx) => {
    const account = await lockAccount(tx, accountId);
    if ((await readRecent(tx, accountId)).heldTokens > 0) throw new AppError('tokens_held', { retryAfter: 5 });
    await bookAdjustment(tx, account, usedAtPercent(totalAvailable(account.balance), percent), 'test usage');
  });
  return readUsage(database, { accountId });
}

/**
 * Live holds and the debits of the last settled turns. The caller holds the account's lock, so nobody moves them
 * meanwhile.
 */
async function readRecent(on: Sql, accountId: number): Promise<Recent> {
  return recentOf(await one(selectRecent(on, accountId), on));
}

/** Count and sum of the debits of the account's last 20 settled turns: what a turn of it costs. */
export async function readRecentDebits(database: Database, accountId: number): Promise<Recent['recentDebits']> {
  return (await readRecent(database.sql, accountId)).recentDebits;
}

/**
 * Finds who pays for a turn, with what the answer's warning will need (the other holds, and the debits that stay in the
 * mean beside the turn's own) and below what tokens are bought automatically: null where nobody asks for it now.
 */
export function findPayerBeforeSettle(
  tx: Tx,
  turnId: string,
): Promise<(StoredAccount & RecentRow & TopUpThreshold) | null> {
  return findPayer(tx, {
    turnId,
    beside: (accountId) =>
      sql<RecentRow & TopUpThreshold>`select recent.*, ${selectTopUpBelow(tx, accountId)} as "topUpBelow"
        from (${selectRecentOf(tx, accountId, { exceptTurnId: turnId, debits: DEBITS_IN_THE_MEAN - 1 })}) recent`,
  });
}

export interface TopUpThreshold {
  readonly topUpBelow: number | null;
}

/** Null while another look has the claim. */
function selectTopUpBelow(on: Sql, accountId: RawBuilder<unknown>): RawBuilder<number | null> {
  return sql`(select below_tokens::float8 from auto_top_ups where account_id = ${accountId} and state = 'on'
    and (claimed_until is null or claimed_until <= ${on.clock()}))`;
}

/** Whether the account is below the threshold of its auto top-up, and nobody has the claim. */
export async function isTopUpDue(on: Sql, accountId: number): Promise<boolean> {
  const below = sql<TopUpThreshold>`select ${selectTopUpBelow(on, sql`${accountId}::bigint`)} as "topUpBelow"`;
  const read = await readAccount(on, { accountId, beside: below });
  return read !== null && isBelow(read.balance, read);
}

export function isBelow(balance: Balance, { topUpBelow }: TopUpThreshold): boolean {
  return topUpBelow !== null && totalAvailable(balance) - balance.used < topUpBelow;
}

/** What `readRecent` will return once the turn is settled. */
export function recentAfterSettle({ heldTokens, debitCount, debitSum }: RecentRow, tokens: number): Recent {
  return { heldTokens, recentDebits: { count: debitCount + (tokens > 0 ? 1 : 0), sum: debitSum + tokens } };
}

type Recent = Pick<UsageReading, 'heldTokens' | 'recentDebits'>;

interface RecentRow {
  heldTokens: number;
  debitCount: number;
  debitSum: number;
}

function selectRecent(on: Sql, accountId: number) {
  return selectRecentOf(on, sql`${accountId}`, { exceptTurnId: null, debits: DEBITS_IN_THE_MEAN });
}

/**
 * The debits are ordered by (account, id), an order that only the account's index has. By id alone, the planner would
 * walk the whole ledger from its end for an account that was once busy.
 * @param account its id, as a value or a column.
 */
function selectRecentOf(
  on: Sql,
  account: RawBuilder<unknown>,
  { exceptTurnId, debits }: { exceptTurnId: string | null; debits: number },
) {
  return sql<RecentRow>`
    select
      (select coalesce(sum(tokens), 0)::float8 from holds where account_id = ${account} and ended_at is null and expires_at > ${on.clock()}
        and turn_id is distinct from ${exceptTurnId}::uuid) as "heldTokens",
      count(*)::int as "debitCount", coalesce(sum(tokens), 0)::float8 as "debitSum"
    from (select tokens from ledger_entries where account_id between ${account} and ${account} and kind = 'debit' order by account_id, id desc limit ${debits}) d`;
}

function recentOf({ heldTokens, debitCount, debitSum }: RecentRow): Recent {
  return { heldTokens, recentDebits: { count: debitCount, sum: debitSum } };
}

interface Door {
  suspended: boolean;
}

function selectDoor(accountId: number) {
  return sql<Door>`select suspended_at is not null as suspended from accounts where id = ${accountId}`;
}

/** Reads 8 days of rollups, which contain every day that the forecast may look at in any zone. */
export function selectPace(on: Sql, account: number | RawBuilder<unknown>) {
  const accountId = sql`${account}`;
  const from = sql`${on.clock()} - interval '8 days'`;
  return sql<Pace>`
    select
      (select floor(extract(epoch from created_at) * 1000)::float8 from ledger_entries
        where account_id between ${accountId} and ${accountId} and kind = 'debit' order by account_id desc, id limit 1) as "firstDebitAt",
      (select coalesce(jsonb_agg(jsonb_build_object('day', u.day, 'tokens', u.used_tokens)), '[]') from periods p join usage_rollups u on u.period_id = p.id
        where p.account_id = ${accountId} and p.ends_at > ${from} and u.day >= (${from})::date and u.rate_id is not null) as debits`;
}
