import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { startStripeStack, type StripeStack } from '../support/stripe.ts';
import { until } from '../support/until.ts';

let at: StripeStack;
beforeAll(async () => {
  at = await startStripeStack();
});
afterAll(() => at.close());
beforeEach(() => at.newBuyer());
afterEach(() => at.stripe.desk.heal());

const refundsOf = (purchaseId: string) =>
  [...at.stripe.book.refunds.values()].filter((refund) => refund.payment_intent === at.intentOf(purchaseId));
const refundCalls = (purchaseId: string) =>
  at.stripe.desk.calls.filter(
    (call) => call.name === 'refund' && JSON.stringify(call).includes(at.intentOf(purchaseId)),
  );
const spend = (usagePercent: number) =>
  at.buyer.post('/api/ai-usage/test-usage', { userId: at.person.userId, usagePercent });
const purchased = async () => (await at.buyer.usage()).purchasedTokens;
const untilRefund = (purchaseId: string, state: string) =>
  until(async () => (await at.buyer.detail(purchaseId)).refunds.at(-1)?.state === state);

test('after a part was spent what is left is offered, more by an admin is debt, and the next purchase pays it first', async () => {
  const purchaseId = await at.paid();
  // A fifth of the allowance and the pack together, the pack first.
  await spend(20);
  expect(await at.buyer.detail(purchaseId)).toMatchObject({ refundable: { tokens: 20_000, amount: 4_000 } });
  expect(await at.buyer.usage()).toMatchObject({ purchasedTokens: 20_000, usagePercent: 20, canSend: true });
  const { status } = await at.admin.call(
    'POST',
    `/api/admin/purchases/${purchaseId}/refunds`,
    { reason: 'goodwill' },
    { 'idempotency-key': randomUUID() },
  );
  expect(status).toBe(202);
  await untilRefund(purchaseId, 'succeeded');
  expect(await at.look(purchaseId)).toMatchObject({ state: 'refunded', keptAmount: 0 });
  expect(await at.ledgerOf(purchaseId)).toEqual([50_000, -50_000]);
  expect(await at.buyer.usage()).toMatchObject({ purchasedTokens: 0, canSend: true });
  // 30,000 were spent and given back in money.
  await at.paid();
  expect(await purchased()).toBe(20_000);
});

describe('a refund', () => {
  test.each(['before', 'after'] as const)(
    'whose connection is cut %s it is made is made once, by one key',
    async (cut) => {
      const purchaseId = await at.paid();
      at.stripe.desk.fail('refund', { cut });
      expect((await at.buyer.refund(purchaseId, { tokens: 10_000 })).status).toBe(202);
      await untilRefund(purchaseId, 'succeeded');
      expect(refundsOf(purchaseId)).toMatchObject([{ amount: 2_000 }]);
      expect(new Set(refundCalls(purchaseId).map(({ key }) => key)).size).toBe(1);
      expect(await at.ledgerOf(purchaseId)).toEqual([50_000, -10_000]);
      // Of what is left no more than that, and each is another.
      expect((await at.buyer.refund(purchaseId, { tokens: 40_001 })).body.code).toBe('not_refundable');
      expect((await at.buyer.refund(purchaseId, { all: true })).status).toBe(202);
      await untilRefund(purchaseId, 'succeeded');
      await until(() => refundsOf(purchaseId).length === 2);
      expect(refundsOf(purchaseId).map(({ amount }) => amount)).toEqual([2_000, 8_000]);
    },
  );

  test('that Stripe refuses gives the tokens back, and one that was made there meanwhile does not', async () => {
    const purchaseId = await at.paid();
    at.stripe.desk.fail('refund', {
      refuse: { status: 400, body: { error: { type: 'invalid_request_error', code: 'charge_disputed' } } },
    });
    expect((await at.buyer.refund(purchaseId, { all: true })).status).toBe(202);
    await untilRefund(purchaseId, 'failed');
    expect(await purchased()).toBe(50_000);
    // It is asked for here, and given in the dashboard before Stripe hears of it.
    const { book } = at.stripe;
    const create = book.createRefund.bind(book);
    book.createRefund = (form) => {
      book.createRefund = create;
      create({ payment_intent: at.intentOf(purchaseId) });
      return create(form);
    };
    expect((await at.buyer.refund(purchaseId, { all: true })).status).toBe(202);
    await until(async () => (await at.buyer.detail(purchaseId)).state === 'refunded');
    expect(await purchased()).toBe(0);
    expect(refundsOf(purchaseId)).toMatchObject([{ amount: 10_000 }]);
  });

  test('that the bank sends back after it succeeded gives the tokens back', async () => {
    const purchaseId = await at.paid();
    await at.buyer.refund(purchaseId, { all: true });
    await untilRefund(purchaseId, 'succeeded');
    at.stripe.book.failRefund(refundsOf(purchaseId)[0]?.id ?? '');
    expect(await at.look(purchaseId)).toMatchObject({ state: 'paid', refunds: [{ state: 'failed' }] });
    expect(await purchased()).toBe(50_000);
  });

  test('in the dashboard is found by whoever looks', async () => {
    const purchaseId = await at.paid();
    at.stripe.book.createRefund({ payment_intent: at.intentOf(purchaseId), amount: '4000' });
    expect(await at.look(purchaseId)).toMatchObject({ state: 'partially_refunded', keptAmount: 6_000 });
    expect(await purchased()).toBe(30_000);
  });
});

describe('a dispute', () => {
  test('takes tokens when it takes money, and gives them back with it, each once', async () => {
    const purchaseId = await at.paid();
    const intent = at.intentOf(purchaseId);
    const step = async (act: 'open' | 'withdraw' | 'win' | 'lose') => {
      at.stripe.book.dispute(intent, act);
      // Seen twice it is booked once.
      await at.look(purchaseId);
      const { state } = (await at.look(purchaseId)) as { state: string };
      return [state, await purchased()];
    };
    expect(await step('open')).toEqual(['disputed', 50_000]);
    expect((await at.buyer.refund(purchaseId, { all: true })).body.code).toBe('not_refundable');
    expect(await step('withdraw')).toEqual(['disputed', 0]);
    expect(await step('win')).toEqual(['paid', 50_000]);
    expect(await at.ledgerOf(purchaseId)).toEqual([50_000, -50_000, 50_000]);
    const lost = await at.paid();
    for (const act of ['open', 'withdraw', 'lose'] as const) at.stripe.book.dispute(at.intentOf(lost), act);
    expect(await at.look(lost)).toMatchObject({ state: 'disputed' });
    expect(await at.ledgerOf(lost)).toEqual([50_000, -50_000]);
  });

  test('after a part was refunded takes the rest, and what comes back in part is granted in part', async () => {
    const purchaseId = await at.paid();
    const intent = at.intentOf(purchaseId);
    at.stripe.book.createRefund({ payment_intent: intent, amount: '4000' });
    for (const act of ['open', 'withdraw'] as const) at.stripe.book.dispute(intent, act);
    await at.look(purchaseId);
    expect([await purchased(), await at.ledgerOf(purchaseId)]).toEqual([0, [50_000, -50_000]]);
    at.stripe.book.dispute(intent, 'win', { returned: 50 });
    await at.look(purchaseId);
    // 6,000 won were disputed, and half of them came back.
    expect(await purchased()).toBe(15_000);
  });

  test('is heard by a webhook that names nothing but the payment', async () => {
    const purchaseId = await at.paid();
    at.stripe.hooks({ url: at.hookUrl });
    at.stripe.book.dispute(at.intentOf(purchaseId), 'withdraw');
    await until(async () => (await purchased()) === 0);
    at.stripe.hooks({ url: null });
    expect(await at.heard(purchaseId)).toEqual([{ type: 'charge.dispute.funds_withdrawn', times: 1 }]);
  });
});
