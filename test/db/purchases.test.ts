import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { v4 as newId } from 'uuid';
import { violatedConstraint } from '../../db/database.ts';
import { convergePurchase } from '../../db/purchases/converge.ts';
import { publishPacks, type PublishedPack } from '../../db/purchases/packs.ts';
import {
  createPurchase,
  getPurchase,
  listPurchases,
  namePayment,
  type PurchaseRow,
} from '../../db/purchases/purchases.ts';
import { failRefund, refundableOf, requestRefund } from '../../db/purchases/refunds.ts';
import { grantTokens } from '../../db/money/grants.ts';
import type { Look, Payment, SeenRefund } from '../../domain/payments/purchase.ts';
import type { Pack } from '../../domain/payments/pack.ts';
import { createVault } from '../../platform/payments/vault.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { explainRun, recordStatements } from '../support/plans.ts';
import { balanceOf, createPerson, only, rows, runTurn, type Person } from './fixture.ts';

const PACK: Pack = {
  packId: 'small',
  name: { ko: '작은 묶음', en: 'Small' },
  tokens: 1_000,
  bonusTokens: 100,
  currency: 'KRW',
  amount: 10_000,
};
const vault = createVault(Buffer.alloc(32));
let db: TestDatabase;
let pack: PublishedPack;
let person: Person;
let purchase: PurchaseRow;

beforeAll(async () => {
  db = await createTestDatabase();
  [pack] = (await publishPacks(db.database, [PACK])) as [PublishedPack];
});
afterAll(() => db.close());
beforeEach(async () => {
  person = await createPerson(db.database);
  purchase = await buy();
});

const buy = (change: Partial<Parameters<typeof createPurchase>[1]> = {}) =>
  createPurchase(db.database, {
    userId: person.userId,
    pack,
    provider: 'stripe',
    method: null,
    livemode: true,
    key: newId(),
    expiresAt: Date.now() + 3_600_000,
    ...change,
  });
const payment = (change: Partial<Payment> = {}): Payment => ({
  stage: 'paid',
  orderId: purchase.purchaseId,
  currency: 'KRW',
  amount: 10_000,
  livemode: true,
  paid: 10_000,
  refunds: [],
  withdrawn: 0,
  isDisputed: false,
  failure: null,
  ...change,
});
const look = (change: Partial<Payment> = {}): Look => ({
  payment: payment(change),
  paymentId: `pay-${purchase.purchaseId}`,
  method: 'card',
  dueAt: null,
  receiptUrl: null,
  deposit: null,
  hookSecret: null,
});
const converge = (change: Partial<Payment> = {}) =>
  convergePurchase(db.database, { purchaseId: purchase.purchaseId, look: look(change), source: 'webhook', vault });
const balance = () => balanceOf(db.database.sql, person.accountId);
const entries = () =>
  rows(
    db.database.sql,
    sql<{ kind: string; tokens: number }>`select kind, tokens::float8 as tokens from ledger_entries
      where account_id = ${person.accountId} and kind <> 'debit' order by id`,
  );
const refund = (tokens: number | null, key = newId()) =>
  requestRefund(db.database, vault, {
    purchaseId: purchase.purchaseId,
    by: { userId: person.userId, tokens },
    reason: 'test',
    key,
  });
const refundable = async () =>
  refundableOf(db.database.sql, {
    purchase: await getPurchase(db.database.sql, purchase.purchaseId),
    balance: (await balance()).purchased,
    now: Date.now(),
  });
const spend = (used: number) => runTurn(db.database, person, { used });
async function expectBooksToAddUp(): Promise<void> {
  expect(
    await only(
      db.database.sql,
      sql`select a.purchased_tokens = sum(e.purchased_delta) as purchased, a.debt_tokens = sum(e.debt_delta) as debt
        from accounts a join ledger_entries e on e.account_id = a.id where a.id = ${person.accountId} group by a.id`,
    ),
  ).toEqual({ purchased: true, debt: true });
}
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error as { code?: string }).code ?? error,
  );

describe('one purchase, whatever is seen of it', () => {
  test('fifty looks at once, of before and after the payment, give its tokens once', async () => {
    const looks = Array.from({ length: 50 }, (_, i) => converge(i % 5 === 0 ? { stage: 'open', paid: 0 } : {}));
    await Promise.all(looks);
    await converge();
    expect((await balance()).purchased).toBe(1_100);
    const given = (await entries()).reduce((sum, { tokens }) => sum + tokens, 0);
    expect(given).toBe(1_100);
    expect((await getPurchase(db.database.sql, purchase.purchaseId)).state).toBe('paid');
  });

  test('a second purchase that is paid is a second grant (control)', async () => {
    await converge();
    purchase = await buy();
    await converge();
    expect((await balance()).purchased).toBe(2_200);
    expect(await entries()).toHaveLength(2);
  });

  test('a look that sees nothing new adds nothing', async () => {
    expect(await converge()).toMatchObject({ booked: 1_100, changed: true });
    expect(await converge()).toMatchObject({ booked: 0, changed: false });
    expect(
      await rows(db.database.sql, sql`select 1 from payment_snapshots where purchase_id = ${purchase.purchaseId}`),
    ).toHaveLength(1);
  });

  test('a deposit that fails after its grant takes the tokens back, what is spent as debt, and a late one pays it', async () => {
    await converge();
    await spend(400);
    await converge({ stage: 'awaiting_deposit', paid: 0 });
    expect(await balance()).toMatchObject({ purchased: 0, debt: 400 });
    await converge({ stage: 'expired', paid: 0 });
    expect(await balance()).toMatchObject({ purchased: 0, debt: 400 });
    expect(await converge()).toMatchObject({ purchase: { state: 'paid' } });
    expect(await balance()).toMatchObject({ purchased: 700, debt: 0 });
    await expectBooksToAddUp();
  });

  test('a dispute moves tokens with the money, by level, never twice', async () => {
    await converge();
    await converge({ isDisputed: true });
    expect((await balance()).purchased).toBe(1_100);
    for (let i = 0; i < 3; i += 1) await converge({ isDisputed: true, withdrawn: 10_000 });
    expect(await balance()).toMatchObject({ purchased: 0, debt: 0 });
    await converge();
    expect((await balance()).purchased).toBe(1_100);
    await converge({ withdrawn: 10_000 });
    await converge({ withdrawn: 5_000, refunds: [seen(5_000)] });
    expect(await balance()).toMatchObject({ purchased: 0, debt: 0 });
  });

  test('a payment of another amount moves nothing, before and after it was paid', async () => {
    expect(await converge({ amount: 1_000, paid: 1_000 })).toMatchObject({
      purchase: { state: 'mismatch' },
      booked: 0,
    });
    expect((await balance()).purchased).toBe(0);
    await converge();
    expect(await converge({ currency: 'USD' })).toMatchObject({ purchase: { state: 'mismatch' }, booked: 0 });
    expect((await balance()).purchased).toBe(1_100);
  });

  test('a look is never rewritten, nor what somebody bought', async () => {
    await converge();
    for (const statement of [
      sql`update payment_snapshots set paid = 0`,
      sql`delete from purchase_bookings`,
      sql`update packs set amount = 1`,
    ])
      expect(violatedConstraint(await statement.execute(db.database.sql).catch((error: unknown) => error))).toMatch(
        /^(packs_never_change|.*_are_append_only)$/,
      );
  });
});

function seen(amount: number, refundId: string | null = null, state: SeenRefund['state'] = 'succeeded'): SeenRefund {
  return { refundId, amount, state };
}

describe('a refund', () => {
  beforeEach(async () => {
    await converge();
  });

  test('offers exactly what is not spent, and takes no token that is', async () => {
    expect(await refundable()).toEqual({ tokens: 1_100, amount: 10_000 });
    await spend(550);
    expect(await refundable()).toEqual({ tokens: 550, amount: 4_500 });
    await refund(null);
    expect(await balance()).toMatchObject({ purchased: 0, debt: 0 });
  });

  test('a look between the taking of its tokens and the answer of the provider gives nothing back', async () => {
    const asked = await refund(null);
    expect((await balance()).purchased).toBe(0);
    await converge();
    expect((await balance()).purchased).toBe(0);
    await converge({ refunds: [seen(10_000, asked.refund.refundId, 'pending')] });
    await converge({ refunds: [seen(10_000, asked.refund.refundId)] });
    expect(await balance()).toMatchObject({ purchased: 0, debt: 0 });
    expect((await getPurchase(db.database.sql, purchase.purchaseId)).state).toBe('refunded');
  });

  test('a refusal of the provider gives the tokens back, once', async () => {
    const asked = await refund(550);
    expect((await balance()).purchased).toBe(550);
    const failed = { refundId: asked.refund.refundId, failure: 'refused' as const };
    await failRefund(db.database, vault, failed);
    await failRefund(db.database, vault, failed);
    await converge();
    expect((await balance()).purchased).toBe(1_100);
    expect(await refundable()).toEqual({ tokens: 1_100, amount: 10_000 });
  });

  test('ten at once are one, and the same key again is the same refund', async () => {
    const key = newId();
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => refusal(refund(null))));
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(1);
    expect(new Set(outcomes.filter((outcome) => outcome !== 'accepted'))).toEqual(new Set(['payment_pending']));
    expect((await balance()).purchased).toBe(0);
    purchase = await buy();
    await converge();
    const [one, two] = [await refund(null, key), await refund(null, key)];
    expect(two.refund.refundId).toBe(one.refund.refundId);
  });

  test('belongs to the newest purchases: what came later is spent last', async () => {
    await grantTokens(db.database, { userId: person.userId, tokens: 300, reason: 'gift', key: newId() });
    await spend(1_200);
    expect(await refundable()).toEqual({ tokens: 0, amount: 0 });
    expect(await refusal(refund(null))).toBe('not_refundable');
  });

  test("is nobody else's, and over after seven days and during a dispute", async () => {
    const other = await createPerson(db.database);
    expect(
      await refusal(
        requestRefund(db.database, vault, {
          purchaseId: purchase.purchaseId,
          by: { userId: other.userId, tokens: null },
          reason: 'x',
          key: newId(),
        }),
      ),
    ).toBe('not_found');
    await converge({ isDisputed: true });
    expect(await refundable()).toEqual({ tokens: 0, amount: 0 });
    await converge();
    await sql`update purchases set paid_at = paid_at - interval '7 days' where id = ${purchase.purchaseId}`.execute(
      db.database.sql,
    );
    expect(await refundable()).toEqual({ tokens: 0, amount: 0 });
  });

  test("an admin's may take what is spent, as debt that the next purchase pays", async () => {
    await spend(500);
    await requestRefund(db.database, vault, {
      purchaseId: purchase.purchaseId,
      by: { actor: { adminId: person.userId, requestId: 'r-1' }, amount: null },
      reason: 'goodwill',
      key: newId(),
    });
    expect(await balance()).toMatchObject({ purchased: 0, debt: 500 });
    purchase = await buy();
    await converge();
    expect(await balance()).toMatchObject({ purchased: 600, debt: 0 });
    await expectBooksToAddUp();
  });
});

describe('making purchases', () => {
  test('a key makes one, a fifth may wait, and a sixth is refused, however many are pressed at once', async () => {
    const key = newId();
    const [one, two] = await Promise.all([buy({ key }), buy({ key })]);
    expect(two.purchaseId).toBe(one.purchaseId);
    expect(await refusal(buy({ key, provider: 'toss' }))).toBe('idempotency_conflict');
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => refusal(buy())));
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(3);
    expect(await refusal(buy())).toBe('too_many_open_purchases');
  });

  test('a payment names one purchase', async () => {
    const other = await buy();
    expect(await namePayment(db.database.sql, purchase.purchaseId, 'key-1')).toBe(true);
    expect(await namePayment(db.database.sql, purchase.purchaseId, 'key-1')).toBe(true);
    expect(await namePayment(db.database.sql, other.purchaseId, 'key-1')).toBe(false);
    expect(await namePayment(db.database.sql, purchase.purchaseId, 'key-2')).toBe(false);
  });

  test('a changed pack is its next version, and what was bought stays', async () => {
    const [dearer] = await publishPacks(db.database, [{ ...PACK, amount: 12_000 }]);
    expect(dearer).toMatchObject({ amount: 12_000, version: pack.version + 1 });
    expect(await getPurchase(db.database.sql, purchase.purchaseId)).toMatchObject({ amount: 10_000 });
    const [again] = await publishPacks(db.database, [{ ...PACK, amount: 12_000 }]);
    expect(again?.version).toBe(dearer?.version);
  });

  test('the list turns its pages, also between purchases of one millisecond', async () => {
    const made = [purchase, await buy(), await buy(), await buy()].map(({ purchaseId }) => purchaseId).sort();
    await sql`update purchases set created_at = '2026-12-01 00:00:00Z'::timestamptz - n * interval '1 microsecond'
      from unnest(${made}::uuid[]) with ordinality m (id, n) where purchases.id = m.id`.execute(db.database.sql);
    const seenIds: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await listPurchases(db.database.sql, { filter: { userId: person.userId }, limit: 2, cursor });
      seenIds.push(...page.items.map(({ purchaseId }) => purchaseId));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seenIds).toEqual(made);
    // Of everybody's, a page from the middle reads about what it shows: no sort looks at what nobody asked for.
    await sql`insert into purchases (id, user_id, account_id, pack_id, pack_version, tokens, bonus_tokens, amount, currency, provider, livemode, state, idempotency_key, expires_at, created_at)
      select gen_random_uuid(), user_id, account_id, pack_id, pack_version, tokens, bonus_tokens, amount, currency, provider, livemode, state, gen_random_uuid(), expires_at, created_at - n * interval '1 second'
      from purchases cross join generate_series(1, 2000) n where id = ${purchase.purchaseId}`.execute(db.database.sql);
    await sql`analyze purchases`.execute(db.database.sql);
    const { database, statements } = recordStatements(db.database);
    const { nextCursor } = await listPurchases(database.reads, { filter: {}, limit: 500, cursor: null });
    await listPurchases(database.reads, { filter: {}, limit: 20, cursor: nextCursor });
    const read = (await explainRun(db.database.sql, statements.at(-1)!)).filter(({ table }) => table === 'purchases');
    expect(read.map(({ scans, rows: seen }) => [scans, seen < 50])).toEqual([[false, true]]);
  });
});
