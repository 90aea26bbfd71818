import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { sellingBy, startTestShop, type TestShop } from '../support/shop.ts';
import { purchaseWorkflowId } from '../../workflows/contract/ids.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { requestRefund } from '../../db/purchases/refunds.ts';
import { startLostPayments } from '../../operations/payments/start-lost.ts';
import { createVault } from '../../platform/payments/vault.ts';
import { createPaymentRuns } from '../../platform/temporal/payment-runs.ts';
import { until } from '../support/until.ts';

let shop: TestShop;
let stack: TestStack;
let person: Person;

beforeAll(async () => {
  shop = await startTestShop();
  stack = await startTestStack({
    ...(await sellingBy(shop)),
    PACKS: JSON.stringify([
      { packId: 'half', name: { ko: '토큰 5만', en: '50,000 tokens' }, tokens: 50_000, currency: 'KRW', amount: 5_000 },
    ]),
  });
});
afterAll(async () => {
  await stack.close();
  await shop.close();
});
beforeEach(async () => {
  person = await stack.person();
});

interface Started {
  readonly purchaseId: string;
  readonly state: string;
  readonly checkout: { readonly kind: string; readonly url: string };
}
interface Detail {
  readonly state: string;
  readonly refundable: { readonly tokens: number; readonly amount: number };
  readonly refunds: readonly { readonly state: string }[];
}

const post = (path: string, body: object, key: string = randomUUID(), by = person) =>
  by.call('POST', path, body, { 'idempotency-key': key });
async function buy(key?: string): Promise<Started> {
  const { status, body } = await post('/api/purchases', { packId: 'half', provider: 'demo' }, key);
  expect(status).toBe(201);
  return body as Started;
}
async function detail(purchaseId: string): Promise<Detail> {
  const { status, body } = await person.call('GET', `/api/purchases/${purchaseId}`);
  expect(status).toBe(200);
  return body as Detail;
}
const usage = async () =>
  (await person.call('GET', '/api/ai-usage')).body as { purchasedTokens: number; level: string; canSend: boolean };
const untilState = (purchaseId: string, state: string) => until(async () => (await detail(purchaseId)).state === state);

test('packs say what they cost, with the tax inside, in the reader’s language', async () => {
  const { body } = await person.call('GET', '/api/packs', undefined, { 'accept-language': 'en' });
  expect(body).toEqual({
    items: [
      {
        packId: 'half',
        name: '50,000 tokens',
        tokens: 50_000,
        bonusTokens: 0,
        currency: 'KRW',
        amount: 5_000,
        taxAmount: 455,
        estimatedTurns: 55,
        providers: ['demo'],
      },
    ],
  });
});

describe('a purchase', () => {
  test('of somebody who is blocked lets them go on, and its hint alone is enough', async () => {
    await post('/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 105 });
    expect(await usage()).toMatchObject({ level: 'BLOCKED', canSend: false });
    const { purchaseId, checkout, state } = await buy();
    expect([state, checkout.kind]).toEqual(['created', 'redirect']);
    expect(await shop.choose(checkout.url, 'pay')).toBe(`${stack.url}/purchase/${purchaseId}`);
    await until(async () => (await usage()).canSend);
    // What was used beyond the allowance is paid first.
    expect((await usage()).purchasedTokens).toBe(45_000);
    expect(await detail(purchaseId)).toMatchObject({ state: 'paid', refundable: { tokens: 45_000, amount: 4_500 } });
  });

  test('pressed twice is one, and goes to the same page', async () => {
    const key = randomUUID();
    const [one, two] = await Promise.all([buy(key), buy(key)]);
    expect(two).toEqual(one);
    expect((await post('/api/purchases', { packId: 'none', provider: 'demo' }, key)).status).toBe(400);
    expect((await post('/api/purchases', { packId: 'half', provider: 'stripe' }, key)).status).toBe(400);
  });

  test('that is declined gives nothing, and nobody else sees it', async () => {
    const { purchaseId, checkout } = await buy();
    await shop.choose(checkout.url, 'decline');
    await untilState(purchaseId, 'failed');
    expect((await usage()).purchasedTokens).toBe(0);
    const other = await stack.person();
    expect((await other.call('GET', `/api/purchases/${purchaseId}`)).status).toBe(404);
    expect((await post(`/api/purchases/${purchaseId}/refunds`, { all: true }, undefined, other)).status).toBe(404);
    expect((await post(`/api/purchases/${purchaseId}/refunds`, { all: true })).status).toBe(409);
  });

  test('is refunded by what is left of it, disputed and won by level', async () => {
    const { purchaseId, checkout } = await buy();
    await shop.choose(checkout.url, 'pay');
    await untilState(purchaseId, 'paid');
    expect((await post(`/api/purchases/${purchaseId}/refunds`, { tokens: 20_000 })).status).toBe(202);
    await untilState(purchaseId, 'partially_refunded');
    expect(await detail(purchaseId)).toMatchObject({
      refunds: [{ state: 'succeeded' }],
      refundable: { tokens: 30_000, amount: 3_000 },
    });
    await shop.act(purchaseId, 'withdraw');
    await untilState(purchaseId, 'disputed');
    expect((await usage()).purchasedTokens).toBe(0);
    await shop.act(purchaseId, 'win');
    await untilState(purchaseId, 'partially_refunded');
    expect((await usage()).purchasedTokens).toBe(30_000);
  });

  test('by deposit is paid when it arrives, after its due time too', async () => {
    const { purchaseId, checkout } = await buy();
    await shop.choose(checkout.url, 'later', 1);
    await untilState(purchaseId, 'awaiting_deposit');
    // Whoever reads again at once is told the account again.
    for (let read = 0; read < 2; read += 1)
      expect(await detail(purchaseId)).toMatchObject({ deposit: { bank: '데모은행', accountNumber: '000-0000-0000' } });
    expect((await usage()).purchasedTokens).toBe(0);
    await shop.act(purchaseId, 'deposit');
    await untilState(purchaseId, 'paid');
    expect((await usage()).purchasedTokens).toBe(50_000);
    expect(await detail(purchaseId)).toMatchObject({ deposit: null });
  });
});

test('a purchase and a refund whose workflows are lost are started by reconcile, and nobody else is', async () => {
  const { purchaseId, checkout } = await buy();
  const watch = stack.temporal.client.workflow.getHandle(purchaseWorkflowId(purchaseId));
  await watch.terminate('its purchase is lost');
  const runs = createPaymentRuns(stack.temporal, { taskQueuePrefix: stack.taskQueuePrefix });
  const mend = () => startLostPayments({ database: stack.db.database, paymentRuns: runs }, { quietMs: 60_000 });
  expect(await mend()).toBe(0);
  await sql`update purchases set looked_at = null, created_at = now() - interval '30 minutes' where id = ${purchaseId}`.execute(
    stack.db.database.sql,
  );
  expect([await mend(), await mend(), (await watch.describe()).status.name]).toEqual([1, 0, 'RUNNING']);
  await shop.choose(checkout.url, 'pay');
  await untilState(purchaseId, 'paid');
  const { refund } = await requestRefund(stack.db.database, createVault(Buffer.alloc(32)), {
    purchaseId,
    by: { userId: person.userId, tokens: null },
    reason: 'its start is lost',
    key: randomUUID(),
  });
  expect([(await usage()).purchasedTokens, await mend()]).toEqual([0, 0]);
  await sql`update refunds set created_at = now() - interval '1 hour' where id = ${refund.refundId}`.execute(
    stack.db.database.sql,
  );
  expect(await mend()).toBe(1);
  await untilState(purchaseId, 'refunded');
  expect(await mend()).toBe(0);
});

test('nothing that a hint says is believed: it makes us look, and no more', async () => {
  const { purchaseId } = await buy();
  const forged = await fetch(`${stack.url}/api/webhooks/demo`, {
    method: 'POST',
    body: JSON.stringify({ eventId: 'e', orderId: purchaseId, status: 'paid', paid: 5_000 }),
  });
  expect(forged.status).toBe(200);
  const others = [
    { eventId: 'e', orderId: randomUUID() },
    { eventId: 'e\0', orderId: purchaseId },
  ];
  for (const body of ['', '{', '[]', '{"orderId":1}', ...others.map((other) => JSON.stringify(other))])
    expect((await fetch(`${stack.url}/api/webhooks/demo`, { method: 'POST', body })).status).toBe(200);
  await until(async () => (await lookedAt(purchaseId)) !== null);
  expect((await detail(purchaseId)).state).toBe('created');
  expect((await usage()).purchasedTokens).toBe(0);
});

async function lookedAt(purchaseId: string): Promise<Date | null> {
  const { rows } = await sql<{
    at: Date | null;
  }>`select looked_at as at from purchases where id = ${purchaseId}`.execute(stack.db.database.sql);
  return rows[0]?.at ?? null;
}

describe('an admin', () => {
  test('finds purchases, sees what became of one, looks again, and gives back more than is unspent', async () => {
    const admin = await stack.person('admin');
    const { purchaseId, checkout } = await buy();
    await shop.choose(checkout.url, 'pay');
    await untilState(purchaseId, 'paid');
    await post('/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 30 });
    expect((await usage()).purchasedTokens).toBe(5_000);
    for (const path of ['', `/${purchaseId}`])
      expect((await person.call('GET', `/api/admin/purchases${path}`)).status).toBe(403);
    const find = async (query: string) =>
      ((await admin.call('GET', `/api/admin/purchases?${query}`)).body as { items: { purchaseId: string }[] }).items;
    const own = `userId=${person.userId}`;
    expect(await find(`${own}&state=paid&provider=demo`)).toMatchObject([{ purchaseId, userId: person.userId }]);
    expect(await find(`${own}&state=refunded`)).toEqual([]);
    expect(await find(`${own}&provider=stripe`)).toEqual([]);
    // A refund that was made at the provider, of which nobody told.
    await shop.refund(purchaseId, 1_000);
    expect((await admin.call('POST', `/api/admin/purchases/${purchaseId}/look`)).body).toMatchObject({
      state: 'partially_refunded',
      keptAmount: 4_000,
      bookings: [{ tokens: 50_000 }, { tokens: -10_000 }],
    });
    const path = `/api/admin/purchases/${purchaseId}/refunds`;
    expect((await post(path, { amount: 4_001, reason: 'more than there is' }, 'most', admin)).status).toBe(409);
    expect((await post(path, { amount: 4_000, reason: 'goodwill' }, 'rest', admin)).status).toBe(202);
    expect((await post(path, { amount: 4_000, reason: 'goodwill' }, 'rest', admin)).status).toBe(202);
    expect((await post(path, { amount: 3_000, reason: 'goodwill' }, 'rest', admin)).body).toMatchObject({
      code: 'idempotency_conflict',
    });
    const other = await stack.person('admin');
    expect((await post(path, { amount: 4_000, reason: 'goodwill' }, 'rest', other)).status).toBe(409);
    await untilState(purchaseId, 'refunded');
    expect((await admin.call('GET', `/api/admin/purchases/${purchaseId}`)).body).toMatchObject({
      keptAmount: 0,
      snapshots: expect.arrayContaining([expect.objectContaining({ source: 'admin', refunded: 1_000 })]),
      refunds: [{ amount: 4_000, state: 'succeeded', reason: 'goodwill', requestedBy: admin.userId }],
    });
    const audit = await admin.call('GET', `/api/admin/audit?target=purchase:${purchaseId}`);
    expect(audit.body.items).toMatchObject([
      { action: 'purchase.refund', adminId: admin.userId, after: { amount: 4_000, tokens: 40_000 } },
      { action: 'purchase.look', adminId: admin.userId, before: { state: 'paid' } },
    ]);
  });
});
