import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { createLog } from '../../platform/telemetry/log.ts';
import { createPaymentRuns } from '../../platform/temporal/payment-runs.ts';
import { autoTopUpWorkflowId } from '../../workflows/contract/ids.ts';
import { STRIPE_SECRET_KEY } from '../fake-payments/stripe.ts';
import { CANARY_CARD_PREFIX, type CardAnswer, type StripeCard } from '../fake-payments/stripe-cards.ts';
import { PAYMENTS_KEY } from '../support/buyer.ts';
import { startStripeStack, type StripeStack } from '../support/stripe.ts';
import { until } from '../support/until.ts';

const HOUR = 3_600_000;
const LOW = { packId: 'half', belowTokens: 20_000, monthlyLimit: 30_000 };

let at: StripeStack;
let aheadMs = 0;
const folder = mkdtempSync(join(tmpdir(), 'turnkeeper-top-up-'));
const logFile = join(folder, 'log');

beforeAll(async () => {
  const log = createLog({ name: 'test', level: 'trace', file: logFile });
  // Reminders are mails; nobody here has an address.
  const env = { SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: 'no-reply@turnkeeper.example' };
  at = await startStripeStack({ log, env, now: () => Date.now() + aheadMs });
  at.stripe.hooks({ url: at.hookUrl });
}, 60_000);
afterAll(async () => {
  await at.close();
  rmSync(folder, { recursive: true });
}, 60_000);

interface TopUpState {
  state: string;
  pausedBecause: string | null;
  nextTryAt: string | null;
  spentThisMonth: number;
}

/** A new buyer with a card that its bank treats so. */
async function giveCard(answer: CardAnswer = 'approve'): Promise<{ paymentMethodId: string; card: StripeCard }> {
  const { status, body } = await at.person.call('POST', '/api/payment-methods', {});
  expect([status, body]).toEqual([201, expect.anything()]);
  const { paymentMethodId, checkout } = body as { paymentMethodId: string; checkout: { url: string } };
  const card = at.stripe.book.keeper.give(checkout.url.split('/').at(-1) ?? '', answer);
  await until(async () => (await cards()).some((kept) => kept.paymentMethodId === paymentMethodId));
  return { paymentMethodId, card };
}

async function cards(): Promise<{ paymentMethodId: string; last4: string }[]> {
  return (await at.person.call('GET', '/api/payment-methods')).body.items as {
    paymentMethodId: string;
    last4: string;
  }[];
}

const choose = (body: object) => at.person.call('PUT', '/api/auto-top-up', body);
const chosen = async () => (await at.person.call('GET', '/api/auto-top-up')).body as TopUpState;
const use = (usagePercent: number) =>
  at.person.call('POST', '/api/ai-usage/test-usage', { userId: at.person.userId, usagePercent });

const workflowIdOf = (id: number) => `${at.stack.taskQueuePrefix}${autoTopUpWorkflowId(id)}`;

/** Charges of the card at Stripe, the oldest first. */
const charges = (card: StripeCard) =>
  [...at.stripe.book.intents.values()].filter((of) => of.customer === card.customer);

async function accountId(): Promise<number> {
  const { rows } = await sql<{
    id: number;
  }>`select id::float8 as id from accounts where user_id = ${at.person.userId}`.execute(at.sql);
  return rows[0]?.id ?? 0;
}

async function told(): Promise<string[]> {
  const { rows } = await sql<{
    kind: string;
  }>`select kind from notifications where user_id = ${at.person.userId} and kind like 'topup.%' order by id`.execute(
    at.sql,
  );
  return rows.map(({ kind }) => kind);
}

/** The account's workflow waits, or is over, and nothing is under way. */
async function untilQuiet(): Promise<void> {
  const id = await accountId();
  await until(async () => {
    const { rows } = await sql`select 1 from top_ups where account_id = ${id} and outcome is null`.execute(at.sql);
    return rows.length === 0;
  }, 30_000);
}

test('a card is kept once its form is finished, and what is chosen is what may be charged', async () => {
  await at.newBuyer();
  const { body } = await at.person.call('POST', '/api/payment-methods', {});
  expect(await cards()).toEqual([]);
  const form = (body as { checkout: { url: string } }).checkout.url.split('/').at(-1) ?? '';
  at.stripe.book.keeper.give(form);
  await until(async () => (await cards()).length === 1);
  expect(await cards()).toMatchObject([{ last4: '4242', brand: 'visa', expires: '2031-04', isRefused: false }]);
  const { paymentMethodId } = (await cards())[0] ?? { paymentMethodId: '' };
  const other = await at.stack.person();
  expect((await other.call('DELETE', `/api/payment-methods/${paymentMethodId}`)).status).toBe(404);
  const on = { enabled: true, ...LOW, paymentMethodId };
  const refused = [
    { belowTokens: 50_000 },
    { belowTokens: 0 },
    { monthlyLimit: 0 },
    { monthlyLimit: 9_999 },
    { packId: 'none' },
    { paymentMethodId: randomUUID() },
    { way: 'whenever' },
  ];
  for (const wrong of refused) expect([wrong, (await choose({ ...on, ...wrong })).status]).toEqual([wrong, 400]);
  expect((await other.call('PUT', '/api/auto-top-up', on)).status).toBe(400);
  expect(await chosen()).toMatchObject({ state: 'off', ways: ['charge', 'remind'] });
  expect(await choose(on)).toMatchObject({ status: 200, body: { state: 'on', ...LOW, paymentMethodId } });
  expect((await at.person.call('DELETE', `/api/payment-methods/${paymentMethodId}`)).status).toBe(204);
  expect(await chosen()).toMatchObject({ state: 'paused', pausedBecause: 'card_gone' });
  expect([await cards(), await told()]).toEqual([[], []]);
  await until(() => Promise.resolve([...at.stripe.book.keeper.cards.values()].some((card) => card.customer === null)));
});

test('tokens that fall below the threshold are bought once, whoever asks how often, and up to the limit of the month', async () => {
  await at.newBuyer();
  const { paymentMethodId, card } = await giveCard();
  const on = { enabled: true, ...LOW, monthlyLimit: 20_000, paymentMethodId };
  await choose(on);
  await untilQuiet();
  expect(charges(card)).toHaveLength(0);
  // The answer of the first charge is lost after its effect.
  at.stripe.desk.fail('charge', { cut: 'after' });
  await use(80);
  expect(charges(card)).toHaveLength(0);
  // The debit of a turn brings it below.
  at.stack.model.next({ chunks: ['네'], usage: { prompt_tokens: 900, completion_tokens: 100 } });
  expect((await at.person.call('POST', '/api/chat/send', { message: '안녕' })).status).toBe(200);
  await Promise.all(Array.from({ length: 20 }, () => choose(on)));
  await until(async () => (await at.buyer.usage()).purchasedTokens === 50_000, 30_000);
  await untilQuiet();
  expect(charges(card)).toHaveLength(1);
  const { items } = (await at.person.call('GET', '/api/purchases')).body as { items: object[] };
  expect(items).toMatchObject([{ state: 'paid', automatic: true, amount: 10_000, method: 'card' }]);
  const asked = at.stripe.desk.calls.filter(
    ({ name, key }) => name === 'charge' && key?.endsWith(String(charges(card)[0]?.metadata['purchaseId'])),
  );
  expect(asked.map(({ key }) => key)).toEqual([
    `auto-top-up/${await accountId()}/${charges(card)[0]?.metadata['purchaseId']}`,
  ]);
  // 135,000 of 150,000 are used: another one, and then the limit of the month is reached.
  await use(90);
  await until(async () => charges(card).length === 2);
  await untilQuiet();
  await use(95);
  await until(async () => {
    const { rows } = await sql<{
      at: Date | null;
    }>`select claimed_until as at from auto_top_ups where account_id = ${await accountId()}`.execute(at.sql);
    return rows[0]?.at != null;
  });
  expect(charges(card)).toHaveLength(2);
  expect(await chosen()).toMatchObject({ state: 'on', spentThisMonth: 20_000 });
});

test('whoever starts it while it runs makes it look once more, for it may have looked before and be about to end', async () => {
  await at.newBuyer();
  const { paymentMethodId, card } = await giveCard();
  await choose({ enabled: true, ...LOW, paymentMethodId });
  await untilQuiet();
  const id = await accountId();
  const workflow = at.stack.temporal.client.workflow.getHandle(workflowIdOf(id));
  await workflow.result();
  const looks = async () =>
    ((await workflow.fetchHistory()).events ?? []).filter(
      (event) => event.activityTaskScheduledEventAttributes != null,
    );
  at.stripe.desk.fail('charge', { delayMs: 1_000 });
  await use(90);
  await until(() => Promise.resolve(charges(card).length === 1));
  const runs = createPaymentRuns(at.stack.temporal, { taskQueuePrefix: at.stack.taskQueuePrefix });
  await runs.startTopUp({ accountId: id, userId: at.person.userId });
  expect(await workflow.result()).toMatchObject({ outcome: 'enough' });
  expect(await looks()).toHaveLength(2);
  expect(charges(card)).toHaveLength(1);
});

test('a card that is declined is asked at 0, 1, 3 and 7 hours and no more, with one mail at the first and one at the pause', async () => {
  await at.newBuyer();
  const { paymentMethodId, card } = await giveCard({ decline: 'insufficient_funds' });
  const on = { enabled: true, ...LOW, paymentMethodId };
  await choose(on);
  const from = aheadMs;
  await use(85);
  const after: [number, number][] = [];
  const dueAt = [0, 1, 3, 7];
  for (const hour of [0, 0.9, 1, 2.9, 3, 6.9, 7, 8, 31]) {
    aheadMs = from + hour * HOUR;
    await use(86);
    const isOn = (await chosen()).state === 'on';
    // Neither use nor switching off and on asks again before its time.
    if (isOn && !dueAt.includes(hour)) await choose({ enabled: false });
    if (isOn && hour > 0) await choose(on);
    const expected = dueAt.filter((due) => due <= hour).length;
    await until(() => Promise.resolve(charges(card).length >= expected), 30_000);
    await untilQuiet();
    after.push([hour, charges(card).length]);
  }
  expect(after).toEqual([
    [0, 1],
    [0.9, 1],
    [1, 2],
    [2.9, 2],
    [3, 3],
    [6.9, 3],
    [7, 4],
    [8, 4],
    [31, 4],
  ]);
  expect(await told()).toEqual(['topup.declined', 'topup.paused']);
  expect(await chosen()).toMatchObject({ state: 'paused', pausedBecause: 'insufficient_funds' });
  expect(await choose(on)).toMatchObject({ status: 409, body: { code: 'card_declined' } });
  const { items } = (await at.person.call('GET', '/api/purchases')).body as { items: object[] };
  expect(items).toHaveLength(4);
  expect(items).toMatchObject(Array(4).fill({ state: 'failed', failure: 'declined' }));
  // Another card goes on at once, and the first one is good again after it has paid for something.
  const better = await giveCard();
  await choose({ ...on, paymentMethodId: better.paymentMethodId });
  await until(async () => (await at.buyer.usage()).purchasedTokens === 50_000, 30_000);
  expect((await choose(on)).status).toBe(200);
  // Whoever gives tokens back does not want them bought again.
  const bought = (await at.person.call('GET', '/api/purchases?limit=1')).body.items as { purchaseId: string }[];
  expect(await at.buyer.refund(bought[0]?.purchaseId ?? '', { all: true })).toMatchObject({ status: 202 });
  expect(await chosen()).toMatchObject({ state: 'paused', pausedBecause: 'refunded' });
  aheadMs = from;
}, 120_000);

test('what no other try can change pauses at once, and a Stripe that is away counts as nothing', async () => {
  await at.newBuyer();
  const strict = await giveCard({ decline: 'authentication_required' });
  await choose({ enabled: true, ...LOW, paymentMethodId: strict.paymentMethodId });
  await use(85);
  await until(async () => (await chosen()).state === 'paused', 30_000);
  expect(await chosen()).toMatchObject({ pausedBecause: 'authentication_required' });
  expect([charges(strict.card).length, await told()]).toEqual([1, ['topup.paused']]);

  const { paymentMethodId, card } = await giveCard();
  const away = { refuse: { status: 503, body: { error: { type: 'api_error', message: 'away' } } } };
  at.stripe.desk.fail('charge', away);
  at.stripe.desk.fail('intents', away);
  await choose({ enabled: true, ...LOW, paymentMethodId });
  await until(async () => (await at.buyer.usage()).purchasedTokens === 50_000, 30_000);
  await untilQuiet();
  const keys = at.stripe.desk.calls.filter(({ name }) => name === 'charge').map(({ key }) => key);
  expect(keys.at(-1)).toBe(keys.at(-2));
  const paid = () => charges(card).filter(({ status }) => status === 'succeeded');
  expect(paid()).toHaveLength(1);
  expect(await told()).toEqual(['topup.paused']);

  // A dispute takes the money: nothing is bought for it automatically.
  at.stripe.book.dispute(paid()[0]?.id ?? '', 'withdraw');
  await until(async () => (await at.buyer.usage()).purchasedTokens === 0, 30_000);
  await use(90);
  await untilQuiet();
  expect(paid()).toHaveLength(1);
}, 120_000);

test('the same account of another installation in the namespace, whose look goes on, is in nobody’s way', async () => {
  await at.newBuyer();
  const id = await accountId();
  const { client } = at.stack.temporal;
  const other = await client.workflow.start('autoTopUp', {
    workflowId: autoTopUpWorkflowId(id),
    taskQueue: 'nobody-polls-it',
    args: [{ accountId: id }],
  });
  const { paymentMethodId, card } = await giveCard();
  await choose({ enabled: true, ...LOW, paymentMethodId });
  await use(85);
  await until(() => Promise.resolve(charges(card).length === 1), 30_000);
  await untilQuiet();
  await other.terminate();
});

test('nothing is bought for a suspended account, which could not use it, until it is resumed', async () => {
  await at.newBuyer();
  const { paymentMethodId, card } = await giveCard();
  await choose({ enabled: true, ...LOW, paymentMethodId });
  await untilQuiet();
  const admin = (act: string) => at.admin.call('POST', `/api/admin/users/${at.person.userId}/${act}`, { reason: 'r' });
  expect((await admin('suspend')).status).toBe(200);
  await use(85);
  await until(async () => {
    const { rows } = await sql`select 1 from auto_top_ups
      where account_id = ${await accountId()} and claimed_until is not null`.execute(at.sql);
    return rows.length === 1;
  });
  expect(charges(card)).toHaveLength(0);
  expect((await admin('resume')).status).toBe(200);
  aheadMs += 2 * HOUR;
  await use(86);
  await until(() => charges(card).length === 1, 30_000);
  await untilQuiet();
}, 60_000);

test('whoever wants no card is reminded once a fall', async () => {
  await at.newBuyer();
  await choose({ enabled: true, way: 'remind', packId: 'half', belowTokens: 20_000 });
  await use(85);
  await until(async () => (await told()).length === 1, 30_000);
  aheadMs += 2 * HOUR;
  await use(86);
  // The look that tells nothing keeps the claim for an hour more, for which the workflow may wait.
  await until(async () => {
    const { rows } = await sql`select 1 from auto_top_ups
      where account_id = ${await accountId()} and claimed_until > ${new Date(Date.now() + aheadMs)}`.execute(at.sql);
    return rows.length === 1;
  }, 30_000);
  expect(await told()).toEqual(['topup.reminder']);
  const { rows } = await sql<{
    figures: object;
  }>`select figures from notifications where user_id = ${at.person.userId} and kind = 'topup.reminder'`.execute(at.sql);
  expect(rows[0]?.figures).toMatchObject({ packId: 'half', tokens: 50_000, amount: 10_000 });
});

test('no log, history or table in the clear has a card’s name, a key or a bank’s words', async () => {
  const secrets = [
    CANARY_CARD_PREFIX,
    'secret_canary',
    'canaryFingerprint',
    'the bank’s own words',
    STRIPE_SECRET_KEY,
    PAYMENTS_KEY,
  ];
  const { rows } = await sql<{ id: number }>`select account_id::float8 as id from auto_top_ups`.execute(at.sql);
  expect(rows.length).toBeGreaterThan(3);
  const histories: string[] = [];
  for (const { id } of rows)
    for await (const { runId } of at.stack.temporal.client.workflow.list({
      query: `WorkflowId = '${workflowIdOf(id)}'`,
    }))
      histories.push(
        at.textOf(await at.stack.temporal.client.workflow.getHandle(workflowIdOf(id), runId).fetchHistory()),
      );
  const dump = await sql<{
    row: string;
  }>`select to_jsonb(m)::text as row from payment_methods m union all select to_jsonb(t)::text from top_ups t
    union all select to_jsonb(n)::text from notifications n union all select to_jsonb(s)::text from payment_snapshots s`.execute(
    at.sql,
  );
  const logged = readFileSync(logFile, 'utf8');
  const texts = [logged, ...histories, ...dump.rows.map(({ row }) => row)];
  expect(histories.length).toBeGreaterThan(0);
  expect(logged).toContain('auto-top-up/');
  for (const secret of secrets)
    expect([secret, texts.filter((text) => text.includes(secret)).length]).toEqual([secret, 0]);
});
