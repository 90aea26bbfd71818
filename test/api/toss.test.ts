import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { createLog } from '../../platform/telemetry/log.ts';
import { startFakeToss, TOSS_SECRET_KEY, type FakeToss } from '../fake-payments/toss.ts';
import { CANARY_ACCOUNT, CANARY_CARD, CANARY_HOLDER } from '../fake-payments/toss-book.ts';
import { startCollector, type Collector } from '../ops/otlp-collector.ts';
import { buyerOf, selling } from '../support/buyer.ts';
import { purchaseWorkflowId } from '../../workflows/contract/ids.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

let toss: FakeToss;
let collector: Collector;
let stack: TestStack;
let person: Person;
let buyer: ReturnType<typeof buyerOf>;
const folder = mkdtempSync(join(tmpdir(), 'turnkeeper-toss-'));
const logFile = join(folder, 'log');

beforeAll(async () => {
  [toss, collector] = await Promise.all([startFakeToss(), startCollector()]);
  const log = createLog({ name: 'test', level: 'trace', file: logFile });
  stack = await startTestStack(
    {
      ...(await selling()),
      TOSS_API_URL: toss.url,
      TOSS_SCRIPT_URL: `${toss.url}/v2/standard`,
      TOSS_SECRET_KEY,
      TOSS_CLIENT_KEY: 'test_ck_1',
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
    },
    { log },
  );
});
afterAll(async () => {
  await stack.close();
  await Promise.all([toss.close(), collector.close()]);
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  person = await stack.person();
  buyer = buyerOf(person, 'toss');
  toss.hooks({ url: `${stack.url}/api/webhooks/toss` });
});
afterEach(() => {
  toss.hooks({ url: null });
  toss.desk.heal();
});

const hook = (body: unknown) =>
  fetch(`${stack.url}/api/webhooks/toss`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'tosspayments-webhook-transmission-id': randomUUID() },
  });
const callsOf = (name: string, orderId: string) =>
  toss.desk.calls.filter((call) => call.name === name && JSON.stringify(call).includes(orderId));
const effectsOf = (orderId: string) => toss.book.effects.filter((effect) => effect.orderId === orderId);
/** A purchase whose buyer has agreed in the window. */
async function agreed(method?: '가상계좌') {
  const { purchaseId } = await buyer.buy();
  const { paymentKey } = toss.book.begin({
    orderId: purchaseId,
    amount: 10_000,
    ...(method === undefined ? {} : { method }),
  });
  return { purchaseId, paymentKey };
}
async function paid(method?: '가상계좌') {
  const made = await agreed(method);
  expect((await buyer.confirm(made.purchaseId, made.paymentKey)).status).toBe(200);
  if (method !== undefined) toss.book.deposit(made.purchaseId);
  await buyer.untilState(made.purchaseId, 'paid');
  return made;
}

describe('a card', () => {
  test('is confirmed once for the amount in won, and its tokens are there', async () => {
    const { purchaseId, checkout } = await buyer.buy();
    expect(checkout).toEqual({
      kind: 'toss',
      clientKey: 'test_ck_1',
      customerKey: purchaseId,
      orderId: purchaseId,
      amount: 10_000,
      currency: 'KRW',
      orderName: '토큰 5만',
      scriptUrl: `${toss.url}/v2/standard`,
    });
    const { paymentKey } = toss.book.begin({ orderId: purchaseId, amount: 10_000 });
    const { status, body } = await buyer.confirm(purchaseId, paymentKey);
    expect([status, body]).toEqual([200, expect.objectContaining({ state: 'paid', method: 'card' })]);
    // Whoever watches it may ask at the same time: by the same key and for the same amount, so that Toss does it once.
    const confirms = callsOf('confirm', purchaseId);
    expect(confirms.length).toBeGreaterThan(0);
    for (const call of confirms)
      expect(call).toMatchObject({
        key: `confirm-${purchaseId}`,
        body: { paymentKey, orderId: purchaseId, amount: 10_000 },
      });
    expect((await buyer.usage()).purchasedTokens).toBe(50_000);
    // Again, as a page that is loaded anew does.
    expect((await buyer.confirm(purchaseId, paymentKey)).status).toBe(200);
    expect(effectsOf(purchaseId)).toHaveLength(1);
  });

  test('that is confirmed forty times at once is taken once, and another purchase is another (control)', async () => {
    const { purchaseId, paymentKey } = await agreed();
    const answers = await Promise.all(Array.from({ length: 40 }, () => buyer.confirm(purchaseId, paymentKey)));
    expect(answers.filter(({ status }) => status !== 200 && status !== 409)).toEqual([]);
    await buyer.untilState(purchaseId, 'paid');
    expect(effectsOf(purchaseId)).toHaveLength(1);
    expect((await buyer.usage()).purchasedTokens).toBe(50_000);
    const another = await paid();
    expect((await buyer.usage()).purchasedTokens).toBe(100_000);
    // Toss answers a key that it knows with what it answered before, whoever's payment that was.
    const keys = [purchaseId, another.purchaseId].map((id) => new Set(callsOf('confirm', id).map(({ key }) => key)));
    expect(keys).toEqual([new Set([`confirm-${purchaseId}`]), new Set([`confirm-${another.purchaseId}`])]);
  });

  test.each(['before', 'after'] as const)(
    'whose connection is cut %s the money is taken is granted once, by one effect under one key',
    async (cut) => {
      const { purchaseId, paymentKey } = await agreed();
      toss.desk.fail('confirm', { cut });
      expect([200, 409]).toContain((await buyer.confirm(purchaseId, paymentKey)).status);
      // Nobody comes back: the workflow and the readers of the page go on with it.
      await buyer.untilState(purchaseId, 'paid');
      expect(effectsOf(purchaseId)).toHaveLength(1);
      const keys = callsOf('confirm', purchaseId).map(({ key }) => key);
      expect(new Set(keys)).toEqual(new Set([`confirm-${purchaseId}`]));
      expect((await buyer.usage()).purchasedTokens).toBe(50_000);
    },
  );

  test('that is answered late is granted before the answer comes', async () => {
    const { purchaseId, paymentKey } = await agreed();
    toss.desk.fail('confirm', { delayMs: 5_000 });
    const answer = buyer.confirm(purchaseId, paymentKey);
    await buyer.untilState(purchaseId, 'paid');
    expect((await answer).status).toBe(200);
    expect(effectsOf(purchaseId)).toHaveLength(1);
    expect((await buyer.usage()).purchasedTokens).toBe(50_000);
  });

  test.each([
    [403, 'REJECT_CARD_COMPANY', 'payment_declined', 'failed'],
    [404, 'NOT_FOUND_PAYMENT_SESSION', 'payment_declined', 'failed'],
    [401, 'UNAUTHORIZED_KEY', 'payment_pending', 'pending'],
    [500, 'FAILED_INTERNAL_SYSTEM_PROCESSING', 'payment_pending', 'pending'],
  ])('%i %s is %s', async (status, code, expected, state) => {
    const { purchaseId, paymentKey } = await agreed();
    // The workflow asks again, so that it must be refused again.
    toss.desk.fail('confirm', { refuse: { status, body: { code, message: '오류' } }, times: 100 });
    const answer = await buyer.confirm(purchaseId, paymentKey);
    expect([answer.status, answer.body.code]).toEqual([expect.any(Number), expected]);
    const { rows } = await sql<{ state: string }>`select state from purchases where id = ${purchaseId}`.execute(
      stack.db.database.sql,
    );
    expect(rows).toEqual([{ state }]);
    expect(effectsOf(purchaseId)).toEqual([]);
  });

  test('of another purchase, of another amount or of nobody is not confirmed, and stays whose it is', async () => {
    const [mine, other] = [await agreed(), await agreed()];
    const cheap = await buyer.buy();
    const { paymentKey } = toss.book.begin({ orderId: cheap.purchaseId, amount: 100 });
    for (const [purchaseId, key, amount] of [
      [mine.purchaseId, mine.paymentKey, 1],
      [mine.purchaseId, other.paymentKey, 10_000],
      [cheap.purchaseId, paymentKey, 10_000],
      [cheap.purchaseId, paymentKey, 100],
    ] as const) {
      const { status, body } = await buyer.confirm(purchaseId, key, amount);
      expect([status, body.code]).toEqual([409, 'amount_mismatch']);
    }
    expect((await buyer.confirm(mine.purchaseId, 'nobody')).body.code).toBe('payment_declined');
    expect(toss.book.effects.filter(({ orderId }) => orderId === cheap.purchaseId)).toEqual([]);
    for (const { purchaseId, paymentKey } of [mine, other])
      expect((await buyer.confirm(purchaseId, paymentKey)).status).toBe(200);
  });
});

describe('a webhook', () => {
  test('that is forged makes us look, and grants nothing', async () => {
    const { purchaseId, paymentKey } = await agreed();
    const data = { orderId: purchaseId, paymentKey, status: 'DONE', totalAmount: 10_000 };
    expect((await hook({ eventType: 'PAYMENT_STATUS_CHANGED', data })).status).toBe(200);
    await until(() => callsOf('get', purchaseId).length > 0);
    expect((await buyer.detail(purchaseId)).state).toBe('pending');
    expect((await buyer.usage()).purchasedTokens).toBe(0);
    for (const body of [
      '',
      '{',
      '[]',
      { eventType: 'X', data: { orderId: 1 } },
      { orderId: randomUUID(), secret: 'x' },
      // What PostgreSQL holds in no column.
      { eventType: 'X', data: { paymentKey: '\0' } },
      { eventType: 'X\0', data: { orderId: purchaseId } },
      { eventType: 'X', data: { orderId: '\ud800' } },
    ])
      expect((await hook(body)).status).toBe(200);
    expect((await hook('x'.repeat(2_000_000))).status).toBe(413);
  });

  test('that comes when all is over makes us look at most once in two seconds, however many come', async () => {
    const { purchaseId, paymentKey } = await paid();
    const watch = stack.temporal.client.workflow.getHandle(purchaseWorkflowId(purchaseId));
    const isOver = async () => (await watch.describe()).status.name === 'COMPLETED';
    await until(isOver);
    const looks = () => callsOf('get', paymentKey).length;
    const [before, began] = [looks(), Date.now()];
    for (let n = 0; n < 30; n += 1) {
      await hook({ eventType: 'PAYMENT_STATUS_CHANGED', data: { orderId: purchaseId } });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await until(isOver);
    expect(looks() - before).toBeGreaterThan(0);
    expect(looks() - before).toBeLessThanOrEqual(1 + Math.ceil((Date.now() - began) / 2_000));
  });

  test('is kept two hundred times a purchase: it is signed by nobody', async () => {
    const { purchaseId } = await agreed();
    await sql`insert into inbound_events (provider, event_id, type, purchase_id)
      select 'toss', 'one of many-' || n, 'x', ${purchaseId} from generate_series(1, 199) n`.execute(
      stack.db.database.sql,
    );
    const kept = async () => {
      const { rows } = await sql<{ n: number }>`
        select count(*)::int as n from inbound_events where purchase_id = ${purchaseId}`.execute(stack.db.database.sql);
      return rows[0]?.n;
    };
    for (const count of [200, 200]) {
      expect((await hook({ eventType: 'PAYMENT_STATUS_CHANGED', data: { orderId: purchaseId } })).status).toBe(200);
      expect(await kept()).toBe(count);
    }
  });

  test('of a deposit is heard by its secret alone', async () => {
    const { purchaseId, paymentKey } = await agreed('가상계좌');
    await buyer.confirm(purchaseId, paymentKey);
    const { secret } = toss.book.get(paymentKey);
    const heard = async () => {
      const { rows } = await sql<{ n: number }>`
        select count(*)::int as n from inbound_events where purchase_id = ${purchaseId} and type = 'DEPOSIT_CALLBACK'`.execute(
        stack.db.database.sql,
      );
      return rows[0]?.n;
    };
    await hook({ orderId: purchaseId, secret: 'ps_wrong', status: 'DONE' });
    await hook({ orderId: purchaseId, status: 'DONE' });
    expect(await heard()).toBe(0);
    await hook({ orderId: purchaseId, secret, status: 'DONE' });
    expect(await heard()).toBe(1);
  });
});

describe('a deposit', () => {
  test('is looked for by the clock when no webhook comes and nobody reads', async () => {
    const { purchaseId, paymentKey } = await agreed('가상계좌');
    await buyer.confirm(purchaseId, paymentKey);
    const watch = stack.temporal.client.workflow.getHandle(purchaseWorkflowId(purchaseId));
    const timers = async () =>
      ((await watch.fetchHistory()).events ?? []).flatMap(({ timerStartedEventAttributes: timer }) =>
        timer == null ? [] : [Number(timer.startToFireTimeout?.seconds)],
      );
    await until(async () => (await timers()).includes(600));
  });

  test('that its bank takes back leaves what was spent of it as debt, which the next deposit pays', async () => {
    const { purchaseId } = await paid('가상계좌');
    await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 20 });
    const balance = async () =>
      (
        await sql`select purchased_tokens::int as purchased, debt_tokens::int as debt from accounts where user_id = ${person.userId}`.execute(
          stack.db.database.sql,
        )
      ).rows;
    expect(await balance()).toEqual([{ purchased: 20_000, debt: 0 }]);
    toss.book.deposit(purchaseId, { error: true });
    await buyer.untilState(purchaseId, 'awaiting_deposit');
    expect(await balance()).toEqual([{ purchased: 0, debt: 30_000 }]);
    toss.book.deposit(purchaseId);
    await buyer.untilState(purchaseId, 'paid');
    expect(await balance()).toEqual([{ purchased: 20_000, debt: 0 }]);
  });

  test('has the receipt for the tax office that Toss issued, and a card has none (control)', async () => {
    const [deposit, card] = [await paid('가상계좌'), await paid()];
    const { body } = await person.call('GET', '/api/purchases');
    const ofToss = (id: string) => `https://dashboard.tosspayments.test/cash-receipt/${id}`;
    const items = body.items as { purchaseId: string; cashReceiptUrl: string | null }[];
    expect(items.map(({ purchaseId, cashReceiptUrl }) => [purchaseId, cashReceiptUrl])).toEqual([
      [card.purchaseId, null],
      [deposit.purchaseId, ofToss(deposit.purchaseId)],
    ]);
  });

  test('is paid back by an admin to an account that they name, which the audit log does not know', async () => {
    const admin = await stack.person('admin');
    const { purchaseId } = await paid('가상계좌');
    const path = `/api/admin/purchases/${purchaseId}`;
    const { body } = await admin.call('GET', path);
    expect(body).toMatchObject({ asksForRefundAccount: true, refundBanks: expect.any(Array) });
    expect(body.refundBanks).toContainEqual({ code: '88', name: '신한은행' });
    const key = { 'idempotency-key': 'one' };
    const wanted = { amount: 4_000, reason: '시험' };
    expect((await admin.call('POST', `${path}/refunds`, wanted, key)).body.code).toBe('invalid_request');
    const refundAccount = { bank: '88', accountNumber: CANARY_ACCOUNT, holderName: CANARY_HOLDER };
    expect((await admin.call('POST', `${path}/refunds`, { ...wanted, refundAccount }, key)).status).toBe(202);
    await buyer.untilState(purchaseId, 'partially_refunded');
    expect(effectsOf(purchaseId).at(-1)).toEqual({ what: 'cancel', orderId: purchaseId, amount: 4_000 });
    // What goes back the way it came asks for no account (control).
    const card = await admin.call('GET', `/api/admin/purchases/${(await paid()).purchaseId}`);
    expect(card.body).toMatchObject({ asksForRefundAccount: false, refundBanks: [] });
  });

  test('shows its account to the buyer, is granted by its webhook, taken back when it was a mistake, and late again', async () => {
    const { purchaseId, paymentKey } = await agreed('가상계좌');
    await buyer.confirm(purchaseId, paymentKey);
    expect(await buyer.detail(purchaseId)).toMatchObject({
      state: 'awaiting_deposit',
      method: 'deposit',
      deposit: { bank: '신한은행', accountNumber: CANARY_ACCOUNT, holder: CANARY_HOLDER },
    });
    toss.book.deposit(purchaseId);
    await until(async () => (await buyer.usage()).purchasedTokens === 50_000);
    toss.book.deposit(purchaseId, { error: true });
    await until(async () => (await buyer.usage()).purchasedTokens === 0);
    toss.book.expire(purchaseId);
    await buyer.untilState(purchaseId, 'expired');
    // Its webhook is lost: whoever looks next finds it.
    toss.hooks({ url: null });
    toss.book.deposit(purchaseId);
    await buyer.untilState(purchaseId, 'paid');
    expect((await buyer.usage()).purchasedTokens).toBe(50_000);
    expect((await buyer.detail(purchaseId)).deposit).toBeNull();
  });

  test('is paid back to an account that its buyer names, once, and to none that is refused', async () => {
    const { purchaseId, paymentKey } = await paid('가상계좌');
    expect((await buyer.detail(purchaseId)).asksForRefundAccount).toBe(true);
    expect((await buyer.refund(purchaseId, { all: true })).body).toMatchObject({ code: 'invalid_request' });
    const refundAccount = { bank: '88', accountNumber: CANARY_ACCOUNT, holderName: CANARY_HOLDER };
    toss.desk.fail('cancel', { refuse: { status: 400, body: { code: 'INVALID_REFUND_ACCOUNT_NUMBER' } } });
    expect((await buyer.refund(purchaseId, { all: true, refundAccount })).status).toBe(202);
    await until(async () => (await buyer.detail(purchaseId)).refunds[0]?.state === 'failed');
    expect(await buyer.detail(purchaseId)).toMatchObject({ state: 'paid', refunds: [{ failure: 'account_refused' }] });
    expect((await buyer.usage()).purchasedTokens).toBe(50_000);
    toss.desk.fail('cancel', { cut: 'after' });
    expect((await buyer.refund(purchaseId, { all: true, refundAccount })).status).toBe(202);
    await buyer.untilState(purchaseId, 'refunded');
    expect(effectsOf(purchaseId).filter(({ what }) => what === 'cancel')).toEqual([
      { what: 'cancel', orderId: purchaseId, amount: 10_000 },
    ]);
    expect(callsOf('cancel', paymentKey).at(-1)).toMatchObject({ body: { refundReceiveAccount: refundAccount } });
    expect((await buyer.usage()).purchasedTokens).toBe(0);
    const { rows } = await sql`select 1 from purchase_secrets where purchase_id = ${purchaseId}`.execute(
      stack.db.database.sql,
    );
    expect(rows.length).toBeLessThanOrEqual(1);
  });
});

test('a refund in the dashboard is found by the next look', async () => {
  const { purchaseId } = await paid();
  toss.hooks({ url: null });
  toss.book.cancelHere(purchaseId, 4_000);
  await buyer.untilState(purchaseId, 'partially_refunded');
  expect((await buyer.usage()).purchasedTokens).toBe(30_000);
});

test('no key, secret, card or account number is in the log, a history, a trace, the audit or plain in a table', async () => {
  const { purchaseId, paymentKey } = await paid('가상계좌');
  const card = await paid();
  // The browser's way back has the payment in its address, and a refund has an account.
  await fetch(`${stack.url}/purchase/${card.purchaseId}?paymentKey=${card.paymentKey}`);
  const refundAccount = { bank: '88', accountNumber: CANARY_ACCOUNT, holderName: CANARY_HOLDER };
  toss.desk.fail('cancel', { refuse: { status: 400, body: { code: 'INVALID_REFUND_ACCOUNT_NUMBER' } } });
  const asked = await buyer.refund(purchaseId, { tokens: 10_000, refundAccount });
  await until(async () => (await buyer.detail(purchaseId)).refunds[0]?.state === 'failed');
  await buyer.refund(purchaseId, { tokens: 20_000, refundAccount: { ...refundAccount, accountNumber: '12' } });
  await buyer.refund(purchaseId, { tokens: 20_000, refundAccount });
  await buyer.untilState(purchaseId, 'partially_refunded');
  const secrets = [
    TOSS_SECRET_KEY,
    CANARY_ACCOUNT,
    CANARY_CARD,
    CANARY_HOLDER,
    'ps_canary',
    paymentKey,
    card.paymentKey,
  ];
  const { temporal, db } = stack;
  const histories: string[] = [];
  const refundId = (asked.body as { refunds: { refundId: string }[] }).refunds[0]?.refundId ?? '';
  for (const id of [`purchase/${purchaseId}`, `purchase/${card.purchaseId}`, `refund/${refundId}`]) {
    const history = await temporal.client.workflow.getHandle(id).fetchHistory();
    histories.push(textOf(history));
  }
  const dump = async (table: string) => {
    const { rows } = await sql<{ text: string }>`select t::text as text from ${sql.table(table)} t`.execute(
      db.database.sql,
    );
    return rows.map(({ text }) => text).join('\n');
  };
  await stack.tracing.flush();
  const places = {
    traces: collector.bodies.join('\n'),
    metrics: await stack.metrics.render(),
    refunds: await dump('refunds'),
    log: readFileSync(logFile, 'utf8'),
    histories: histories.join('\n'),
    audit: await dump('audit_entries'),
    snapshots: await dump('payment_snapshots'),
    secrets: await dump('purchase_secrets'),
    events: await dump('inbound_events'),
  };
  for (const [place, text] of Object.entries(places))
    expect([place, secrets.filter((secret) => text.includes(secret))]).toEqual([place, []]);
  // Control: the purchase itself is found where it must be, and its payment where it may be.
  expect(places.histories).toContain(purchaseId);
  expect(places.histories).toContain(refundId);
  expect(places.traces).toContain('/api/purchases/:purchaseId/confirm');
  expect(places.refunds).toContain(refundId);
  expect(await dump('purchases')).toContain(paymentKey);
  expect(places.log.length).toBeGreaterThan(0);
});

/** A history with its payloads readable. */
function textOf(history: object): string {
  return JSON.stringify(history, (_, value: unknown) => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
    if (typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value)
      return Buffer.from(value.data as number[]).toString('utf8');
    return value;
  });
}
