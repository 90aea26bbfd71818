import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { Gate } from '../fake-model/scenario.ts';
import { openStage, type Stage } from './stage.ts';
import type { Person } from '../support/stack.ts';

jest.setTimeout(60_000);
let stage: Stage;
let person: Person;

beforeAll(async () => {
  stage = await openStage();
  person = await stage.stack.person();
});
afterEach(() => {
  expect(stage.complaints()).toEqual([]);
});
afterAll(() => stage.close());

const ANSWER = { chunks: ['안녕', '하세요', '. 무엇을 ', '도와드릴까요?'], usage: { prompt_tokens: 21, completion_tokens: 9 } };

async function ask(page: Page, question: string): Promise<void> {
  await page.getByLabel('메시지', { exact: true }).fill(question);
  await page.keyboard.press('Enter');
}

describe('a turn', () => {
  test('streams as it comes, ends with its tokens, and its conversation is in the list', async () => {
    const page = await stage.visitAs(person, '/');
    const gate = new Gate(3);
    stage.stack.model.next({ ...ANSWER, gate });
    await ask(page, '오늘 날씨 어때요?');
    await gate.reached;
    const answer = page.getByRole('article', { name: '답변' });
    await answer.getByText('안녕하세요', { exact: true }).waitFor();
    expect(await answer.getAttribute('aria-busy')).toBe('true');
    gate.open();
    await answer.getByText('안녕하세요. 무엇을 도와드릴까요?').waitFor();
    await answer.getByText('30토큰').waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/c\/[0-9a-f-]{36}$/);
    await page.getByRole('navigation', { name: '대화 목록' }).getByRole('link', { name: '오늘 날씨 어때요?' }).waitFor();
    await page.getByTestId('usage-card').getByText('99,970').waitFor();
    expect(await page.getByLabel('메시지', { exact: true }).evaluate((field) => field === document.activeElement)).toBe(true);
  });

  test('reloaded in the middle of its answer goes on with no gap and no repeat, and so it does in a second tab', async () => {
    const page = await stage.visitAs(person, '/');
    const gate = new Gate(3);
    stage.stack.model.next({ ...ANSWER, gate });
    await ask(page, '다시 불러올 질문');
    await gate.reached;
    await page.waitForURL(/\/c\//);
    await page.reload();
    const second = await page.context().newPage();
    await second.goto(page.url());
    for (const tab of [page, second]) await tab.getByText('안녕하세요', { exact: true }).waitFor();
    gate.open();
    for (const tab of [page, second]) {
      await tab.getByRole('article', { name: '답변' }).getByText('30토큰').waitFor();
      expect(await tab.getByRole('article', { name: '답변' }).locator('.answer').innerText()).toBe('안녕하세요. 무엇을 도와드릴까요?');
      expect(await tab.getByRole('article').count()).toBe(2);
    }
  });
});
