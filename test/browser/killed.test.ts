import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { freePort } from '../../scripts/services/port.ts';
import type { Program } from '../crash/program.ts';
import { openCrashStage, type CrashStage } from '../crash/stage.ts';
import { Gate } from '../fake-model/scenario.ts';
import type { Person } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { ask, openBrowsers, required, type Browsers } from './stage.ts';

/** API and worker are separate processes here, so that they can be killed with SIGKILL while a page is open. */
let stage: CrashStage;
let browsers: Browsers;
let api: Program;
let worker: Program;
let variables: Record<string, string>;

beforeAll(async () => {
  stage = await openCrashStage();
  variables = { WEB_DIR: required('TEST_WEB_DIR'), PORT: String(await freePort()) };
  [api, worker] = await Promise.all([stage.start('api', variables), stage.start('worker')]);
  browsers = await openBrowsers(api.url);
});
afterEach(async () => {
  expect(await browsers.leave()).toEqual([]);
});
afterAll(async () => {
  await browsers?.close();
  await stage?.close();
});

const USAGE = { prompt_tokens: 21, completion_tokens: 9 };

test('a worker killed in the middle of an answer: the page is told `restarted`, the partial text gives way, and the answer is whole, once', async () => {
  const page = await browsers.visitAs(await stage.person(), '/');
  const [cut, again] = [new Gate(3), new Gate(2)];
  stage.model.next({ chunks: ['첫 ', '번째 ', '시도의 답'], gate: cut });
  stage.model.next({ chunks: ['두 ', '번째 ', '시도의 답입니다.'], usage: USAGE, gate: again });
  await ask(page, '죽은 일꾼의 질문');
  const answer = page.getByRole('article', { name: '답변' }).locator('.answer');
  await answer.getByText('첫 번째', { exact: true }).waitFor();
  await worker.kill();
  worker = await stage.start('worker');
  await answer.getByText('두', { exact: true }).waitFor({ timeout: 60_000 });
  expect(await answer.innerText()).toBe('두');
  again.open();
  await page.getByRole('article', { name: '답변' }).getByText('30토큰').waitFor();
  expect(await answer.innerText()).toBe('두 번째 시도의 답입니다.');
  expect(await page.getByRole('article').count()).toBe(2);
  cut.open();
});

test('an API killed and started again: answers go on where they were, and what happened meanwhile is all there, without a reload', async () => {
  const person: Person = await stage.person();
  const page = await browsers.visitAs(person, '/');
  const gate = new Gate(3);
  stage.model.next({ chunks: ['안녕', '하세요', '. 무엇을 ', '도와드릴까요?'], usage: USAGE, gate });
  await ask(page, '끊길 질문');
  const answer = page.getByRole('article', { name: '답변' }).locator('.answer');
  await answer.getByText('안녕하세요', { exact: true }).waitFor();
  await page.evaluate(() => {
    document.documentElement.dataset['stays'] = 'yes';
  });
  // From here on the person's calls go to another process.
  await stage.start('api');
  await api.kill();
  await page.getByText(/다시 연결하고 있습니다/).waitFor();
  gate.open();
  const {
    body: {
      items: [{ conversationId }],
    },
  } = await person.call('GET', '/api/conversations');
  await until(
    async () =>
      (await person.call('GET', `/api/conversations/${conversationId}/messages`)).body.items.at(-1)?.state ===
      'completed',
  );
  await person.call('POST', '/api/chat/send', { message: '그 사이의 질문', conversationId });
  await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 92 });
  await until(async () => (await person.call('GET', '/api/notifications')).body.unreadCount === 1);
  api = await stage.start('api', variables);
  await page.getByText(/다시 연결하고 있습니다/).waitFor({ state: 'detached', timeout: 30_000 });
  await answer.first().getByText('안녕하세요. 무엇을 도와드릴까요?').waitFor();
  await page.getByRole('article', { name: '내 질문' }).getByText('그 사이의 질문').waitFor();
  await page.locator('[data-testid=usage-card][data-level=WARNING]').waitFor();
  await page.getByTestId('pop-up').waitFor();
  expect(await page.getByRole('article').count()).toBe(5);
  expect(await page.locator('html').getAttribute('data-stays')).toBe('yes');
});
