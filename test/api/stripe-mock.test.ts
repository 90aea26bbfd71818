import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { freePort } from '../../scripts/services/port.ts';
import { findStripeMock } from '../../scripts/services/stripe-mock.ts';
import { createStripe } from '../../platform/payments/stripe/stripe.ts';
import type { PaymentProvider, ToPay } from '../../platform/payments/provider.ts';
import {
  startFakeStripe,
  type FakeStripe,
  STRIPE_CALLS,
  STRIPE_SECRET_KEY,
  STRIPE_WEBHOOK_SECRET,
} from '../fake-payments/stripe.ts';
import { until } from '../support/until.ts';

const WANTED: ToPay = {
  purchaseId: '0199e7a0-1111-7222-8333-444455556666',
  amount: 10_000,
  currency: 'KRW',
  sessionId: null,
  names: { ko: '토큰 10만', en: '100,000 tokens' },
  customerKey: '0199e7a0-1111-7222-8333-444455556666',
  expiresAt: Date.now() + 3_600_000,
  returnUrl: 'https://chat.example/purchase/1',
  locale: 'ko',
};

test('Stripe’s own description of its API takes every request that we make, and none with a parameter that it lacks', async () => {
  const judge = await startStripeMock();
  const stripe = await startFakeStripe();
  try {
    const adapter = createStripe({
      secretKey: STRIPE_SECRET_KEY,
      webhookSecret: STRIPE_WEBHOOK_SECRET,
      apiUrl: stripe.url,
      livemode: false,
    });
    const { sessionId } = await adapter.checkout(WANTED);
    await adapter.checkout({ ...WANTED, sessionId });
    stripe.book.pay(sessionId ?? '');
    const at = { ...WANTED, sessionId, paymentId: null, customer: null, livemode: false };
    const { paymentId } = await adapter.look(at);
    await adapter.refund({ ...at, paymentId }, { refundId: 'r-1', amount: 4_000, account: null });
    expect((await adapter.look(at)).payment.refunds).toHaveLength(1);
    await topUp(adapter, stripe);
    const listed = await adapter.list({ from: Date.now() - 3_600_000, to: Date.now() + 1_000 });
    expect(listed.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['payment', 'checkout', 'change']));
    expect(new Set(stripe.requests.map(({ name }) => name))).toEqual(new Set(STRIPE_CALLS));
    const requests = stripe.requests.map(({ name, method, path, body }) => ({
      method,
      path,
      // The judge knows Checkout as it was before 2026-09-30, when this list got its name of now. The types of Stripe's
      // own client hold us to the new one.
      body: name === 'form' ? body.replace('allowed_payment_method_types', 'payment_method_types') : body,
    }));
    for (const { method, path, body } of requests)
      expect([method, path, await judge.answer(method, path, body)]).toEqual([method, path, 200]);
    for (const { method, path, body } of requests) {
      const isPost = method === 'POST';
      const asked = isPost ? path : `${path}${path.includes('?') ? '&' : '?'}nonsense=1`;
      const sent = isPost ? `${body}&nonsense=1` : '';
      expect([method, asked, await judge.answer(method, asked, sent)]).toEqual([method, asked, 400]);
    }
  } finally {
    await stripe.close();
    await judge.close();
  }
}, 400_000);

/** A card that is kept, charged, looked for and looked at, declined, and forgotten. */
async function topUp({ cards, look }: PaymentProvider, { book }: FakeStripe): Promise<void> {
  const methodId = '0199e7a0-1111-7222-8333-444455557777';
  const customer = { key: methodId, ref: null };
  const form = await cards?.openForm({ methodId, customer, returnUrl: WANTED.returnUrl, locale: 'ko' });
  const { sessionId = '', customerRef = '' } = form ?? {};
  const { id: cardRef } = book.keeper.give(sessionId);
  expect(await cards?.readForm({ methodId, sessionId })).toMatchObject({ ref: cardRef, last4: '4242' });
  const { purchaseId, amount, currency, expiresAt } = WANTED;
  const asked = { purchaseId, amount, currency };
  const at = { ...asked, customer: customerRef, expiresAt, sessionId: null, paymentId: null, livemode: false };
  const charged = await cards?.charge({ ...asked, accountId: 1, customer: customerRef, cardRef });
  expect(await look(at)).toMatchObject({ paymentId: charged?.paymentId, payment: { stage: 'paid' } });
  book.keeper.answerWith(cardRef, { decline: 'lost_card' });
  const declined = await cards?.charge({
    ...asked,
    purchaseId: methodId,
    accountId: 1,
    customer: customerRef,
    cardRef,
  });
  expect(await look({ ...at, purchaseId: methodId, paymentId: declined?.paymentId ?? '' })).toMatchObject({
    payment: { stage: 'failed' },
    decline: 'card_unusable',
  });
  await cards?.forget(cardRef);
  // What is not kept any more cannot be charged.
  const gone = cards?.charge({
    ...asked,
    purchaseId: WANTED.customerKey,
    accountId: 2,
    customer: customerRef,
    cardRef,
  });
  await expect(gone).rejects.toMatchObject({ why: 'card_gone' });
}

/** It judges the shape of requests, and what it answers says nothing. */
async function startStripeMock() {
  const file = await findStripeMock(AbortSignal.timeout(300_000));
  const port = await freePort();
  const mock = spawn(file, ['-http-addr', `127.0.0.1:${port}`], { stdio: ['ignore', 'ignore', 'inherit'], env: {} });
  const ended = once(mock, 'exit');
  const answer = async (method: string, path: string, body: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { authorization: `Bearer sk_test_123`, 'content-type': 'application/x-www-form-urlencoded' },
      ...(method === 'POST' ? { body } : {}),
    });
    return response.status;
  };
  await until(async () => (await answer('GET', '/v1/refunds', '').catch(() => null)) === 200);
  return {
    answer,
    async close() {
      mock.kill();
      await ended;
    },
  };
}
