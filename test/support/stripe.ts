import { expect } from '@jest/globals';
import { sql } from 'kysely';
import type { Sql } from '../../db/database.ts';
import type { Logger } from '../../platform/telemetry/log.ts';
import { startFakeStripe, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, type FakeStripe } from '../fake-payments/stripe.ts';
import type { StripeSession } from '../fake-payments/stripe-rows.ts';
import { buyerOf, selling } from './buyer.ts';
import { startTestStack, type Person, type TestStack } from './stack.ts';
import { until } from './until.ts';

/** A service that sells by a Stripe of our own, with a buyer and an admin. */
export interface StripeStack {
  readonly stack: TestStack;
  readonly stripe: FakeStripe;
  readonly sql: Sql;
  readonly hookUrl: string;
  person: Person;
  buyer: ReturnType<typeof buyerOf>;
  readonly admin: Person;
  newBuyer(): Promise<void>;
  /** A purchase that is paid, and its tokens granted. */
  paid(packId?: string): Promise<string>;
  /** Stripe's session of a purchase. */
  sessionOf(purchaseId: string): StripeSession;
  /** Stripe's name of its payment. */
  intentOf(purchaseId: string): string;
  /** An admin looks, at once and however often. */
  look(purchaseId: string): Promise<object>;
  lookRaw(purchaseId: string): Promise<{ status: number; body: { code: string } }>;
  /** What the ledger has of a purchase, the oldest first. */
  ledgerOf(purchaseId: string): Promise<number[]>;
  /** Webhooks about it that were heard. */
  heard(purchaseId: string): Promise<{ type: string; times: number }[]>;
  untilHeard(purchaseId: string, type: string): Promise<void>;
  /** A history with its payloads readable. */
  textOf(history: object): string;
  close(): Promise<void>;
}

export async function startStripeStack({
  log,
  env = {},
  now,
}: { log?: Logger; env?: Record<string, string>; now?: () => number } = {}): Promise<StripeStack> {
  const stripe = await startFakeStripe();
  const stack = await startTestStack(
    { ...(await selling()), STRIPE_API_URL: stripe.url, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, ...env },
    { ...(log === undefined ? {} : { log }), ...(now === undefined ? {} : { now }) },
  );
  const admin = await stack.person('admin');
  const db = stack.db.database.sql;
  const first = await stack.person();
  const at: StripeStack = {
    stack,
    stripe,
    sql: db,
    hookUrl: `${stack.url}/api/webhooks/stripe`,
    person: first,
    buyer: buyerOf(first, 'stripe'),
    admin,
    async newBuyer() {
      at.person = await stack.person();
      at.buyer = buyerOf(at.person, 'stripe');
    },
    async paid(packId) {
      const { purchaseId } = await at.buyer.buy(packId);
      stripe.book.pay(at.sessionOf(purchaseId).id);
      expect(await at.look(purchaseId)).toMatchObject({ state: 'paid' });
      return purchaseId;
    },
    sessionOf(purchaseId) {
      const found = [...stripe.book.sessions.values()].filter((known) => known.metadata['purchaseId'] === purchaseId);
      expect(found).toHaveLength(1);
      return found[0] as StripeSession;
    },
    intentOf: (purchaseId) => at.sessionOf(purchaseId).payment_intent ?? '',
    lookRaw: (purchaseId) => admin.call('POST', `/api/admin/purchases/${purchaseId}/look`),
    async look(purchaseId) {
      const { status, body } = await at.lookRaw(purchaseId);
      expect([status, body]).toEqual([200, expect.anything()]);
      return body;
    },
    async ledgerOf(purchaseId) {
      const { rows } = await sql<{ tokens: number }>`select e.tokens::float8 as tokens from purchase_bookings b
        join ledger_entries e on e.id = b.entry_id where b.purchase_id = ${purchaseId} order by e.id`.execute(db);
      return rows.map(({ tokens }) => tokens);
    },
    async heard(purchaseId) {
      const { rows } = await sql<{ type: string; times: number }>`
        select type, times from inbound_events where purchase_id = ${purchaseId}`.execute(db);
      return rows;
    },
    untilHeard: (purchaseId, type) =>
      until(async () => (await at.heard(purchaseId)).some((event) => event.type === type)),
    textOf: (history) =>
      JSON.stringify(history, (_, value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
      ),
    async close() {
      await stack.close();
      await stripe.close();
    },
  };
  return at;
}
