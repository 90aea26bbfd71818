import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { createLog } from '../../platform/telemetry/log.ts';
import { CANARY_EMAIL, CANARY_LAST4 } from '../fake-payments/stripe-rows.ts';
import { STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET } from '../fake-payments/stripe.ts';
import { startStripeStack, type StripeStack } from '../support/stripe.ts';
import { until } from '../support/until.ts';

let at: StripeStack;
const folder = mkdtempSync(join(tmpdir(), 'turnkeeper-stripe-'));
const logFile = join(folder, 'log');

beforeAll(async () => {
  at = await startStripeStack({ log: createLog({ name: 'test', level: 'trace', file: logFile }) });
});
afterAll(async () => {
  await at.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => at.newBuyer());
afterEach(() => {
  at.stripe.hooks({ url: null });
  at.stripe.desk.heal();
});

const callsOf = (name: string, purchaseId: string) =>
  at.stripe.desk.calls.filter((call) => call.name === name && JSON.stringify(call).includes(purchaseId));

describe('a checkout', () => {
  test.each([
    ['half', '10000', 'krw'],
    ['dollar', '999', 'usd'],
  ])('of %s asks for %s of the smallest unit of %s, and leads to Stripe’s page', async (packId, amount, currency) => {
    const { purchaseId, checkout } = await at.buyer.buy(packId);
    expect(checkout).toEqual({ kind: 'redirect', url: at.sessionOf(purchaseId).url });
    expect(callsOf('checkout', purchaseId)).toMatchObject([
      {
        key: `checkout/${purchaseId}`,
        body: {
          line_items: {
            0: { quantity: '1', price_data: { currency, unit_amount: amount, tax_behavior: 'inclusive' } },
          },
          success_url: `${at.stack.url}/purchase/${purchaseId}`,
          metadata: { purchaseId },
        },
      },
    ]);
  });

  test('that is asked for again, by many at once or in another language is the same, and leads to ours when it is over', async () => {
    const key = randomUUID();
    const send = (language: string) =>
      at.person.call(
        'POST',
        '/api/purchases',
        { packId: 'half', provider: 'stripe' },
        {
          'idempotency-key': key,
          'accept-language': language,
        },
      );
    at.stripe.desk.fail('checkout', { cut: 'after' });
    const lost = await send('ko');
    expect([lost.status, lost.body.code]).toEqual([503, 'provider_unavailable']);
    const { purchaseId } = lost.body as { purchaseId: string };
    expect((await send('en')).body).toMatchObject({ purchaseId, checkout: { kind: 'redirect' } });
    const answers = await Promise.all(Array.from({ length: 10 }, () => send('en')));
    expect(new Set(answers.map(({ body }) => body.checkout.url))).toEqual(new Set([at.sessionOf(purchaseId).url]));
    at.stripe.book.pay(at.sessionOf(purchaseId).id);
    expect((await send('ko')).body.checkout).toEqual({
      kind: 'redirect',
      url: `${at.stack.url}/purchase/${purchaseId}`,
    });
  });

  test('of another amount than was asked for is shown to nobody', async () => {
    const { book } = at.stripe;
    const create = book.createSession.bind(book);
    book.createSession = (form) => ({ ...create(form), amount_total: 1_000_000 });
    const { status, body } = await at.buyer.post('/api/purchases', { packId: 'half', provider: 'stripe' });
    book.createSession = create;
    expect([status, body.code]).toEqual([503, 'provider_unavailable']);
  });
});

describe('a payment', () => {
  test('of 50 shuffled and doubled webhooks and the page that comes back is granted once, and a second one again', async () => {
    const { purchaseId } = await at.buyer.buy();
    at.stripe.hooks({ url: at.hookUrl, duplicate: 25, reorder: true, delayMs: 300 });
    at.stripe.book.pay(at.sessionOf(purchaseId).id);
    await Promise.all(Array.from({ length: 10 }, () => at.buyer.detail(purchaseId)));
    await at.buyer.untilState(purchaseId, 'paid');
    await until(async () => (await at.heard(purchaseId)).reduce((sum, { times }) => sum + times, 0) === 50);
    await at.look(purchaseId);
    expect(await at.ledgerOf(purchaseId)).toEqual([50_000]);
    expect((await at.buyer.usage()).purchasedTokens).toBe(50_000);
    const second = await at.paid();
    expect(await at.ledgerOf(second)).toEqual([50_000]);
    expect((await at.buyer.usage()).purchasedTokens).toBe(100_000);
  });

  test('whose webhooks are all lost is granted by the page, and by whoever looks when nobody comes back', async () => {
    const { purchaseId } = await at.buyer.buy();
    at.stripe.book.pay(at.sessionOf(purchaseId).id);
    expect(await at.look(purchaseId)).toMatchObject({ state: 'paid', method: 'card' });
    expect((await at.buyer.detail(purchaseId)).receiptUrl).toMatch(/^https:\/\/pay\.stripe\.test/);
  });

  test('that a bank decides days later is not over while it is unpaid, granted when it is, and not when it is not', async () => {
    at.stripe.hooks({ url: at.hookUrl });
    const [late, never] = [await at.buyer.buy(), await at.buyer.buy()];
    for (const { purchaseId } of [late, never]) {
      at.stripe.book.pay(at.sessionOf(purchaseId).id, { later: true });
      await at.untilHeard(purchaseId, 'checkout.session.completed');
      expect(await at.look(purchaseId)).toMatchObject({ state: 'pending' });
    }
    expect((await at.buyer.usage()).purchasedTokens).toBe(0);
    at.stripe.book.decide(at.sessionOf(late.purchaseId).id, true);
    at.stripe.book.decide(at.sessionOf(never.purchaseId).id, false);
    expect(await at.look(late.purchaseId)).toMatchObject({ state: 'paid' });
    expect(await at.look(never.purchaseId)).toMatchObject({ state: 'failed', failure: 'declined' });
    expect((await at.buyer.usage()).purchasedTokens).toBe(50_000);
  });

  test('may follow a card that was declined, and a session that is over gives nothing', async () => {
    const { purchaseId } = await at.buyer.buy();
    const { id } = at.sessionOf(purchaseId);
    at.stripe.book.decline(id);
    expect(await at.look(purchaseId)).toMatchObject({ state: 'created' });
    at.stripe.book.pay(id);
    expect(await at.look(purchaseId)).toMatchObject({ state: 'paid' });
    const left = await at.buyer.buy();
    at.stripe.book.expire(at.sessionOf(left.purchaseId).id);
    expect(await at.look(left.purchaseId)).toMatchObject({ state: 'expired' });
  });

  test.each<[string, object]>([
    ['amount', { amount_total: 100 }],
    ['currency', { currency: 'usd' }],
    ['purchase', { client_reference_id: randomUUID() }],
    ['mode', { livemode: true }],
  ])('of another %s grants nothing and waits for an admin; control: put right it is granted', async (_, change) => {
    const { purchaseId } = await at.buyer.buy();
    const right = at.stripe.book.pay(at.sessionOf(purchaseId).id);
    at.stripe.book.sessions.set(right.id, { ...right, ...change });
    expect(await at.look(purchaseId)).toMatchObject({ state: 'mismatch' });
    expect(await at.ledgerOf(purchaseId)).toEqual([]);
    at.stripe.book.sessions.set(right.id, right);
    expect(await at.look(purchaseId)).toMatchObject({ state: 'paid' });
  });

  test.each([
    ['is away', { cut: 'before' as const }],
    ['is ill', { refuse: { status: 500, body: { error: { type: 'api_error', message: 'ill' } } } }],
    ['answers nothing that is Stripe’s', { refuse: { status: 200, body: { hello: 'world' } } }],
    ['refuses our key', { refuse: { status: 401, body: { error: { type: 'invalid_request_error' } } } }],
  ])('is not judged while Stripe %s', async (_, fault) => {
    const purchaseId = await at.paid();
    // The purchase's workflow may be looking, too.
    at.stripe.desk.fail('session', { ...fault, times: 100 });
    const { status, body } = await at.lookRaw(purchaseId);
    expect([status, body.code]).toEqual([503, 'provider_unavailable']);
    expect(await at.ledgerOf(purchaseId)).toEqual([50_000]);
  });
});

describe('a webhook', () => {
  const hook = (body: string | Buffer, headers: Record<string, string> = {}) =>
    fetch(at.hookUrl, { method: 'POST', body: typeof body === 'string' ? body : new Uint8Array(body), headers });
  const event = (purchaseId: string, change: object = {}) =>
    JSON.stringify({
      id: `evt_${randomUUID()}`,
      object: 'event',
      type: 'checkout.session.completed',
      livemode: false,
      data: { object: { id: at.sessionOf(purchaseId).id, object: 'checkout.session', payment_status: 'paid' } },
      ...change,
    });

  test('is heard only with Stripe’s own signature of these bytes, made within five minutes', async () => {
    const { purchaseId } = await at.buyer.buy();
    const body = event(purchaseId);
    const now = Math.floor(Date.now() / 1_000);
    const { sign } = at.stripe;
    for (const [sent, headers] of [
      [body, {}],
      [body, { 'stripe-signature': 'nonsense' }],
      [body, { 'stripe-signature': `t=${now}` }],
      [body, sign(body, now, 'whsec_other')],
      [body, sign(body, now - 301)],
      [`${body} `, sign(body)],
      [JSON.stringify(JSON.parse(body), null, 1), sign(body)],
      ['', sign('')],
    ] as const)
      expect([(await hook(sent, headers)).status, await at.heard(purchaseId)]).toEqual([400, []]);
    expect((await hook('x'.repeat(2_000_000), {})).status).toBe(413);
    // Control: the same bytes, signed.
    expect((await hook(body, sign(body, now - 200))).status).toBe(200);
    expect(await at.heard(purchaseId)).toMatchObject([{ type: 'checkout.session.completed' }]);
    // What it says is not believed.
    expect(await at.look(purchaseId)).toMatchObject({ state: 'created' });
  });

  test('that is signed but none of ours, or of the other mode, is answered and changes nothing', async () => {
    const { purchaseId } = await at.buyer.buy();
    for (const body of [
      event(purchaseId, { livemode: true }),
      event(purchaseId, { data: { object: { id: 'cs_of_nobody', object: 'checkout.session' } } }),
      event(purchaseId, { type: 'account.updated', data: { object: { id: 'acct_1', object: 'account' } } }),
      event(purchaseId, { type: 'charge.dispute.created', data: { object: { id: 'dp_1', object: 'dispute' } } }),
      event(purchaseId, { data: {} }),
      '{}',
      '[]',
      'null',
    ])
      expect([body, (await hook(body, at.stripe.sign(body))).status]).toEqual([body, 200]);
    const notJson = 'not JSON';
    expect((await hook(notJson, at.stripe.sign(notJson))).status).toBe(400);
    expect(await at.heard(purchaseId)).toEqual([]);
  });
});

test('no key, secret, card or address of a buyer is in the log, a history, the audit or a table', async () => {
  at.stripe.hooks({ url: at.hookUrl });
  const purchaseId = await at.paid();
  await at.look(purchaseId);
  const secrets = [STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, CANARY_LAST4, CANARY_EMAIL, '_secret_canary'];
  const history = await at.stack.temporal.client.workflow.getHandle(`purchase/${purchaseId}`).fetchHistory();
  const dump = async (table: string) => {
    const { rows } = await sql<{ text: string }>`select t::text as text from ${sql.table(table)} t`.execute(at.sql);
    return rows.map(({ text }) => text).join('\n');
  };
  const places = {
    log: readFileSync(logFile, 'utf8'),
    history: at.textOf(history),
    audit: await dump('audit_entries'),
    purchases: await dump('purchases'),
    snapshots: await dump('payment_snapshots'),
    events: await dump('inbound_events'),
  };
  for (const [place, text] of Object.entries(places))
    expect([place, secrets.filter((secret) => text.includes(secret))]).toEqual([place, []]);
  // Stripe's name of the payment stays in PostgreSQL. Control: the purchase is found where it must be.
  const intent = at.sessionOf(purchaseId).payment_intent ?? 'none';
  expect([places.log, places.history].filter((text) => text.includes(intent))).toEqual([]);
  expect([places.purchases.includes(intent), places.history.includes(purchaseId)]).toEqual([true, true]);
});
