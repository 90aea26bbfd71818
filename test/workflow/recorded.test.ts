import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { startFakeStripe, type FakeStripe } from '../fake-payments/stripe.ts';
import { ALL_SCENARIOS, readRecorded, shapeOf, type RecordedHistory } from '../replay/recorded.ts';
import { TEXTS } from '../replay/scenarios.ts';
import { mailingBy, startTestMail, type TestMail } from '../support/mail.ts';
import { sellingBy, sellingByStripe, startTestShop, type TestShop } from '../support/shop.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

/**
 * Scenarios that are not run again here: those that hold a local step for 10 s or a schedule's retries for 15 s, or
 * replace a worker; and those in which messages race with each other or with a timer, because one recording does not
 * show every shape.
 */
const NOT_AGAIN = /regular-activity|never-reserved|given-up|not-settled|worker-lost|stopped|cancelled|watched/;

const recorded = readRecorded();
let shop: TestShop;
let stripe: FakeStripe;
let mail: TestMail;
let stack: TestStack;

beforeAll(async () => {
  shop = await startTestShop();
  stripe = await startFakeStripe();
  mail = await startTestMail();
  stack = await startTestStack({ ...mailingBy(mail), ...(await sellingBy(shop)), ...sellingByStripe(stripe) });
  stack.model.always({ chunks: TEXTS.answer });
});
afterAll(async () => {
  await stack.close();
  await shop.close();
  await stripe.close();
  await mail.close();
});

test.each([...ALL_SCENARIOS.keys()].filter((name) => !NOT_AGAIN.test(name)))(
  '%s does what was recorded (else: npm run record -- <name>)',
  async (name) => {
    const openIdle = () => Promise.reject(new Error('belongs to NOT_AGAIN'));
    const run = await ALL_SCENARIOS.get(name)?.({ stack, shop, stripe, mail, openIdle });
    if (run === undefined) throw new Error('a scenario is a function');
    const history = await stack.temporal.client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
    const shapes = recorded.filter(({ scenario }) => scenario === name).map((known) => shapeOf(known.history));
    expect(shapes).toContainEqual(shapeOf(JSON.parse(historyToJSON(history)) as RecordedHistory));
  },
);

test('a recording of another ending would not be taken for it', () => {
  const shapes = ['chatTurn/answered', 'chatTurn/refused', 'chatTurn/failed-for-good', 'reconcile/done'].map((name) =>
    shapeOf(recorded.find(({ scenario }) => scenario === name)?.history ?? { events: [] }).join(),
  );
  expect(new Set(shapes).size).toBe(4);
});
