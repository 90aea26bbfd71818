import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { startTestHooks, type TestHooks } from '../support/hooks.ts';
import { until } from '../support/until.ts';
import { audit } from './audit.ts';
import { focused, openStage, type Stage } from './stage.ts';

let hooks: TestHooks;
let stage: Stage;
beforeAll(async () => {
  hooks = await startTestHooks();
  stage = await openStage({
    PAYMENTS_KEY: Buffer.alloc(32, 'k').toString('base64'),
    WEBHOOK_ALLOW_HOSTS: hooks.host,
  });
});
afterAll(async () => {
  await stage.close();
  await hooks.close();
});
afterEach(async () => expect(await stage.leave()).toEqual([]));

test('an admin adds a webhook, sees its secret once, tests it, and deletes it', async () => {
  const page = await stage.visitAs(await stage.stack.person('admin'), '/preferences');
  await page.getByLabel('모든 계정의 이벤트 받기 (관리자)').check();
  const failed = page.getByRole('checkbox', { name: 'turn.failed', exact: true });
  await failed.check();
  await page
    .locator(`[id="${await failed.getAttribute('aria-describedby')}"]`)
    .getByText('질문 실패')
    .waitFor();
  await page.getByLabel('서버 주소 (https)').fill(`http://${hooks.host}/page`);
  await page.getByRole('button', { name: '추가' }).click();
  await page.getByText(/^whsec_/).waitFor();
  await page.getByRole('button', { name: '테스트 전송' }).click();
  await page.getByText('전달됨 · 204').waitFor();
  expect(hooks.received.filter(({ path }) => path === '/page')).toHaveLength(1);
  await page.reload();
  await page.getByText(`http://${hooks.host}/page`).waitFor();
  expect(await page.getByText(/^whsec_/).count()).toBe(0);
  await page.getByRole('button', { name: '삭제' }).click();
  const asking = page.getByRole('alertdialog', { name: '웹훅을 삭제할까요?' });
  await focused(asking.getByRole('button', { name: '취소' }));
  expect(await audit(page)).toEqual([]);
  await asking.getByRole('button', { name: '삭제' }).click();
  await until(async () => (await page.getByText(`http://${hooks.host}/page`).count()) === 0);
  await focused(page.getByLabel('서버 주소 (https)'));
});
