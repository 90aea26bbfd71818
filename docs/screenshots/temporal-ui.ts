import { fileURLToPath } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { CHROMIUM_FLAGS, findChromium } from '../../scripts/services/chromium.ts';
import { ThrowAway } from '../../scripts/throw-away.ts';
import { Gate, type Scenario } from '../../test/fake-model/scenario.ts';
import { SAVED_VIEWS } from '../../test/support/runbook.ts';
import { TestSchedule } from '../../test/support/schedules.ts';
import { startTestStack, type Person, type TestStack } from '../../test/support/stack.ts';
import { until } from '../../test/support/until.ts';
import {
  ADMIN_STATS_SCHEDULE_ID,
  RECONCILE_SCHEDULE_ID,
  redriveWorkflowId,
  userScheduleId,
} from '../../workflows/contract/ids.ts';

/**
 * `node docs/screenshots/temporal-ui.ts`: takes the pictures of docs/runbook.md. It starts its own services, makes real
 * workflow runs of every kind, saves the runbook's views in a browser and chooses the columns that an admin needs.
 */
const folder = fileURLToPath(new URL('.', import.meta.url));
const NAMESPACE = 'default';
const COLUMNS = [
  'Status',
  'Workflow ID',
  'Type',
  'UserId',
  'Model',
  'TurnError',
  'Replayed',
  'Start',
  'Execution Duration',
];

async function main(): Promise<void> {
  const services = await ThrowAway.open(new AbortController().signal);
  try {
    Object.assign(process.env, await services.start());
    const stack = await startTestStack({ TASK_QUEUE_PREFIX: '' });
    const redriveId = await makeRuns(stack);
    await takePictures(redriveId);
    await stack.close();
  } finally {
    await services.close();
  }
}

/**
 * Makes workflow runs of every kind.
 * @returns the id of a redrive that has ended.
 */
async function makeRuns(stack: TestStack): Promise<string> {
  const admin = await stack.person('admin');
  const people = await Promise.all([1, 2, 3].map(() => stack.person()));
  const [minji, jiho, other] = people as [Person, Person, Person];
  const ask = async (person: Person, scenario: Scenario = {}, headers: Record<string, string> = {}) => {
    stack.model.next(scenario);
    return (
      await person.call(
        'POST',
        '/api/chat/send',
        { message: '이번 주말에 가 볼 만한 서울 산책길을 알려 주세요' },
        headers,
      )
    ).body as { turnId: string };
  };
  const becomes = (person: Person, path: string, state: string) =>
    until(async () => ((await person.call('GET', path)).body as { state: string }).state === state);
  for (const id of [RECONCILE_SCHEDULE_ID, ADMIN_STATS_SCHEDULE_ID]) await new TestSchedule(stack, id).fire();
  await minji.call('POST', '/api/ai-usage/test-usage', { userId: minji.userId, usagePercent: 92 });
  await new TestSchedule(stack, userScheduleId('alert', minji.userId)).ended(1);
  await new TestSchedule(stack, userScheduleId('reset', minji.userId)).fire();
  await ask(jiho);
  for (let i = 0; i < 3; i++) await ask(jiho, { status: 401, error: { code: 'invalid_api_key' } });
  await ask(other, { status: 400, error: { code: 'context_length_exceeded' } });
  const {
    body: { redriveId },
  } = await admin.call('POST', '/api/admin/turns/replay', {
    filter: { code: 'model_rejected' },
    reason: 'the key was mended',
    ratePerSecond: 2,
    confirm: 3,
  });
  await becomes(admin, `/api/admin/redrives/${redriveId}`, 'completed');
  const stopped = new Gate(3);
  const { turnId } = await ask(other, { gate: stopped }, { prefer: 'respond-async' });
  await stopped.reached;
  await other.call('POST', `/api/chat/turns/${turnId}/stop`);
  await becomes(other, `/api/chat/turns/${turnId}`, 'stopped');
  await ask(minji);
  const running = new Gate(3);
  await ask(other, { gate: running }, { prefer: 'respond-async' });
  await running.reached;
  return String(redriveId);
}

async function takePictures(redriveId: string): Promise<void> {
  const browser = await chromium.launch({
    executablePath: await findChromium(new AbortController().signal),
    args: CHROMIUM_FLAGS,
  });
  const context = await browser.newContext({
    baseURL: String(process.env['TEST_TEMPORAL_UI_URL']),
    viewport: { width: 1880, height: 1000 },
    locale: 'en-US',
    reducedMotion: 'reduce',
  });
  const columns = COLUMNS.map((label, i) => ({ label, pinned: i < 2 }));
  const views = [...SAVED_VIEWS].map(([name, query], i) => ({
    id: `view-${i}`,
    name,
    query,
    type: 'user',
    icon: 'bookmark',
  }));
  await context.addInitScript(
    ([workflowColumns, savedViews]) => {
      localStorage.setItem('namespace-workflow-table-columns', String(workflowColumns));
      localStorage.setItem('saved-workflow-queries', String(savedViews));
      localStorage.setItem('savedQueryNavOpen', 'true');
    },
    [JSON.stringify({ [NAMESPACE]: columns }), JSON.stringify({ [NAMESPACE]: views })],
  );
  const page = await context.newPage();
  const workflows = `/namespaces/${NAMESPACE}/workflows`;
  await take(page, 'temporal-ui-runs', workflows, () => page.getByText('redriveTurns').first().waitFor());
  await page.setViewportSize({ width: 1400, height: 760 });
  await take(
    page,
    'temporal-ui-redrive',
    `${workflows}/${encodeURIComponent(redriveWorkflowId(redriveId))}`,
    async () => {
      await page.getByText('User Metadata', { exact: true }).click();
      // The UI renders summary and details in frames of their own.
      await until(async () =>
        (
          await Promise.all(
            page.frames().map((frame) =>
              frame
                .locator('body')
                .innerText()
                .catch(() => ''),
            ),
          )
        ).some((text) => text.includes('completed, 3 turns')),
      );
    },
  );
  await browser.close();
}

async function take(page: Page, name: string, path: string, ready: () => Promise<unknown>): Promise<void> {
  await page.goto(path);
  await ready();
  await page.waitForLoadState('networkidle');
  await page.screenshot({ path: `${folder}${name}.png` });
}

await main();
process.exit(0);
