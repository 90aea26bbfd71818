import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { hostname } from 'node:os';
import { hashWorkflows } from '../../worker/bundle.ts';
import { mailingBy, startTestMail } from '../support/mail.ts';
import { startFakeStripe } from '../fake-payments/stripe.ts';
import { sellingBy, sellingByStripe, startTestShop } from '../support/shop.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import { ALL_SCENARIOS, readRecorded, shapeOf, writeRecorded, type RecordedHistory } from './recorded.ts';
import { TEXTS, type Run, type Scenario, type Stage } from './scenarios.ts';

/**
 * Runs scenarios against the real services (TEST_* variables) and stores the histories that the server wrote: of all
 * scenarios, or of those named `<type>` or `<type>/<name>`. A history whose shape is already stored is not replaced.
 */
async function main(wanted: readonly string[]): Promise<void> {
  const scenarios = [...ALL_SCENARIOS].filter(
    ([name]) => wanted.length === 0 || wanted.some((one) => name === one || name.startsWith(`${one}/`)),
  );
  const unknown = wanted.filter((one) => !scenarios.some(([name]) => name === one || name.startsWith(`${one}/`)));
  if (unknown.length > 0)
    throw new Error(
      `no scenario is named ${unknown.join(', ')}; there are\n  ${[...ALL_SCENARIOS.keys()].join('\n  ')}`,
    );
  const version = `${new Date().toISOString().slice(0, 10).replaceAll('-', '')}-${(await hashWorkflows()).slice(0, 8)}`;
  const shop = await startTestShop();
  const mail = await startTestMail();
  const stripe = await startFakeStripe();
  const stack = await openStack({ ...mailingBy(mail), ...(await sellingBy(shop)), ...sellingByStripe(stripe) });
  try {
    for (const [name, scenario] of scenarios) await record(name, scenario, { stack, shop, stripe, mail }, version);
  } finally {
    await stack.close();
    await shop.close();
    await stripe.close();
    await mail.close();
  }
}

async function record(
  name: string,
  scenario: Scenario,
  stage: Omit<Stage, 'openIdle'>,
  version: string,
): Promise<void> {
  const opened: TestStack[] = [];
  try {
    const openIdle = async () => {
      const idle = await openStack({}, { works: false });
      opened.push(idle);
      return idle;
    };
    const history = await readHistory(await scenario({ ...stage, openIdle }));
    const shape = shapeOf(history).join('\n');
    const same = readRecorded().find(
      (recorded) => recorded.scenario === name && shapeOf(recorded.history).join('\n') === shape,
    );
    const outcome =
      same === undefined
        ? `recorded ${writeRecorded({ scenario: name, version, history })}`
        : `as before: ${same.file}`;
    process.stdout.write(`${outcome} (${history.events.length} events)\n`);
  } finally {
    for (const idle of opened) await idle.close();
  }
}

async function openStack(env: Record<string, string>, options: { works?: boolean } = {}): Promise<TestStack> {
  const stack = await startTestStack(env, options);
  stack.model.always({ chunks: TEXTS.answer });
  return stack;
}

/** The history without what tells where it was recorded: the machine's name, process ids, and paths in stack traces. */
async function readHistory({ stack, workflowId, runId }: Run): Promise<RecordedHistory> {
  const history = await stack.temporal.client.workflow.getHandle(workflowId, runId).fetchHistory();
  return JSON.parse(historyToJSON(history), (key, value: unknown) => {
    if (typeof value !== 'string') return value;
    if (key === 'stackTrace') return '';
    return value.replaceAll(new RegExp(`\\d+@${hostname()}`, 'g'), 'recorder').replaceAll(hostname(), 'recorder');
  }) as RecordedHistory;
}

try {
  await main(process.argv.slice(2));
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
