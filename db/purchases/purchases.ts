import { sql, type RawBuilder } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { AppError } from '../../domain/errors.ts';
import { WATCHED } from '../../domain/payments/next-look.ts';
import type { ProviderName } from '../../domain/payments/provider.ts';
import type { Bought, PurchaseState } from '../../domain/payments/purchase.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, one, type Database, type Sql, type Tx } from '../database.ts';
import { naming } from '../driver/outcome.ts';
import { Purchase } from '../entities/payments/purchase.ts';
import { findAccount, lockAccountRow } from '../money/accounts.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from '../page.ts';
import { insertPurchase, type NewPurchase } from './insert.ts';

/** How many purchases of an account may wait for their payment at the same time. */
export const MOST_OPEN = 5;

const columns = columnsOf(Purchase, 'p', {
  purchaseId: 'id',
  accountId: 'accountId',
  userId: 'userId',
  tokens: 'tokens',
  bonusTokens: 'bonusTokens',
  currency: 'currency',
  amount: 'amount',
  acceptedAmount: 'acceptedAmount',
  provider: 'provider',
  method: 'method',
  livemode: 'livemode',
  state: 'state',
  failure: 'failure',
  sessionId: 'providerSessionId',
  paymentId: 'providerPaymentId',
  idempotencyKey: 'idempotencyKey',
  receiptUrl: 'receiptUrl',
  cashReceiptUrl: 'cashReceiptUrl',
  expiresAt: 'expiresAt',
  dueAt: 'dueAt',
  createdAt: 'createdAt',
  paidAt: 'paidAt',
  lookedAt: 'lookedAt',
});
/** `customer`: whom the provider charges without asking; null of what the buyer pays themselves. */
const besideColumns = sql<{
  packId: string;
  nameKo: string;
  nameEn: string;
  customer: string | null;
}>`p.pack_id as "packId", k.name_ko as "nameKo", k.name_en as "nameEn", t.customer`;
const from = sql`purchases p join packs k on (k.id, k.version) = (p.pack_id, p.pack_version) left join top_ups t on t.purchase_id = p.id`;

/** Instants in milliseconds, money in the currency's smallest unit. */
export type PurchaseRow = RowOf<typeof columns> & RowOf<typeof besideColumns>;

/** What was bought, for the price that counts: the one that an admin has accepted, where they had to. */
export function boughtOf(purchase: PurchaseRow): Bought {
  return { ...purchase, amount: purchase.acceptedAmount ?? purchase.amount };
}

/**
 * Makes the purchase, or finds the one of the same key.
 * @throws AppError not_found, idempotency_conflict (the key bought something else), too_many_open_purchases.
 *   OutcomeUnknown with `purchaseId`.
 */
export async function createPurchase(database: Database, wanted: NewPurchase): Promise<PurchaseRow> {
  const purchaseId = uuidv7();
  return naming({ purchaseId }, () =>
    database.transaction(async (tx) => {
      const owner = await findAccount(tx, wanted.userId);
      if (owner === null) throw new AppError('not_found');
      // Two buttons that are pressed at once must not both find four open purchases.
      await lockAccountRow(tx, owner.accountId);
      const known = await findOne(tx, sql`p.account_id = ${owner.accountId} and p.idempotency_key = ${wanted.key}`);
      if (known !== null) return assertSame(known, wanted);
      const { open } = await one(
        sql<{ open: number }>`select count(*)::float8 as open from purchases
        where account_id = ${owner.accountId} and state in ('created', 'pending') and expires_at > clock_timestamp()`,
        tx,
      );
      if (open >= MOST_OPEN) throw new AppError('too_many_open_purchases', { most: MOST_OPEN });
      await insertPurchase(tx, { ...wanted, purchaseId, accountId: owner.accountId });
      return getPurchase(tx, purchaseId);
    }),
  );
}

function assertSame(known: PurchaseRow, { pack, provider, method }: NewPurchase): PurchaseRow {
  if (known.packId !== pack.packId || known.provider !== provider || known.method !== method)
    throw new AppError('idempotency_conflict');
  return known;
}

/** Remembers under which name the provider has the checkout. The first one stands. */
export async function nameSession(on: Sql, purchaseId: string, sessionId: string): Promise<void> {
  await sql`update purchases set provider_session_id = coalesce(provider_session_id, ${sessionId}) where id = ${purchaseId}`.execute(
    on,
  );
}

/**
 * Remembers the payment that the browser brought back, so that the provider is asked for it. Whether it is ours is
 * seen by looking.
 * @returns false when the purchase, or another one, has a payment already that is not this one.
 */
export async function namePayment(on: Sql, purchaseId: string, paymentId: string): Promise<boolean> {
  const named = await sql`update purchases p set provider_payment_id = ${paymentId}
    where id = ${purchaseId} and (provider_payment_id is null or provider_payment_id = ${paymentId})
      and not exists (select 1 from purchases o where o.provider = p.provider and o.provider_payment_id = ${paymentId} and o.id <> p.id)`.execute(
    on,
  );
  return Number(named.numAffectedRows) === 1;
}

/** @throws AppError not_found */
export async function getPurchase(on: Sql, purchaseId: string): Promise<PurchaseRow> {
  const found = await findPurchase(on, purchaseId);
  if (found === null) throw new AppError('not_found');
  return found;
}

/** Null when there is none. */
export function findPurchase(on: Sql, purchaseId: string): Promise<PurchaseRow | null> {
  return findOne(on, sql`p.id = ${purchaseId}`);
}

/** @throws AppError not_found, for another person's too. */
export async function getOwnPurchase(on: Sql, userId: number, purchaseId: string): Promise<PurchaseRow> {
  const found = await findOne(on, sql`p.id = ${purchaseId} and p.user_id = ${userId}`);
  if (found === null) throw new AppError('not_found');
  return found;
}

/** In no order. */
export async function getPurchases(on: Sql, purchaseIds: readonly string[]): Promise<PurchaseRow[]> {
  const { rows } =
    await sql<PurchaseRow>`select ${columns}, ${besideColumns} from ${from} where p.id = any(${purchaseIds}::uuid[])`.execute(
      on,
    );
  return rows;
}

/** By the provider's own name of its checkout or payment; null when no purchase has it. */
export async function findByProviderId(
  on: Sql,
  provider: ProviderName,
  id: { sessionId: string } | { paymentId: string },
): Promise<PurchaseRow | null> {
  const is =
    'sessionId' in id ? sql`p.provider_session_id = ${id.sessionId}` : sql`p.provider_payment_id = ${id.paymentId}`;
  return findOne(on, sql`p.provider = ${provider} and ${is}`);
}

export interface PurchaseFilter {
  readonly userId?: number | undefined;
  readonly state?: PurchaseState | undefined;
  readonly provider?: ProviderName | undefined;
}

/** Newest first. A page costs about what it shows, of all purchases as of one person's. */
export async function listPurchases(
  on: Sql,
  { filter, limit, cursor }: { filter: PurchaseFilter; limit: number; cursor: string | null },
): Promise<Page<PurchaseRow>> {
  const { userId, state, provider } = filter;
  const after = cursor === null ? null : decodeCursor(cursor, ['string', 'string']);
  const conditions = [
    sql`true`,
    ...(userId === undefined ? [] : [sql`p.account_id = (select id from accounts where user_id = ${userId})`]),
    ...(state === undefined ? [] : [sql`p.state = ${state}`]),
    ...(provider === undefined ? [] : [sql`p.provider = ${provider}`]),
    ...(after === null ? [] : [sql`(p.created_at, p.id) < (${after[0]}::timestamptz, ${after[1]}::uuid)`]),
  ];
  const { rows } = await sql<
    PurchaseRow & { key: string }
  >`select ${columns}, ${besideColumns}, p.created_at::text as key from ${from}
    where ${sql.join(conditions, sql` and `)}
    order by p.created_at desc, p.id desc limit ${limit + 1}`
    .execute(on)
    .catch(rethrowBadCursor);
  const page = pageOf(rows, limit, ({ key, purchaseId }) => encodeCursor([key, purchaseId]));
  return { ...page, items: page.items.map(({ key: _, ...row }) => row) };
}

/**
 * Purchases of which something may still be expected, those that were looked at longest ago first. Whether a look is
 * due is for `nextLookMs` to say; here only those are left out that were looked at after their end.
 */
export async function findAwaited(on: Sql, limit: number): Promise<PurchaseRow[]> {
  const ms = (length: number) => sql`${length}::float8 * interval '1 millisecond'`;
  const { rows } = await sql<PurchaseRow>`select ${columns}, ${besideColumns} from ${from}
    where p.created_at > now() - ${ms(WATCHED.disputed)} and p.state in ('created', 'pending', 'failed', 'awaiting_deposit', 'disputed', 'expired')
      and case when p.state = 'disputed' then true
        when p.due_at is null then p.state <> 'expired'
          and coalesce(p.looked_at, p.created_at) < p.expires_at + case when p.state = 'pending' then ${ms(WATCHED.pendingAfterEnd)} else ${ms(WATCHED.afterEnd)} end
        else coalesce(p.looked_at, p.created_at) < p.due_at + ${ms(WATCHED.depositAfterDue)} end
    order by coalesce(p.looked_at, p.created_at) limit ${limit}`.execute(on);
  return rows;
}

/** Purchases that were seen to be paid within a time, whatever became of them, in the mode of their provider. */
export async function* findPaidBetween(
  on: Sql,
  { provider, from: since, to }: { provider: { name: ProviderName; livemode: boolean }; from: number; to: number },
): AsyncGenerator<PurchaseRow> {
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const { rows } = await sql<PurchaseRow>`select ${columns}, ${besideColumns} from ${from}
      where p.provider = ${provider.name} and p.livemode = ${provider.livemode} and p.paid_at between ${new Date(since)} and ${new Date(to)}
        and p.state in ('paid', 'partially_refunded', 'refunded', 'disputed') and p.id > ${after} order by p.id limit 500`.execute(
      on,
    );
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.purchaseId;
  }
}

/** Locks the purchase. The caller holds its account's lock. */
export async function lockPurchase(tx: Tx, purchaseId: string): Promise<PurchaseRow> {
  await one(sql`select 1 from purchases where id = ${purchaseId} for no key update`, tx);
  return getPurchase(tx, purchaseId);
}

function findOne(on: Sql, which: RawBuilder<unknown>): Promise<PurchaseRow | null> {
  return first(sql<PurchaseRow>`select ${columns}, ${besideColumns} from ${from} where ${which}`, on);
}
