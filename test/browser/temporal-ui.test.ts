import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { sql } from 'kysely';
import type { Page } from 'playwright-core';
import { savedView } from '../support/runbook.ts';
import { required, type Person } from '../support/stack.ts';
import type { TestTurn } from '../support/turn.ts';
import { until } from '../support/until.ts';
import { ANSWER, answered, failed, listed, modelCalls } from '../workflow/stage.ts';
import { openStage, type Stage } from './stage.ts';

jest.setTimeout(180_000);
const TURNS = 10;
let stage: Stage;
let person: Person;

beforeAll(async () => {
  stage = await openStage();
  stage.stack.model.always(ANSWER);
  person = await stage.stack.person();
});
afterAll(() => stage.close());

test('ten failed turns, found by a saved view and reset together in the Temporal UI, are ten answers and ten debits', async () => {
  const { stack } = stage;
  const turns = await Promise.all(Array.from({ length: TURNS }, () => failed(stack, person)));
  const others = [await answered(stack, person), await failed(stack, await stack.person())];
  const before = await Promise.all(others.map(stateOf));
  expect(await debits()).toBe(1);
  // All tests share the server, so the runbook's view is narrowed to these turns.
  const query = `${savedView('failed turns by cause').replace('LlmUnavailable', 'LlmRejected')} AND UserId = "${person.userId}" AND TaskQueue = "${stack.taskQueuePrefix}turns"`;
  await listed(stack, query, TURNS);

  const page = await openTemporalUi();
  await saveView(page, 'failed turns by cause', query);
  await page.getByTestId('all').click();
  await page.getByText('failed turns by cause', { exact: true }).click();
  await page.getByRole('heading', { name: `${TURNS} Workflows` }).waitFor();
  await page.getByTestId('batch-actions-checkbox').click();
  await page.getByTestId('select-all-workflows').click();
  await page.getByTestId('bulk-reset-button').click();
  const form = page.getByRole('dialog', { name: 'Reset Workflows' });
  expect(await form.getByTestId('batch-action-workflows-query').textContent()).toContain(query);
  expect(await form.getByLabel('First Workflow task').isChecked()).toBe(true);
  await form.getByLabel('Reason').fill('the key was mended');
  await form.getByTestId('confirm-modal-button').click();

  await until(async () => (await debits()) === TURNS + 1);
  for (const turn of turns) {
    expect(await turn.ended()).toBe('COMPLETED');
    expect(await stateOf(turn)).toEqual({ state: 'completed', debits: 1, liveHolds: 0, calls: 2 });
  }
  expect(await Promise.all(others.map(stateOf))).toEqual(before);
  // The failed runs stay in the list with their errors; each now has the run beside it that answered.
  await page.goto(
    `/namespaces/default/workflows?query=${encodeURIComponent(`${savedView('turns of one user').replace('"1"', `"${person.userId}"`)} AND TaskQueue = "${stack.taskQueuePrefix}turns"`)}`,
  );
  await page.getByRole('button', { name: `${TURNS} Failed` }).waitFor();
  await page.getByRole('button', { name: `${TURNS + 1} Completed` }).waitFor();
});

async function openTemporalUi(): Promise<Page> {
  const context = await stage.browser.newContext({
    baseURL: required('TEST_TEMPORAL_UI_URL'),
    viewport: { width: 1600, height: 1000 },
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  await page.goto('/namespaces/default/workflows');
  return page;
}

/** Saves a view as the runbook tells people to. */
async function saveView(page: Page, name: string, query: string): Promise<void> {
  await page.getByTestId('toggle-manual-query').click();
  await page.getByTestId('manual-search-input').fill(query);
  await page.getByTestId('manual-search-button').click();
  await page.getByRole('heading', { name: `${TURNS} Workflows` }).waitFor();
  await page.getByTestId('create-view-button').click();
  const form = page.getByRole('dialog', { name: 'Save as New View' });
  await form.getByTestId('save-view-modal-input').fill(name);
  await form.getByTestId('confirm-modal-button').click();
  await page.getByText(name, { exact: true }).waitFor();
}

async function stateOf(turn: TestTurn) {
  const { debits: booked, liveHolds } = await turn.books();
  return { state: (await turn.read()).body.state, debits: booked, liveHolds, calls: modelCalls(turn) };
}

/** The person's debits, by the ledger. */
async function debits(): Promise<number> {
  const {
    rows: [row],
  } = await sql<{
    count: number;
  }>`select count(*)::int as count from ledger_entries e join accounts a on a.id = e.account_id
    where a.user_id = ${person.userId} and e.kind = 'debit'`.execute(stage.stack.db.database.sql);
  return row?.count ?? -1;
}
