import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { WorkflowNotFoundError } from '@temporalio/client';
import { sql } from 'kysely';
import { PAYMENTS_RECONCILE_IDS, purchaseWorkflowId } from '../../workflows/contract/ids.ts';
import { TestSchedule } from '../support/schedules.ts';
import { startStripeStack, type StripeStack } from '../support/stripe.ts';
import { buyerOf } from '../support/buyer.ts';
import { startFakeToss, TOSS_SECRET_KEY, type FakeToss } from '../fake-payments/toss.ts';
import { until } from '../support/until.ts';
import { parseExposition, valueOf } from '../ops/exposition.ts';

let at: StripeStack;
let toss: FakeToss;
beforeAll(async () => {
  toss = await startFakeToss();
  at = await startStripeStack({
    env: {
      TOSS_API_URL: toss.url,
      TOSS_SCRIPT_URL: `${toss.url}/v2/standard`,
      TOSS_SECRET_KEY,
      TOSS_CLIENT_KEY: 'test_ck_1',
    },
  });
});
afterAll(async () => {
  await at.close();
  await toss.close();
});
beforeEach(() => at.newBuyer());
afterEach(() => {
  at.stripe.desk.heal();
  toss.desk.heal();
});

interface Report {
  readonly providers: number;
  readonly converged: number;
  readonly mismatches: number;
  readonly unmatched: number;
  readonly missing: number;
}
/** A purchase at which its workflow has looked, so that it does not look again for two minutes. */
async function bought(): Promise<string> {
  const { purchaseId } = await at.buyer.buy();
  await until(async () => {
    const { rows } = await sql`select 1 from purchases where id = ${purchaseId} and looked_at is not null`.execute(
      at.sql,
    );
    return rows.length === 1;
  });
  return purchaseId;
}
/** One that is paid, and its tokens granted. */
async function paid(): Promise<string> {
  const purchaseId = await bought();
  at.stripe.book.pay(at.sessionOf(purchaseId).id);
  expect(await at.look(purchaseId)).toMatchObject({ state: 'paid' });
  return purchaseId;
}
/** One firing of the schedule. */
async function compare(comparison: 'hourly' | 'daily' = 'hourly'): Promise<Report> {
  const { workflowId, runId } = await new TestSchedule(at.stack, PAYMENTS_RECONCILE_IDS[comparison]).fire();
  return (await at.stack.temporal.client.workflow.getHandle(workflowId, runId).result()) as Report;
}
const purchased = async () => (await at.buyer.usage()).purchasedTokens;
interface Unmatched {
  readonly paymentId: string;
  readonly orderId: string | null;
  readonly amount: number;
}
const unmatched = async () =>
  ((await at.admin.call('GET', '/api/admin/payments/unmatched?limit=100')).body as { items: Unmatched[] }).items;
const metric = async (name: string, labels: Record<string, string>) =>
  valueOf(parseExposition(await at.stack.metrics.render()), name, labels);

describe('without any webhook, the comparison with Stripe’s lists finds', () => {
  test('a purchase whose buyer never came back, and one whose checkout’s name was lost', async () => {
    const [purchaseId, lost] = [await bought(), await bought()];
    for (const id of [purchaseId, lost]) at.stripe.book.pay(at.sessionOf(id).id);
    await sql`update purchases set provider_session_id = null where id = ${lost}`.execute(at.sql);
    // The schedule's own firing on the hour may have found one of them.
    await compare();
    expect(await purchased()).toBe(100_000);
    // It finds nothing more.
    expect(await compare()).toMatchObject({ converged: 0, mismatches: 0, unmatched: 0, missing: 0 });
  });

  test('a refund in the dashboard, a dispute, and an amount that differs, which grants nothing', async () => {
    const [refunded, disputed] = [await paid(), await paid()];
    at.stripe.book.createRefund({ payment_intent: at.intentOf(refunded), amount: '4000' });
    at.stripe.book.dispute(at.intentOf(disputed), 'withdraw');
    const purchaseId = await bought();
    const session = at.stripe.book.pay(at.sessionOf(purchaseId).id);
    at.stripe.book.sessions.set(session.id, { ...session, amount_total: 100 });
    const before = await metric('turnkeeper_payment_findings_total', { provider: 'stripe', finding: 'mismatches' });
    expect(await compare()).toMatchObject({ converged: 3, mismatches: 1 });
    expect(await purchased()).toBe(30_000);
    expect(await at.ledgerOf(purchaseId)).toEqual([]);
    expect(await metric('turnkeeper_payment_findings_total', { provider: 'stripe', finding: 'mismatches' })).toBe(
      before + 1,
    );
    const { body } = await at.admin.call('GET', `/api/admin/purchases/${refunded}`);
    expect(body.snapshots.at(-1)).toMatchObject({ source: 'reconcile', refunded: 4_000 });
  });

  test('payments that are no purchase’s, and a second one of the same purchase, once, for admins alone', async () => {
    const outside = at.stripe.book.payOutside(7_777);
    const purchaseId = await paid();
    const twice = at.stripe.book.payOutside(10_000);
    at.stripe.book.intents.set(twice.id, { ...twice, metadata: { purchaseId } });
    expect(await compare()).toMatchObject({ unmatched: 2 });
    expect(await compare('daily')).toMatchObject({ unmatched: 0 });
    const own = [outside.id, twice.id];
    expect((await unmatched()).filter(({ paymentId }) => own.includes(paymentId))).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          provider: 'stripe',
          paymentId: outside.id,
          orderId: null,
          amount: 7_777,
          currency: 'KRW',
        }),
        expect.objectContaining({ paymentId: twice.id, orderId: purchaseId, amount: 10_000, livemode: false }),
      ]),
    );
    expect(await purchased()).toBe(50_000);
    expect((await at.person.call('GET', '/api/admin/payments/unmatched')).status).toBe(403);
    const page = (await at.admin.call('GET', '/api/admin/payments/unmatched?limit=1')).body;
    const next = await at.admin.call('GET', `/api/admin/payments/unmatched?limit=1&cursor=${page.nextCursor}`);
    expect(next.body.items[0].paymentId).not.toBe(page.items[0].paymentId);
    // Control: the payment of a purchase is in no list.
    expect((await unmatched()).map(({ paymentId }) => paymentId)).not.toContain(at.intentOf(purchaseId));
  });

  test('a webhook that was not heard, of a payment that is older than the lists', async () => {
    const purchaseId = await paid();
    const intent = at.intentOf(purchaseId);
    const { book, events } = at.stripe;
    at.stripe.book.dispute(intent, 'withdraw');
    // Stripe made all of it long ago, and the dispute too; only its event is of now.
    for (const rows of [book.intents, book.sessions, book.disputes] as Map<string, { id: string; created: number }>[])
      for (const [id, row] of rows) rows.set(id, { ...row, created: 1 });
    expect(events.at(-1)).toMatchObject({ type: 'charge.dispute.funds_withdrawn', delivered: false });
    expect((await compare()).converged).toBe(1);
    expect(await purchased()).toBe(0);
  });

  test('a purchase that is paid here only, and takes nothing back by itself', async () => {
    const purchaseId = await paid();
    await sql`update purchases set paid_at = now() - interval '30 minutes' where id = ${purchaseId}`.execute(at.sql);
    expect(await compare()).toMatchObject({ missing: 0 });
    const session = at.sessionOf(purchaseId);
    at.stripe.book.intents.delete(session.payment_intent ?? '');
    at.stripe.book.sessions.delete(session.id);
    expect(await compare()).toMatchObject({ missing: 1 });
    expect(await purchased()).toBe(50_000);
  });
});

test('a deposit and a refund at Toss Payments are found without its webhooks, and a payment of nobody is kept', async () => {
  const buyer = buyerOf(at.person, 'toss');
  const { purchaseId } = await buyer.buy();
  const { paymentKey } = toss.book.begin({ orderId: purchaseId, amount: 10_000, method: '가상계좌' });
  expect((await buyer.confirm(purchaseId, paymentKey)).status).toBe(200);
  // Else its own look, which the confirmation asked for, may come after the refund.
  await at.stack.temporal.client.workflow.getHandle(purchaseWorkflowId(purchaseId)).terminate();
  toss.book.deposit(purchaseId);
  const other = toss.book.begin({ orderId: 'made-in-the-console', amount: 3_300 });
  toss.book.confirm({ paymentKey: other.paymentKey, orderId: 'made-in-the-console', amount: 3_300 });
  expect((await compare()).unmatched).toBe(1);
  expect(await purchased()).toBe(50_000);
  toss.book.cancelHere(purchaseId, 4_000);
  expect((await compare()).converged).toBe(1);
  expect(await purchased()).toBe(30_000);
  expect(await unmatched()).toEqual(
    expect.arrayContaining([expect.objectContaining({ paymentId: other.paymentKey, orderId: 'made-in-the-console' })]),
  );
});

test('webhooks of long ago are forgotten, and no others', async () => {
  const purchaseId = await paid();
  await sql`insert into inbound_events (provider, event_id, type, purchase_id, received_at)
    select 'stripe', 'evt_' || n, 'of another time', ${purchaseId}, now() - n * interval '1 day' from generate_series(89, 91) n`.execute(
    at.sql,
  );
  await compare('daily');
  const { rows } = await sql<{
    id: string;
  }>`select event_id as id from inbound_events where type = 'of another time' order by 1`.execute(at.sql);
  expect(rows.map(({ id }) => id)).toEqual(['evt_89']);
});

test('a provider that is away keeps no other from being compared, and is not said to be compared', async () => {
  const last = (provider: string) =>
    metric('turnkeeper_payments_compared_timestamp_seconds', { provider, comparison: 'hourly' });
  await compare();
  await until(async () => (await last('toss')) > Date.now() / 1_000 - 300);
  expect(await metric('turnkeeper_payments_compared_timestamp_seconds', { provider: 'demo' })).toBe(0);
  await sql`update payment_checks set at = now() - interval '5 hours'`.execute(at.sql);
  const purchaseId = await paid();
  at.stripe.book.createRefund({ payment_intent: at.intentOf(purchaseId), amount: '1000' });
  toss.desk.fail('transactions', { cut: 'before', times: 100 });
  const schedule = new TestSchedule(at.stack, PAYMENTS_RECONCILE_IDS.hourly);
  await schedule.handle.trigger();
  const agesOf = async () => {
    const { rows } = await sql<{ provider: string; old: boolean }>`
      select provider, at < now() - interval '4 hours' as old from payment_checks where what = 'hourly' order by provider`.execute(
      at.sql,
    );
    return rows;
  };
  await until(async () => (await agesOf()).some(({ old }) => !old));
  expect(await agesOf()).toEqual([
    { provider: 'stripe', old: false },
    { provider: 'toss', old: true },
  ]);
  expect(await purchased()).toBe(45_000);
  const waits = (await schedule.runs(1)).filter(({ status }) => status.name === 'RUNNING');
  // It waits for its next try, half a minute later.
  for (const { workflowId } of waits)
    await at.stack.temporal.client.workflow
      .getHandle(workflowId)
      .terminate('seen')
      .catch((error: unknown) => {
        // It may be over by now.
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
});
