import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startFakeToss, TOSS_SECRET_KEY, type FakeToss } from '../fake-payments/toss.ts';
import { buyerOf, selling } from '../support/buyer.ts';
import { startTestShop, type TestShop } from '../support/shop.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';

let toss: FakeToss;
let shop: TestShop;
let stack: TestStack;
let admin: Person;
beforeAll(async () => {
  [toss, shop] = await Promise.all([startFakeToss(), startTestShop()]);
  stack = await startTestStack({
    ...(await selling()),
    DEMO_SHOP_URL: shop.url,
    TOSS_API_URL: toss.url,
    TOSS_SECRET_KEY,
    TOSS_CLIENT_KEY: 'test_ck_1',
  });
  admin = await stack.person('admin');
});
afterAll(async () => {
  await stack.close();
  await Promise.all([toss.close(), shop.close()]);
});

const acceptBy = (person: Person, purchaseId: string) =>
  person.call('POST', `/api/admin/purchases/${purchaseId}/grant-mismatch`, { reason: '고객과 합의' });

test('an admin takes a payment of another amount for the price, as its provider says it is now', async () => {
  const person = await stack.person();
  const buyer = buyerOf(person, 'toss');
  const { purchaseId } = await buyer.buy();
  // Somebody confirmed it without us, so that it is paid and not what was asked for.
  const { paymentKey } = toss.book.begin({ orderId: purchaseId, amount: 9_000 });
  toss.book.confirm({ paymentKey, orderId: purchaseId, amount: 9_000 });
  await buyer.untilState(purchaseId, 'mismatch');
  const path = `/api/admin/purchases/${purchaseId}`;
  expect((await admin.call('GET', path)).body).toMatchObject({ acceptableAmount: 9_000, acceptedAmount: null });
  expect((await acceptBy(person, purchaseId)).status).toBe(403);
  expect((await admin.call('POST', `${path}/grant-mismatch`, {})).status).toBe(400);
  const { status, body } = await acceptBy(admin, purchaseId);
  expect([status, body]).toEqual([
    200,
    expect.objectContaining({ state: 'paid', acceptableAmount: null, acceptedAmount: 9_000, keptAmount: 9_000 }),
  ]);
  expect((await buyer.usage()).purchasedTokens).toBe(50_000);
  expect(await buyer.detail(purchaseId)).toMatchObject({ refundable: { tokens: 50_000, amount: 9_000 } });
  expect((await acceptBy(admin, purchaseId)).body.code).toBe('not_acceptable');
  const audit = await admin.call('GET', `/api/admin/audit?target=purchase:${purchaseId}&action=purchase.accept`);
  expect(audit.body.items).toMatchObject([
    { reason: '고객과 합의', before: { amount: 10_000 }, after: { amount: 9_000 } },
  ]);
  // A purchase that is as it was asked for has nothing to accept (control).
  const other = await buyer.buy();
  expect((await acceptBy(admin, other.purchaseId)).body.code).toBe('not_acceptable');
});

test('an admin reads disputes and revenue, in which the demo shop has no part', async () => {
  const person = await stack.person();
  const buyer = buyerOf(person, 'demo');
  const { purchaseId, checkout } = await buyer.buy();
  await shop.choose(String(checkout['url']), 'pay');
  await buyer.untilState(purchaseId, 'paid');
  const disputes = async (query = '') =>
    (await admin.call('GET', `/api/admin/disputes${query}`)).body.items as object[];
  expect(await disputes()).toEqual([]);
  await shop.act(purchaseId, 'withdraw');
  await buyer.untilState(purchaseId, 'disputed');
  const dispute = { purchaseId, userId: person.userId, withdrawnAmount: 10_000, isOpen: true, state: 'disputed' };
  expect(await disputes('?open=true')).toMatchObject([dispute]);
  await shop.act(purchaseId, 'win');
  await buyer.untilState(purchaseId, 'paid');
  expect(await disputes('?open=true')).toEqual([]);
  expect(await disputes()).toMatchObject([{ ...dispute, withdrawnAmount: 0, isOpen: false, state: 'paid' }]);
  expect((await admin.call('GET', '/api/admin/revenue')).body).toMatchObject({ items: [] });
  for (const query of [
    '?from=2026-02-30',
    '?from=2026-03-02&to=2026-03-01',
    '?from=2020-01-01&to=2026-01-01',
    '?day=1',
  ])
    expect([query, (await admin.call('GET', `/api/admin/revenue${query}`)).status]).toEqual([query, 400]);
  for (const path of ['disputes', 'revenue']) expect((await person.call('GET', `/api/admin/${path}`)).status).toBe(403);
});
