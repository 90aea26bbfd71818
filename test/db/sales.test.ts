import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { v4 as newId } from 'uuid';
import { acceptMismatch } from '../../db/purchases/accept.ts';
import { convergePurchase } from '../../db/purchases/converge.ts';
import { publishPacks, type PublishedPack } from '../../db/purchases/packs.ts';
import { createPurchase, getPurchase } from '../../db/purchases/purchases.ts';
import { refundableOf } from '../../db/purchases/refunds.ts';
import { listDisputes, readRevenue } from '../../db/reports/sales.ts';
import { CLI_ACTOR } from '../../domain/audit.ts';
import type { ProviderName } from '../../domain/payments/provider.ts';
import type { Payment } from '../../domain/payments/purchase.ts';
import { createVault } from '../../platform/payments/vault.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { balanceOf, createPerson, type Person } from './fixture.ts';

const vault = createVault(Buffer.alloc(32));
let db: TestDatabase;
let packs: PublishedPack[];
let person: Person;

beforeAll(async () => {
  db = await createTestDatabase();
  const pack = { packId: 'won', name: { ko: '원', en: 'Won' }, tokens: 1_000, bonusTokens: 100 } as const;
  packs = await publishPacks(db.database, [
    { ...pack, currency: 'KRW', amount: 10_000 },
    { ...pack, packId: 'cents', currency: 'USD', amount: 999 },
  ]);
});
afterAll(() => db.close());
beforeEach(async () => {
  person = await createPerson(db.database);
});

async function buy({ provider = 'stripe' as ProviderName, livemode = true, pack = 0 } = {}) {
  const bought = packs[pack] as PublishedPack;
  const { purchaseId } = await createPurchase(db.database, {
    userId: person.userId,
    pack: bought,
    provider,
    method: null,
    livemode,
    key: newId(),
    expiresAt: Date.now() + 3_600_000,
  });
  const look = (change: Partial<Payment> = {}) => ({
    payment: {
      stage: 'paid' as const,
      orderId: purchaseId,
      currency: bought.currency,
      amount: bought.amount,
      livemode,
      paid: bought.amount,
      refunds: [],
      withdrawn: 0,
      isDisputed: false,
      failure: null,
      ...change,
    },
    paymentId: `pay-${purchaseId}`,
    method: 'card' as const,
    dueAt: null,
    receiptUrl: null,
    deposit: null,
    hookSecret: null,
  });
  const see = (change: Partial<Payment> = {}) =>
    convergePurchase(db.database, { purchaseId, look: look(change), source: 'webhook', vault });
  return { purchaseId, see };
}
const accept = (purchaseId: string) =>
  acceptMismatch(db.database, { purchaseId, actor: CLI_ACTOR, reason: '고객과 합의' });
const balance = () => balanceOf(db.database.sql, person.accountId);

describe('a payment of another amount', () => {
  test('is granted when an admin takes it for the price, and refunded by what was paid', async () => {
    const { purchaseId, see } = await buy();
    await see({ amount: 8_000, paid: 8_000 });
    expect([(await getPurchase(db.database.sql, purchaseId)).state, (await balance()).purchased]).toEqual([
      'mismatch',
      0,
    ]);
    const { purchase, booked } = await accept(purchaseId);
    expect([purchase.state, purchase.acceptedAmount, booked]).toEqual(['paid', 8_000, 1_100]);
    // The next look agrees, and nothing is booked twice.
    expect(await see({ amount: 8_000, paid: 8_000 })).toMatchObject({ booked: 0, purchase: { state: 'paid' } });
    expect(
      await refundableOf(db.database.sql, { purchase, balance: (await balance()).purchased, now: Date.now() }),
    ).toEqual({ tokens: 1_100, amount: 8_000 });
    await see({ amount: 8_000, paid: 8_000, refunds: [{ refundId: null, amount: 4_000, state: 'succeeded' }] });
    expect((await balance()).purchased).toBe(500);
    await expect(accept(purchaseId)).rejects.toMatchObject({ code: 'not_acceptable' });
    const { rows } = await sql<{ action: string; after: object }>`
      select action, after from audit_entries where target = ${`purchase:${purchaseId}`}`.execute(db.database.sql);
    expect(rows).toEqual([
      { action: 'purchase.accept', after: { state: 'paid', amount: 8_000, currency: 'KRW', tokens: 1_100 } },
    ]);
  });

  test('that changes again waits for an admin again', async () => {
    const { purchaseId, see } = await buy();
    await see({ amount: 8_000, paid: 8_000 });
    await accept(purchaseId);
    expect(await see({ amount: 1, paid: 1 })).toMatchObject({ booked: 0, purchase: { state: 'mismatch' } });
  });

  test.each<[string, Partial<Payment>]>([
    ['of another currency', { currency: 'USD', amount: 8, paid: 8 }],
    ['of another purchase', { orderId: newId() }],
    ['of the test mode', { livemode: false }],
    ['that is not paid', { amount: 8_000, stage: 'pending', paid: 0 }],
    ['that is paid in part', { amount: 10_000, paid: 4_000 }],
  ])('%s is not taken for the price', async (_, change) => {
    const { purchaseId, see } = await buy();
    await see(change);
    expect((await getPurchase(db.database.sql, purchaseId)).state).toBe('mismatch');
    await expect(accept(purchaseId)).rejects.toMatchObject({ code: 'not_acceptable' });
    expect((await balance()).purchased).toBe(0);
  });
});

test('disputes are listed while they are open and afterwards, the newest first, and others are not', async () => {
  const [open, over, never] = [await buy(), await buy(), await buy()];
  await never.see();
  await over.see({ isDisputed: true, withdrawn: 10_000 });
  await over.see();
  await open.see({ isDisputed: true, withdrawn: 10_000 });
  const list = async (isOpen: boolean | null, limit = 50, cursor: string | null = null) =>
    listDisputes(db.database.sql, { isOpen, limit, cursor });
  const ids = (page: Awaited<ReturnType<typeof list>>) => page.items.map(({ purchaseId }) => purchaseId);
  expect(ids(await list(null))).toEqual([open.purchaseId, over.purchaseId]);
  expect((await list(true)).items).toMatchObject([{ purchaseId: open.purchaseId, isOpen: true, withdrawn: 10_000 }]);
  expect((await list(false)).items).toMatchObject([{ purchaseId: over.purchaseId, isOpen: false, withdrawn: 0 }]);
  const first = await list(null, 1);
  expect([ids(first), ids(await list(null, 1, first.nextCursor))]).toEqual([[open.purchaseId], [over.purchaseId]]);
});

test('revenue is real money by the day on which it moved, and neither the demo’s nor a test mode’s', async () => {
  await sql`update purchases set livemode = false`.execute(db.database.sql);
  const { accountId } = person;
  await sql`update accounts set time_zone = 'Asia/Seoul' where id = ${accountId}`.execute(db.database.sql);
  const [won, cents] = [await buy(), await buy({ pack: 1 })];
  for (const { see } of [won, cents, await buy({ provider: 'demo', livemode: false }), await buy({ livemode: false })])
    await see();
  const mismatch = await buy();
  await mismatch.see({ amount: 1, paid: 1 });
  const on = (purchaseId: string, at: string) =>
    sql`alter table payment_snapshots disable trigger user; update payment_snapshots set seen_at = ${sql.lit(at)}
      where purchase_id = ${sql.lit(purchaseId)} and seq = (select max(seq) from payment_snapshots where purchase_id = ${sql.lit(purchaseId)});
      alter table payment_snapshots enable trigger user`.execute(db.database.sql);
  await on(won.purchaseId, '2026-03-01T14:59:59Z');
  await on(cents.purchaseId, '2026-03-01T15:00:00Z');
  const refunds = [{ refundId: null, amount: 4_000, state: 'succeeded' as const }];
  await won.see({ refunds });
  await on(won.purchaseId, '2026-03-02T03:00:00Z');
  await won.see({ refunds, isDisputed: true, withdrawn: 6_000 });
  await on(won.purchaseId, '2026-03-03T03:00:00Z');
  await won.see({ refunds });
  await on(won.purchaseId, '2026-03-04T03:00:00Z');
  const read = (from: string, to: string) => readRevenue(db.database.sql, { from, to, accountId });
  const day = (of: string, currency: string, change: object) => ({
    day: of,
    currency,
    purchases: 0,
    paid: 0,
    refunded: 0,
    withdrawn: 0,
    ...change,
  });
  expect(await read('2026-03-01', '2026-03-04')).toEqual({
    timeZone: 'Asia/Seoul',
    items: [
      day('2026-03-04', 'KRW', { withdrawn: -6_000 }),
      day('2026-03-03', 'KRW', { withdrawn: 6_000 }),
      day('2026-03-02', 'KRW', { refunded: 4_000 }),
      day('2026-03-02', 'USD', { purchases: 1, paid: 999 }),
      day('2026-03-01', 'KRW', { purchases: 1, paid: 10_000 }),
    ],
  });
  expect((await read('2026-03-05', '2026-03-06')).items).toEqual([]);
});
