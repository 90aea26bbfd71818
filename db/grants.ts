import { sql } from 'kysely';
import { MAX_TOKENS_PER_ENTRY } from '../domain/balance.ts';
import { AppError } from '../domain/errors.ts';
import { lockAccount } from './accounts.ts';
import { first, one, violatedConstraint, type Database } from './database.ts';
import { bookGrant, bookReversal } from './ledger.ts';
import { findAccount } from './users.ts';

export interface GrantResult {
  readonly entryId: number;
  readonly purchasedTokens: number;
  readonly debtTokens: number;
  /** The key was known: the first grant's entry, nothing booked now. */
  readonly repeated: boolean;
}

/** @throws AppError not_found, invalid_request, idempotency_conflict (the key granted another amount). */
export async function grantTokens(database: Database, grant: { userId: number; tokens: number; reason: string; key: string; now?: number }): Promise<GrantResult> {
  assertGrant(grant);
  return database.transaction(async (tx) => {
    const owner = await findAccount(tx, grant.userId);
    if (owner === null) throw new AppError('not_found');
    const account = await lockAccount(tx, { accountId: owner.accountId, now: grant.now ?? Date.now() });
    const known = await first(sql<{ id: number; tokens: number }>`select id::float8 as id, tokens::float8 as tokens from ledger_entries
      where account_id = ${owner.accountId} and kind = 'grant' and idempotency_key = ${grant.key}`, tx);
    if (known !== null) {
      if (known.tokens !== grant.tokens) throw new AppError('idempotency_conflict');
      return { entryId: known.id, purchasedTokens: account.balance.purchased, debtTokens: account.balance.debt, repeated: true };
    }
    const { entryId, balance } = await bookGrant(tx, account, grant).catch(rethrowOverflow);
    return { entryId, purchasedTokens: balance.purchased, debtTokens: balance.debt, repeated: false };
  });
}

/**
 * Takes back all or part of a grant (a refund, a dispute); what the balance lacks becomes debt.
 * @throws AppError not_found, invalid_request, idempotency_conflict (the key reversed another grant or amount).
 */
export async function reverseGrant(database: Database, reversal: { entryId: number; tokens: number; reason: string; key: string; now?: number }): Promise<GrantResult> {
  assertGrant(reversal);
  return database.transaction(async (tx) => {
    const grant = await first(sql<{ accountId: number; tokens: number }>`select account_id::float8 as "accountId", tokens::float8 as tokens
      from ledger_entries where id = ${reversal.entryId} and kind = 'grant'`, tx);
    if (grant === null) throw new AppError('not_found');
    const account = await lockAccount(tx, { accountId: grant.accountId, now: reversal.now ?? Date.now() });
    const known = await first(sql<{ id: number; reversesId: number; tokens: number }>`
      select id::float8 as id, reverses_id::float8 as "reversesId", -tokens::float8 as tokens from ledger_entries
      where account_id = ${grant.accountId} and kind = 'reversal' and idempotency_key = ${reversal.key}`, tx);
    if (known !== null) {
      if (known.tokens !== reversal.tokens || known.reversesId !== reversal.entryId) throw new AppError('idempotency_conflict');
      return { entryId: known.id, purchasedTokens: account.balance.purchased, debtTokens: account.balance.debt, repeated: true };
    }
    const { reversed } = await one(sql<{ reversed: number }>`select coalesce(-sum(tokens), 0)::float8 as reversed from ledger_entries
      where account_id = ${grant.accountId} and reverses_id = ${reversal.entryId}`, tx);
    if (reversed + reversal.tokens > grant.tokens) throw new AppError('invalid_request', { field: 'tokens', reason: 'more than was granted' });
    const { entryId, balance } = await bookReversal(tx, account, { ...reversal, reversesId: reversal.entryId });
    return { entryId, purchasedTokens: balance.purchased, debtTokens: balance.debt, repeated: false };
  });
}

function assertGrant({ tokens, reason }: { tokens: number; reason: string }): void {
  if (!Number.isSafeInteger(tokens) || tokens < 1 || tokens > MAX_TOKENS_PER_ENTRY) {
    throw new AppError('invalid_request', { field: 'tokens', reason: 'must be an integer from 1 to 1000000000000' });
  }
  if (reason.trim() === '' || reason.length > 500) throw new AppError('invalid_request', { field: 'reason', reason: 'must have 1 to 500 characters' });
}

/** Every counter ends at 10^14, so that sums stay exact numbers. */
function rethrowOverflow(error: unknown): never {
  if (violatedConstraint(error) !== 'token_count_is_a_safe_integer') throw error;
  throw new AppError('invalid_request', { field: 'tokens', reason: 'the balance cannot hold that many' }, { cause: error });
}
