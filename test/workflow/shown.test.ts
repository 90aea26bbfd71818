import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import {
  ADMIN_STATS_SCHEDULE_ID,
  DAILY_REPORTS_ID,
  deliveryWorkflowId,
  fanOutId,
  PAYMENTS_RECONCILE_IDS,
  RECONCILE_SCHEDULE_ID,
  purchaseWorkflowId,
  redriveWorkflowId,
  refundWorkflowId,
  REPAIR_SCHEDULES_ID,
  userScheduleId,
  WORKFLOW_TYPES,
} from '../../workflows/contract/ids.ts';
import { openPlanner } from '../../operations/schedules/open-planner.ts';
import { startFakeStripe, type FakeStripe } from '../fake-payments/stripe.ts';
import { resent } from '../replay/scenarios.ts';
import { toppedUp } from '../replay/top-ups.ts';
import { giveAddress, mailingBy, mailsOf, startTestMail, type TestMail } from '../support/mail.ts';
import { sellingBy, sellingByStripe, startTestShop, type TestShop } from '../support/shop.ts';
import { TestSchedule } from '../support/schedules.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { ANSWER, answered, failed, refused, setUsage, stopped } from './stage.ts';

let shop: TestShop;
let stripe: FakeStripe;
let mail: TestMail;
let stack: TestStack;
let person: Person;
let admin: Person;

beforeAll(async () => {
  shop = await startTestShop();
  stripe = await startFakeStripe();
  mail = await startTestMail();
  stack = await startTestStack({ ...mailingBy(mail), ...(await sellingBy(shop)), ...sellingByStripe(stripe) });
  stack.model.always(ANSWER);
  [person, admin] = [await stack.person(), await stack.person('admin')];
});
afterAll(async () => {
  await stack.close();
  await shop.close();
  await stripe.close();
  await mail.close();
});

/** What the Temporal UI shows of one run, closed or not. */
interface Shown {
  readonly type: string;
  readonly summary: string;
  /** The details given at its start; '' without any. */
  readonly details: string;
  /** The current details, from the worker. */
  readonly current: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The summaries of its regular activities, by type. */
  readonly activities: Readonly<Record<string, string>>;
}

const seen = new Set<string>();

async function shown(workflowId: string, runId?: string): Promise<Shown> {
  const handle = stack.temporal.client.workflow.getHandle(workflowId, runId);
  await handle.result().catch(() => {});
  const [description, metadata, history] = await Promise.all([
    handle.describe(),
    handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata'),
    handle.fetchHistory(),
  ]);
  const activities = (history.events ?? []).flatMap(
    ({ activityTaskScheduledEventAttributes: scheduled, userMetadata }) => {
      const summary = userMetadata?.summary;
      return scheduled == null
        ? []
        : [
            [
              scheduled.activityType?.name ?? '',
              summary == null ? '' : defaultPayloadConverter.fromPayload<string>(summary),
            ],
          ];
    },
  );
  seen.add(description.type);
  const [summary, details] = await Promise.all([description.staticSummary(), description.staticDetails()]);
  const attributes = Object.fromEntries(
    description.typedSearchAttributes.getAll().map(({ key: { name }, value }) => [name, value]),
  );
  return {
    type: description.type,
    summary: summary ?? '',
    details: details ?? '',
    current: metadata.currentDetails ?? '',
    attributes,
    activities: Object.fromEntries(activities),
  };
}

describe('what the Temporal UI tells of', () => {
  test('a turn: whose, with which model, how it ended and what that cost', async () => {
    const turn = await answered(stack, person);
    const {
      body: { conversationId, model, usage },
    } = await turn.read();
    const attributes = { UserId: String(person.userId), ConversationId: conversationId, Model: model, Replayed: false };
    const run = await shown(turn.workflowId);
    expect(JSON.stringify(run)).not.toContain(turn.message);
    expect(run).toMatchObject({
      type: 'chatTurn',
      summary: `turn of user ${person.userId} with ${model}`,
      attributes,
      activities: { generate: `${model}, at most 2048 tokens` },
      current: `completed: attempt 1 used ${usage.promptTokens} prompt tokens (0 of them cached) and ${usage.completionTokens} completion tokens; debited once`,
    });
    const broken = await failed(stack, person);
    expect(await shown(broken.workflowId)).toMatchObject({
      attributes: { TurnError: 'LlmRejected' },
      current: expect.stringMatching(/^failed with model_rejected: nothing is charged/),
    });
    expect((await shown((await refused(stack, person)).workflowId)).current).toMatch(
      /^refused for lack of tokens: nothing was held/,
    );
    expect((await shown((await stopped(stack, await stack.person(), 3)).workflowId)).current).toMatch(
      /^stopped: attempt 1 used \d+ prompt tokens \(0 of them cached\) and \d+ completion tokens, counted by us; debited once$/,
    );
    expect((await shown((await stopped(stack, await stack.person(), 'request')).workflowId)).current).toMatch(
      /^stopped before there was text/,
    );
  });

  test('a replay, and a redrive: who asked, for which turns, and how far it came, without the reason', async () => {
    const owner = await stack.person();
    const turns = await Promise.all([failed(stack, owner), failed(stack, owner)]);
    const {
      body: { redriveId },
    } = await admin.call('POST', '/api/admin/turns/replay', {
      filter: { userId: owner.userId, code: 'model_rejected', from: '2026-01-01T00:00:00Z' },
      reason: 'the key was mended',
      confirm: 2,
      ratePerSecond: 50,
    });
    const redrive = await shown(redriveWorkflowId(redriveId));
    expect(redrive).toMatchObject({
      type: 'redriveTurns',
      summary: 'replay of 2 turns, 50 a second',
      details: `Asked for by admin ${admin.userId}; failed turns with code model_rejected, userId ${owner.userId}, from 2026-01-01T00:00:00.000Z.`,
      current: 'completed, 2 turns, 50 a second: 2 completed, 0 stopped, 0 failed, 0 running, 0 waiting',
      attributes: { UserId: String(owner.userId), TurnError: 'LlmRejected' },
      activities: { advanceRedrive: expect.stringMatching(/\S/) },
    });
    expect(JSON.stringify(redrive)).not.toContain('mended');
    for (const { workflowId } of turns)
      expect(await shown(workflowId)).toMatchObject({
        summary: expect.stringMatching(/^replay of turn of user /),
        attributes: { Replayed: true },
      });
  });

  test('a reset and a check: whose it was, and what it did', async () => {
    const owner = await stack.person();
    await setUsage(owner, 92);
    const check = await new TestSchedule(stack, userScheduleId('alert', owner.userId)).ended(1);
    const reset = await new TestSchedule(stack, userScheduleId('reset', owner.userId)).fire();
    const attributes = { UserId: String(owner.userId) };
    expect(await shown(check.workflowId)).toMatchObject({
      type: 'usageAlert',
      summary: `hourly check of user ${owner.userId} at 90 % or more`,
      attributes,
      current: expect.stringMatching(/^WARNING at 92%: notification \d+ sent$/),
    });
    expect(await shown(reset.workflowId)).toMatchObject({
      type: 'allowanceReset',
      summary: `monthly reset of user ${owner.userId}`,
      attributes,
      current: expect.stringMatching(/^period \d{4}-\d\d was open already/),
    });
  });

  test('a purchase and a refund: whose, and what was booked, without money or names of the provider', async () => {
    const buyer = await stack.person();
    const key = () => ({ 'idempotency-key': randomUUID() });
    const bought = await buyer.call('POST', '/api/purchases', { packId: 'small', provider: 'demo' }, key());
    const { purchaseId, checkout } = bought.body as { purchaseId: string; checkout: { url: string } };
    await shop.choose(checkout.url, 'pay');
    const attributes = { UserId: String(buyer.userId) };
    expect(await shown(purchaseWorkflowId(purchaseId))).toMatchObject({
      summary: `purchase of user ${buyer.userId}`,
      attributes,
      current: expect.stringMatching(/^paid/),
      activities: { lookAtPurchase: expect.stringMatching(/\S/) },
    });
    const asked = await buyer.call('POST', `/api/purchases/${purchaseId}/refunds`, { all: true }, key());
    const { refundId } = (asked.body as { refunds: [{ refundId: string }] }).refunds[0];
    expect(await shown(refundWorkflowId(refundId))).toMatchObject({
      summary: `refund for user ${buyer.userId} of purchase ${purchaseId}`,
      attributes,
      current: 'the money was given back',
    });
  });

  test('a delivery: whose, by which channel, and how it went, without an address', async () => {
    const owner = await stack.person();
    await giveAddress(stack, owner);
    await setUsage(owner, 92);
    await until(async () => (await mailsOf(stack, owner))[0]?.state === 'delivered');
    const [sent] = await mailsOf(stack, owner);
    const delivery = await shown(deliveryWorkflowId(sent?.id ?? ''));
    expect(delivery).toMatchObject({
      type: 'deliver',
      summary: expect.stringMatching(/\S/),
      current: expect.stringMatching(/^delivered after 1 attempts/),
      activities: { sendDelivery: 'one attempt' },
    });
    const { summary, details, current } = delivery;
    expect([summary, details, current].join()).not.toContain('@');
  });

  test('an auto top-up: whose, and what came of it, without money or a card', async () => {
    const { workflowId, person: owner } = await toppedUp({ stack, stripe });
    expect(await shown(workflowId)).toEqual({
      type: 'autoTopUp',
      summary: `auto top-up of user ${owner.userId}`,
      details: '',
      current: 'paid',
      attributes: expect.objectContaining({ UserId: String(owner.userId) }),
      activities: { topUp: 'look whether tokens are to be bought' },
    });
    const declined = await toppedUp({ stack, stripe }, { decline: 'authentication_required' });
    expect(await shown(declined.workflowId)).toMatchObject({ current: 'paused: authentication_required' });
  });

  test('deliveries sent once more: who asked, how many, and how far it came, without the reason', async () => {
    const { workflowId } = await resent({ stack, mail });
    const resend = await shown(workflowId);
    expect(resend).toMatchObject({
      type: 'resendDeliveries',
      summary: '2 deliveries once more, 1 a second',
      details: expect.stringMatching(/^Asked for by admin \d+\.$/),
      current: expect.stringMatching(/^completed, 1 a second: \d delivered, 0 failed, \d under way, 0 waiting$/),
      activities: { advanceResend: 'begin more deliveries anew' },
    });
    const { summary, details, current } = resend;
    expect([summary, details, current].join()).not.toMatch(/@|letter/);
  });

  test('the system’s own work: what it is for, and what it found', async () => {
    const { taskQueuePrefix, db, temporal } = stack;
    const zones = openPlanner(temporal.client, { taskQueuePrefix, planner: 'zone' }, db.database);
    const { userId } = await stack.person();
    await zones.arm('reset', { userId, timeZone: 'Asia/Seoul', periodEndsAt: Date.now() });
    const found = {
      [fanOutId('reset', 'Asia/Seoul')]: /^nobody is due$/,
      [DAILY_REPORTS_ID]: /^\d+ accounts at 50 % or more, \d+ forecasts made; the operator’s report is that of /,
      [ADMIN_STATS_SCHEDULE_ID]: /^\d+ of \d+ users used \d+ tokens, \d+ of them 95 % or more; as of .*, cached$/,
      [PAYMENTS_RECONCILE_IDS.hourly]: /^\d+ entries of 2 providers: .* 0 MISSING there$/,
      [RECONCILE_SCHEDULE_ID]: /; counters equal the ledger$/,
      [REPAIR_SCHEDULES_ID]: /^\d+ schedules of \d+ accounts in use: /,
    };
    for (const [id, current] of Object.entries(found)) {
      const { workflowId } = await new TestSchedule(stack, id).fire();
      const run = await shown(workflowId);
      expect(run).toMatchObject({
        summary: expect.stringMatching(/\S/),
        current: expect.stringMatching(current),
        attributes: { TemporalScheduledById: `${stack.taskQueuePrefix}${id}` },
      });
      for (const summary of Object.values(run.activities)) expect(summary).toMatch(/\S/);
    }
  });
});

test('every workflow type was looked at', () => {
  expect([...seen].sort()).toEqual(Object.keys(WORKFLOW_TYPES).sort());
});
