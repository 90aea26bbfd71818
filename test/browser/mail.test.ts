import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { mailingBy, startTestMail, type TestMail } from '../support/mail.ts';
import { until } from '../support/until.ts';
import { openStage, type Stage } from './stage.ts';

let mail: TestMail;
let stage: Stage;
beforeAll(async () => {
  mail = await startTestMail();
  stage = await openStage(mailingBy(mail));
});
afterAll(async () => {
  await stage.close();
  await mail.close();
});
afterEach(async () => expect(await stage.leave()).toEqual([]));

test('a person enters an address, confirms it from the mail, switches a kind off, and finds it off again later', async () => {
  const person = await stage.stack.person();
  const page = await stage.visitAs(person, '/preferences');
  await page.getByLabel('주소 등록').fill('me@example.com');
  await page.getByRole('button', { name: '확인 메일 받기' }).click();
  await page.getByText('me@example.com 주소로 확인 메일을 보냈습니다').waitFor();
  await until(() => mail.received.length === 1);

  const link = await stage.visit(mail.received[0]?.link('/confirm-address') ?? '');
  await link.getByRole('button', { name: '확인하기' }).click();
  await link.getByRole('heading', { name: '확인했습니다' }).waitFor();

  await page.reload();
  await page.getByText('받는 주소').waitFor();
  await page.getByText('me@example.com').waitFor();
  const warnings = page.getByLabel('토큰 사용량 경고');
  expect(await warnings.isChecked()).toBe(true);
  const kept = page.waitForResponse((response) => response.request().method() === 'PUT');
  await warnings.uncheck();
  expect((await kept).status()).toBe(200);
  await page.getByText('다음 메일은 항상 보냅니다: 입금 안내, 구매 영수증').waitFor();
  await page.reload();
  await page.getByText('받는 주소').waitFor();
  expect(await warnings.isChecked()).toBe(false);
});

test('a time zone is chosen by the name that people call it', async () => {
  const person = await stage.stack.person();
  const page = await stage.visitAs(person, '/preferences');
  const zone = page.getByLabel('시간대');
  const chosen = zone.locator('option:checked');
  expect(await chosen.textContent()).toBe('서울 시간 (Asia/Seoul)');
  await zone.selectOption({ label: '인도 시간 (Asia/Kolkata)' });
  await page.getByRole('button', { name: '저장' }).first().click();
  await page.getByText('저장했습니다.').waitFor();
  expect((await person.call('GET', '/api/me')).body.timeZone).toBe('Asia/Kolkata');
  await page.getByText('English', { exact: true }).click();
  await page.getByLabel('Time zone').waitFor();
  await until(
    async () =>
      (await page.getByLabel('Time zone').locator('option:checked').textContent()) === 'Kolkata time (Asia/Kolkata)',
  );
});
