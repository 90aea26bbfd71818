import { sql } from 'kysely';
import type { Taken } from '../../domain/payments/listed.ts';
import type { ProviderName } from '../../domain/payments/provider.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import type { Sql } from '../database.ts';
import { UnmatchedPayment } from '../entities/payments/reconciled.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from '../page.ts';

const columns = columnsOf(UnmatchedPayment, 'u', {
  provider: 'provider',
  paymentId: 'paymentId',
  orderId: 'orderId',
  amount: 'amount',
  currency: 'currency',
  livemode: 'livemode',
  takenAt: 'takenAt',
  foundAt: 'foundAt',
});

/** Instants in milliseconds, money in the currency's smallest unit. */
export type UnmatchedRow = RowOf<typeof columns>;

/** Keeps a payment that is no purchase's. @returns whether it was not known. */
export async function keepUnmatched(
  on: Sql,
  payment: {
    readonly provider: ProviderName;
    readonly paymentId: string;
    readonly orderId: string | null;
    readonly livemode: boolean;
    readonly taken: Taken;
  },
): Promise<boolean> {
  const { provider, paymentId, orderId, livemode, taken } = payment;
  const kept =
    await sql`insert into unmatched_payments (provider, payment_id, order_id, amount, currency, livemode, taken_at)
    values (${provider}, ${paymentId}, ${orderId}, ${taken.amount}, ${taken.currency}, ${livemode}, ${new Date(taken.at)})
    on conflict do nothing`.execute(on);
  return Number(kept.numAffectedRows) === 1;
}

/** Newest first; without those that a purchase has turned out to have. */
export async function listUnmatched(
  on: Sql,
  { limit, cursor }: { limit: number; cursor: string | null },
): Promise<Page<UnmatchedRow>> {
  const after = cursor === null ? null : decodeCursor(cursor, ['string', 'string']);
  const { rows } = await sql<
    UnmatchedRow & { key: string }
  >`select ${columns}, u.taken_at::text as key from unmatched_payments u
    where not exists (select 1 from purchases p where p.provider = u.provider and p.provider_payment_id = u.payment_id)
      ${after === null ? sql`` : sql`and (u.taken_at, u.payment_id) < (${after[0]}::timestamptz, ${after[1]}::text)`}
    order by u.taken_at desc, u.payment_id desc limit ${limit + 1}`
    .execute(on)
    .catch(rethrowBadCursor);
  const page = pageOf(rows, limit, ({ key, paymentId }) => encodeCursor([key, paymentId]));
  return { ...page, items: page.items.map(({ key: _, ...row }) => row) };
}
