import { sql } from 'kysely';
import type { AuditAction, AuditActor, AuditTarget } from '../../domain/audit.ts';
import { MAX_TOKENS_PER_ENTRY, type Balance } from '../../domain/balance.ts';
import { AppError } from '../../domain/errors.ts';
import type { Instant } from '../../domain/period.ts';
import { isReason, MOST_REASON } from '../../domain/text.ts';
import { writeAudit } from '../audit.ts';
import { columnsOf } from '../columns.ts';
import { first, one, violatedConstraint, type Database, type Tx } from '../database.ts';
import { Account } from '../entities/account.ts';
import { AuditEntry } from '../entities/audit-entry.ts';
import { LedgerEntry } from '../entities/ledger-entry.ts';
import { findAccount, lockAccount } from './accounts.ts';
import { bookGrant, bookReversal, type Booked } from './ledger.ts';

/** A grant or a reversal, as the ledger has it. */
export interface GrantEntry {
  readonly entryId: number;
  readonly userId: number;
  readonly accountId: number;
  /** The tokens granted or taken back. */
  readonly tokens: number;
  readonly reason: string;
  /** The grant that a reversal takes back; null for a grant. */
  readonly reversesId: number | null;
  readonly createdAt: Instant;
}

export interface GrantResult extends GrantEntry {
  /** The balances as they are now. */
  readonly purchasedTokens: number;
  readonly debtTokens: number;
  /** The key was known, so this is the first entry, and nothing was booked now. */
  readonly repeated: boolean;
}

interface Wish {
  readonly tokens: number;
  readonly reason: string;
  /** A key books once, however often it is sent. */
  readonly key: string;
  /** The admin, for the audit log. Absent when no admin acted (a purchase). */
  readonly actor?: AuditActor;
}

/**
 * @throws AppError not_found, invalid_request, idempotency_conflict (the key granted another amount, for another
 *   reason, or for another admin).
 */
export async function grantTokens(database: Database, grant: Wish & { userId: number }): Promise<GrantResult> {
  assertWish(grant);
  const owner = await findAccount(database.sql, grant.userId);
  if (owner === null) throw new AppError('not_found');
  return unlessRefused(
    await database.locking(owner, (tx) => bookOnce(tx, { ...grant, ...owner, kind: 'grant', reversesId: null })),
  );
}

/**
 * Takes back all or part of a grant (a refund, a dispute). What the balance lacks becomes debt.
 * @throws AppError not_found, invalid_request, idempotency_conflict (the key reversed another grant or amount, for
 *   another reason, or for another admin).
 */
export async function reverseGrant(database: Database, reversal: Wish & { entryId: number }): Promise<GrantResult> {
  assertWish(reversal);
  const grant = await first(
    sql<{ accountId: number }>`select ${columnsOf(LedgerEntry, 'e', ['accountId'])} from ledger_entries e
      where id = ${reversal.entryId} and kind = 'grant'`,
    database.sql,
  );
  if (grant === null) throw new AppError('not_found');
  return unlessRefused(
    await database.locking(grant, (tx) =>
      bookOnce(tx, { ...reversal, ...grant, kind: 'reversal', reversesId: reversal.entryId }),
    ),
  );
}

/** A refusal that the audit log keeps is thrown only when its entry is committed. */
function unlessRefused(booked: GrantResult | null): GrantResult {
  if (booked === null) throw new AppError('idempotency_conflict');
  return booked;
}

type Wanted = Wish & { readonly accountId: number } & (
    { readonly kind: 'grant'; readonly reversesId: null } | { readonly kind: 'reversal'; readonly reversesId: number }
  );

/** @returns null when another admin has used the key, which is audited. */
async function bookOnce(tx: Tx, wanted: Wanted): Promise<GrantResult | null> {
  const account = await lockAccount(tx, wanted.accountId);
  const known = await first(
    sql<GrantEntry>`${selectEntry} where e.account_id = ${wanted.accountId} and e.kind = ${wanted.kind} and e.idempotency_key = ${wanted.key}`,
    tx,
  );
  if (known !== null) {
    if (known.tokens !== wanted.tokens || known.reason !== wanted.reason || known.reversesId !== wanted.reversesId)
      throw new AppError('idempotency_conflict');
    if (wanted.actor !== undefined && !(await isOwn(tx, wanted.actor, known))) {
      await writeRefusalAudit(tx, wanted.actor, known);
      return null;
    }
    return resultOf(known, account.balance, true);
  }
  if (wanted.kind === 'reversal') await assertLeft(tx, wanted);
  const { entryId, balance } = await (
    wanted.kind === 'grant' ? bookGrant(tx, account, wanted) : bookReversal(tx, account, wanted)
  ).catch(rethrowOverflow);
  const entry = await one(sql<GrantEntry>`${selectEntry} where e.id = ${entryId}`, tx);
  if (wanted.actor !== undefined) await writeBookingAudit(tx, wanted.actor, entry, account.balance, balance);
  return resultOf(entry, balance, false);
}

/** Whether the audit log says that this admin, or nobody but a command, booked the entry. */
async function isOwn(tx: Tx, { adminId }: AuditActor, entry: GrantEntry): Promise<boolean> {
  const [action, target] = auditOf(entry);
  const booked = await first(
    sql<{ adminId: number | null }>`select ${columnsOf(AuditEntry, 'x', ['adminId'])} from audit_entries x
      where x.action = ${action} and x.target = ${target} and (x.after ->> 'entryId')::bigint = ${entry.entryId}`,
    tx,
  );
  return booked === null || booked.adminId === adminId;
}

function writeRefusalAudit(tx: Tx, actor: AuditActor, { reason, entryId, userId, tokens, reversesId }: GrantEntry) {
  return writeAudit(tx, {
    actor,
    action: 'tokens.refuse_key',
    target: auditOf({ userId, reversesId })[1],
    reason,
    after: { userId, entryId, tokens },
  });
}

/** What the booking of an entry is in the audit log. */
function auditOf({ userId, reversesId }: Pick<GrantEntry, 'userId' | 'reversesId'>): [AuditAction, AuditTarget] {
  return reversesId === null ? ['tokens.grant', `user:${userId}`] : ['tokens.reverse', `ledger_entry:${reversesId}`];
}

/** Refuses reversals that together would take back more than the grant gave. */
async function assertLeft(tx: Tx, { reversesId, tokens }: { reversesId: number; tokens: number }): Promise<void> {
  const { left } = await one(
    sql<{ left: number }>`select ((select tokens from ledger_entries where id = ${reversesId})
    + (select coalesce(sum(tokens), 0) from ledger_entries where reverses_id = ${reversesId}))::float8 as "left"`,
    tx,
  );
  if (tokens > left)
    throw new AppError('invalid_request', { field: 'tokens', reason: `more than is left of the grant (${left})` });
}

async function writeBookingAudit(
  tx: Tx,
  actor: AuditActor,
  entry: GrantEntry,
  before: Balance,
  after: Balance,
): Promise<void> {
  const [action, target] = auditOf(entry);
  const figures = ({ purchased, debt, overage }: Balance) => ({
    purchasedTokens: purchased,
    debtTokens: debt,
    overageTokens: overage,
  });
  await writeAudit(tx, {
    actor,
    action,
    target,
    reason: entry.reason,
    before: figures(before),
    after: { ...figures(after), userId: entry.userId, entryId: entry.entryId, tokens: entry.tokens },
  });
}

function resultOf(entry: GrantEntry, { purchased, debt }: Booked['balance'], repeated: boolean): GrantResult {
  return { ...entry, purchasedTokens: purchased, debtTokens: debt, repeated };
}

const selectEntry = sql`
  select ${columnsOf(LedgerEntry, 'e', { entryId: 'id', accountId: 'accountId', reason: 'reason', reversesId: 'reversesId', createdAt: 'createdAt' })},
    abs(e.tokens)::float8 as tokens, ${columnsOf(Account, 'a', ['userId'])}
  from ledger_entries e join accounts a on a.id = e.account_id`;

function assertWish({ tokens, reason }: Wish): void {
  if (!Number.isSafeInteger(tokens) || tokens < 1 || tokens > MAX_TOKENS_PER_ENTRY) {
    throw new AppError('invalid_request', { field: 'tokens', reason: 'must be an integer from 1 to 1000000000000' });
  }
  if (!isReason(reason))
    throw new AppError('invalid_request', { field: 'reason', reason: `must have 1 to ${MOST_REASON} characters` });
}

/** Translates the overflow of a counter. Every counter ends at 10^14, so that sums stay exact numbers. */
function rethrowOverflow(error: unknown): never {
  if (violatedConstraint(error) !== 'token_count_is_a_safe_integer') throw error;
  throw new AppError(
    'invalid_request',
    { field: 'tokens', reason: 'the balance cannot hold that many' },
    { cause: error },
  );
}
