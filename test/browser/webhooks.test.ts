import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { startTestHooks, type TestHooks } from '../support/hooks.ts';
import { openStage, type Stage } from './stage.ts';

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
  await page.getByLabel('서버 주소 (https)').fill(`http://${hooks.host}/page`);
  await page.getByRole('button', { name: '추가' }).click();
  await page.getByText(/^whsec_/).waitFor();
  await page.getByRole('button', { name: '테스트 전송' }).click();
  await page.getByText('전송됨 · 204').waitFor();
  expect(hooks.received.filter(({ path }) => path === '/page')).toHaveLength(1);
  await page.reload();
  await page.getByText(`http://${hooks.host}/page`).waitFor();
  expect(await page.getByText(/^whsec_/).count()).toBe(0);
  await page.getByRole('button', { name: '삭제' }).click();
  await page.getByText(`http://${hooks.host}/page`).waitFor({ state: 'detached' });
});
