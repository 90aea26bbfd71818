import { sql } from 'kysely';
import { one, type Database } from '../db/database.ts';
import type { PricedModel } from '../domain/model.ts';
import { ceilingOf } from '../domain/policy.ts';
import { say } from '../scripts/services/say.ts';
import { acceptTurns, runPairs, type LedgerForm } from './pairs.ts';

/** Figures in tokens. At no moment may `mostCommitted` (used and held together) be more than `ceiling`. */
export interface Brim {
  readonly admitted: number;
  readonly refused: number;
  readonly usedTokens: number;
  readonly ceiling: number;
  readonly mostCommitted: number;
}

/**
 * 64 callers fill an account with room for a hundred holds. Meanwhile used + held is read again and again, each time in
 * one snapshot.
 */
export async function fillToTheBrim(
  database: Database,
  model: PricedModel,
  form: LedgerForm,
  accountId: number,
): Promise<Brim> {
  say('filling an account to the brim');
  const allowance = 100 * 2_100;
  await sql`update periods set allowance_tokens = ${allowance} where account_id = ${accountId}`.execute(database.sql);
  const committed = async () =>
    (
      await one(
        sql<{
          tokens: number;
        }>`select (p.used_tokens + (select coalesce(sum(tokens), 0) from holds where account_id = p.account_id and state = 'pending'))::float8 as tokens
    from periods p where p.account_id = ${accountId}`,
        database.sql,
      )
    ).tokens;
  let [mostCommitted, filling] = [0, true];
  const watching = (async () => {
    while (filling) mostCommitted = Math.max(mostCommitted, await committed());
  })();
  let [admitted, refused] = [0, 0];
  // Callers go on until not even the smallest hold fits.
  for (let round = 0; round < 10; round += 1) {
    const pairs = await runPairs(database, form, {
      callers: 64,
      turns: await acceptTurns(database, { accounts: [accountId], count: 1_000, model: model.name }),
    });
    admitted += pairs.settled;
    refused += pairs.refused;
    if (pairs.settled === 0) break;
  }
  filling = false;
  await watching;
  if (admitted === 0 || refused === 0)
    throw new Error(`nothing was tried at the brim: ${admitted} admitted, ${refused} refused`);
  const usedTokens = await committed();
  return {
    admitted,
    refused,
    usedTokens,
    ceiling: ceilingOf(allowance),
    mostCommitted: Math.max(mostCommitted, usedTokens),
  };
}
