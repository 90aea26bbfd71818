import { sql } from 'kysely';
import type { Currency } from '../../domain/payments/money.ts';
import type { Sql } from '../database.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from '../page.ts';

/** A dispute of a purchase, as far as it was seen. */
export interface DisputeRow {
  readonly purchaseId: string;
  /** Smallest unit: what it holds now. */
  readonly withdrawn: number;
  readonly isOpen: boolean;
  /** When it was first seen. Milliseconds. */
  readonly disputedAt: number;
}

/**
 * Purchases that are or were disputed, the newest dispute first.
 * @param wanted.isOpen null: whether or not it is over.
 */
export async function listDisputes(
  on: Sql,
  { isOpen, limit, cursor }: { isOpen: boolean | null; limit: number; cursor: string | null },
): Promise<Page<DisputeRow>> {
  const [at = null, id = null] = cursor === null ? [] : decodeCursor(cursor, ['number', 'string']);
  const { rows } = await sql<DisputeRow>`
    with disputed as (
      select purchase_id, date_trunc('milliseconds', min(seen_at)) as since from payment_snapshots where state = 'disputed' group by purchase_id
    )
    select d.purchase_id as "purchaseId", s.withdrawn, (s.payment ->> 'isDisputed')::boolean as "isOpen",
      extract(epoch from d.since)::float8 * 1000 as "disputedAt"
    from disputed d cross join lateral (
      select withdrawn, payment from payment_snapshots where purchase_id = d.purchase_id order by seq desc limit 1) s
    where (${isOpen}::boolean is null or (s.payment ->> 'isDisputed')::boolean = ${isOpen})
      and (${id}::uuid is null or (d.since, d.purchase_id) < (to_timestamp(${at}::float8 / 1000), ${id}::uuid))
    order by d.since desc, d.purchase_id desc limit ${limit + 1}`
    .execute(on)
    .catch(rethrowBadCursor);
  return pageOf(rows, limit, ({ disputedAt, purchaseId }) => encodeCursor([disputedAt, purchaseId]));
}

/** What came in and went out on a day, in the smallest unit. */
export interface DayRevenue {
  /** `2026-11-30`, on the asking admin's wall clock. */
  readonly day: string;
  readonly currency: Currency;
  /** Purchases that were first seen paid. */
  readonly purchases: number;
  readonly paid: number;
  readonly refunded: number;
  /** What disputes took, less what they gave back. */
  readonly withdrawn: number;
}

/**
 * Revenue by day and currency, by when each movement was seen: what differs between two looks at a payment. Money of a
 * test mode, and of the demo shop, is none. A payment that is not ours counts from when an admin has accepted it.
 * @param wanted.from the first day. @param wanted.to the last one.
 */
export async function readRevenue(
  on: Sql,
  { from, to, accountId }: { from: string; to: string; accountId: number },
): Promise<{ timeZone: string; items: DayRevenue[] }> {
  const { rows } = await sql<DayRevenue & { timeZone: string }>`
    with clock as (select time_zone from accounts where id = ${accountId}),
    looks as (
      select s.*, p.currency from payment_snapshots s join purchases p on p.id = s.purchase_id, clock c
      where p.livemode and s.seen_at >= ${from}::date::timestamp at time zone c.time_zone
        and s.seen_at < (${to}::date + 1)::timestamp at time zone c.time_zone
    ),
    moves as (
      select l.seen_at, l.currency, ${counted('l', 'paid')} - ${counted('b', 'paid')} as paid,
        ${counted('l', 'refunded')} - ${counted('b', 'refunded')} as refunded,
        ${counted('l', 'withdrawn')} - ${counted('b', 'withdrawn')} as withdrawn
      from looks l left join payment_snapshots b on b.purchase_id = l.purchase_id and b.seq = l.seq - 1
    )
    select c.time_zone as "timeZone", to_char(m.seen_at at time zone c.time_zone, 'YYYY-MM-DD') as day, m.currency,
      (count(*) filter (where m.paid > 0))::float8 as purchases, sum(m.paid)::float8 as paid,
      sum(m.refunded)::float8 as refunded, sum(m.withdrawn)::float8 as withdrawn
    from moves m, clock c where (m.paid, m.refunded, m.withdrawn) <> (0, 0, 0)
    group by 1, 2, 3 order by 2 desc, 3`.execute(on);
  const { rows: clock } = await sql<{
    timeZone: string;
  }>`select time_zone as "timeZone" from accounts where id = ${accountId}`.execute(on);
  return { timeZone: clock[0]?.timeZone ?? 'UTC', items: rows.map(({ timeZone: _, ...day }) => day) };
}

/** A figure of a look; nothing before the first, and while nobody knows whose the payment is. */
function counted(look: 'l' | 'b', figure: 'paid' | 'refunded' | 'withdrawn') {
  return sql.raw(`coalesce(case when ${look}.state <> 'mismatch' then ${look}.${figure} end, 0)`);
}
