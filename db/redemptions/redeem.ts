import { sql, type RawBuilder } from 'kysely';
import { AppError } from '../../domain/errors.ts';
import { first, type Database, type Sql } from '../database.ts';
import { findAccount, lockAccount } from '../money/accounts.ts';
import { bookGrant } from '../money/ledger.ts';

export interface Redeemed {
  readonly tokens: number;
  /** Milliseconds. */
  readonly redeemedAt: number;
}

/**
 * Gives the account the code's tokens, once an account and as often as the code may be used: the code's row is locked,
 * and redemption, grant and count are one transaction.
 * @param wanted.hash SHA-256 of the code.
 * @throws AppError not_found, code_invalid (unknown, used up, expired or revoked; the answer does not say which).
 */
export async function redeemCode(
  database: Database,
  { userId, hash }: { userId: number; hash: Buffer },
): Promise<Redeemed> {
  const owner = await findAccount(database.sql, userId);
  if (owner === null) throw new AppError('not_found');
  // Nobody waits for anybody's lock who has no code that is good.
  if ((await findUsable(database.sql, hash)) === null) throw new AppError('code_invalid');
  return database.locking(owner, async (tx) => {
    const account = await lockAccount(tx, owner.accountId);
    const code = await findUsable(tx, hash, sql`for no key update of c`);
    const known = code === null ? null : await findRedemption(tx, { userId, hash });
    if (code === null || known !== null) throw new AppError('code_invalid');
    const { codeId, tokens, hint } = code;
    const { entryId } = await bookGrant(tx, account, { tokens, reason: `code …${hint}`, key: `redemption/${codeId}` });
    await sql`insert into redemptions (code_id, account_id, entry_id) values (${codeId}, ${owner.accountId}, ${entryId})`.execute(
      tx,
    );
    await sql`update redemption_codes set uses = uses + 1 where id = ${codeId}`.execute(tx);
    return { tokens, redeemedAt: account.now };
  });
}

/** What the account got for the code; null when it never redeemed it. */
export function findRedemption(on: Sql, { userId, hash }: { userId: number; hash: Buffer }): Promise<Redeemed | null> {
  return first(
    sql<Redeemed>`select b.tokens::float8 as tokens, extract(epoch from date_trunc('milliseconds', r.created_at))::float8 * 1000 as "redeemedAt"
      from redemptions r join redemption_codes c on c.id = r.code_id join code_batches b on b.id = c.batch_id
        join accounts a on a.id = r.account_id
      where c.code_hash = ${hash} and a.user_id = ${userId}`,
    on,
  );
}

function findUsable(
  on: Sql,
  hash: Buffer,
  lock: RawBuilder<unknown> = sql``,
): Promise<{ codeId: number; tokens: number; hint: string } | null> {
  return first(
    sql<{ codeId: number; tokens: number; hint: string }>`
      select c.id::float8 as "codeId", b.tokens::float8 as tokens, c.hint
      from redemption_codes c join code_batches b on b.id = c.batch_id
      where c.code_hash = ${hash} and c.revoked_at is null and c.uses < c.max_uses
        and (b.expires_at is null or b.expires_at > clock_timestamp())
      ${lock}`,
    on,
  );
}
