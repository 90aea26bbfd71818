import type { ClientBase } from 'pg';
import { PRICE, TOKENS, type AtToss, type Effect } from './provider.ts';

interface Booked {
  readonly id: string;
  readonly state: string;
  readonly named: boolean;
  readonly grants: number;
  readonly tokens: number;
  readonly requested: number;
  readonly succeeded: number;
}

/** Purchases as PostgreSQL has them, by a statement of its own: none of the program's functions is used. */
async function readBooked(client: ClientBase, since = new Date(0)): Promise<Booked[]> {
  const { rows } = await client.query<Booked>(
    `
    select p.id, p.state, p.provider_payment_id is not null as named,
      (select count(*)::int from purchase_bookings b join ledger_entries e on e.id = b.entry_id where b.purchase_id = p.id and e.kind = 'grant') as grants,
      (select coalesce(sum(e.tokens), 0)::float8 from purchase_bookings b join ledger_entries e on e.id = b.entry_id where b.purchase_id = p.id) as tokens,
      (select count(*)::int from refunds r where r.purchase_id = p.id and r.state = 'requested') as requested,
      (select coalesce(sum(r.amount), 0)::int from refunds r where r.purchase_id = p.id and r.state = 'succeeded') as succeeded
    from purchases p where p.created_at >= $1`,
    [since],
  );
  return rows;
}

/** How far a purchase has come, at Toss and in the books. */
export const POINTS = [
  'stored, its window not opened',
  'agreed in the window, not named',
  'named, not taken',
  'taken at Toss, not booked',
  'deposit awaited',
  'deposit paid, not booked',
  'granted',
  'refund asked, not made at Toss',
  'refund made at Toss, not booked',
  'refunded',
] as const;
export type Point = (typeof POINTS)[number];

/** Where each purchase since then stands, the moment that everything was killed. */
export async function readPoints(
  client: ClientBase,
  { payments, effects }: { payments: readonly AtToss[]; effects: readonly Effect[] },
  since: Date,
): Promise<Map<string, Point>> {
  const atToss = new Map(payments.map((payment) => [payment.orderId, payment]));
  const cancelled = sumOf(effects, 'cancel');
  return new Map(
    (await readBooked(client, since)).map((booked) => [
      booked.id,
      pointOf(booked, atToss.get(booked.id), cancelled.get(booked.id) ?? 0),
    ]),
  );
}

function pointOf(
  { named, tokens, grants, requested, succeeded }: Booked,
  payment: AtToss | undefined,
  back: number,
): Point {
  if (payment === undefined) return 'stored, its window not opened';
  if (requested > 0) return back > succeeded ? 'refund made at Toss, not booked' : 'refund asked, not made at Toss';
  if (back > 0) return 'refunded';
  if (grants > 0 && tokens > 0) return 'granted';
  if (payment.status === 'WAITING_FOR_DEPOSIT') return 'deposit awaited';
  if (payment.isPaid) return payment.method === '가상계좌' ? 'deposit paid, not booked' : 'taken at Toss, not booked';
  return named ? 'named, not taken' : 'agreed in the window, not named';
}

/** What is wrong when all is quiet, one sentence each. */
export async function findWrongPurchases(
  client: ClientBase,
  { payments, effects }: { payments: readonly AtToss[]; effects: readonly Effect[] },
): Promise<string[]> {
  const paid = new Map(payments.filter(({ isPaid }) => isPaid).map((payment) => [payment.orderId, payment]));
  const taken = new Map<string, number>();
  for (const { what, orderId } of effects) if (what === 'confirm') taken.set(orderId, (taken.get(orderId) ?? 0) + 1);
  const cancelled = sumOf(effects, 'cancel');
  return (await readBooked(client)).flatMap(({ id, state, grants, tokens, requested, succeeded }) => {
    const payment = paid.get(id);
    const expected = payment === undefined ? 0 : Math.ceil((TOKENS * payment.kept) / PRICE);
    return [
      ...(tokens === expected ? [] : [`purchase ${id} (${state}) gave ${tokens} tokens instead of ${expected}`]),
      ...(grants === (payment === undefined ? 0 : 1) ? [] : [`purchase ${id} (${state}) was granted ${grants} times`]),
      ...((taken.get(id) ?? 0) <= 1 ? [] : [`purchase ${id} was taken ${taken.get(id)} times`]),
      ...(requested === 0 ? [] : [`a refund of purchase ${id} is still asked for`]),
      ...(succeeded === (cancelled.get(id) ?? 0)
        ? []
        : [`purchase ${id} got ${cancelled.get(id) ?? 0} back at Toss and ${succeeded} in the books`]),
    ];
  });
}

function sumOf(effects: readonly Effect[], kind: Effect['what']): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { what, orderId, amount } of effects)
    if (what === kind) sums.set(orderId, (sums.get(orderId) ?? 0) + amount);
  return sums;
}
