import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { Locator, Page } from 'playwright-core';
import { failDeliveries } from '../support/failed-deliveries.ts';
import { mailingBy, startTestMail, type TestMail } from '../support/mail.ts';
import type { Person } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { audit, expectToFit } from './audit.ts';
import { failTurns } from './failed-turns.ts';
import { missedByTab } from './keyboard.ts';
import { picture } from './picture.ts';
import { openStage, type Stage } from './stage.ts';

let mail: TestMail;
let stage: Stage;
let admin: Person;
beforeAll(async () => {
  mail = await startTestMail();
  stage = await openStage(mailingBy(mail));
  admin = await stage.stack.person('admin');
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(async () => {
  await stage.close();
  await mail.close();
});

const PHONE = { viewport: { width: 390, height: 800 } };
const controlsOf = (page: Page): Locator =>
  page.locator('main').locator(':is(button, a[href], input, select, summary):visible:not(:disabled)');
const made = async (body: object) => (await admin.call('POST', '/api/admin/users', body)).body.userId as number;

test('an admin adds a person, who comes in by the link, keeps their key and begins', async () => {
  const page = await stage.visitAs(admin, '/admin/users');
  await page.getByRole('button', { name: '사용자 추가' }).click();
  const dialog = page.getByRole('dialog', { name: '사용자 추가' });
  await dialog.getByLabel('이메일', { exact: true }).fill('invited@example.com');
  await dialog.getByLabel('이름 (선택)').fill('초대받은 이');
  expect(await audit(page)).toEqual([]);
  await picture(page, 'add-person-ko-1280');
  await dialog.getByRole('button', { name: '추가하기' }).click();
  await dialog.getByText('초대받은 이님을 추가했습니다.').waitFor();
  const link = await dialog.getByLabel('초대 링크', { exact: true }).inputValue();
  expect(await audit(page)).toEqual([]);
  await picture(page, 'added-person-ko-1280');
  await dialog.getByRole('link', { name: '사용자 보기' }).click();
  await page.getByRole('heading', { name: '초대받은 이', level: 1 }).waitFor();

  const { pathname, hash } = new URL(link);
  const theirs = await stage.visit(`${pathname}${hash}`, { ...PHONE, locale: 'en-US', colorScheme: 'dark' });
  await theirs.getByRole('heading', { name: 'You’re invited' }).waitFor();
  expect(theirs.url()).not.toContain('#');
  await expectToFit(theirs, 'invitation-en-390-dark');
  await theirs.getByRole('button', { name: 'Start' }).press('Enter');
  const key = await theirs.getByLabel('Sign-in key', { exact: true }).inputValue();
  expect(key).toMatch(/^tk_/);
  await expectToFit(theirs, 'invitation-key-en-390-dark');
  expect(await theirs.getByRole('button', { name: 'Start chatting' }).isDisabled()).toBe(true);
  await theirs.getByLabel('I’ve saved the key').check();
  await theirs.getByRole('button', { name: 'Start chatting' }).click();
  await theirs.getByLabel('메시지', { exact: true }).waitFor();

  const again = await stage.visit(`${pathname}${hash}`);
  await again.getByRole('button', { name: '시작하기' }).click();
  await again.getByRole('heading', { name: '사용할 수 없는 초대입니다' }).waitFor();
  await expectToFit(again);
});

test('an admin finds one person by their name everywhere, and a person’s page says who, changes and revokes', async () => {
  const userId = await made({ email: 'minji@example.com', name: '김민지' });
  const { body: invited } = await admin.call('POST', `/api/admin/users/${userId}/invitations`, { by: 'link' });
  const { body: given } = await admin.call('POST', '/api/invitations/accept', {
    token: new URL(invited.url).hash.slice(1),
  });
  const call = (path: string, body: object) =>
    fetch(`${stage.stack.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${given.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  await call('/api/chat/send', { message: '질문' });
  await call('/api/keys', { name: '챗봇' });

  const page = await stage.visitAs(admin, '/admin/turns');
  const search = page.getByRole('combobox', { name: '사용자', exact: true });
  await search.fill('김민');
  await page.getByRole('option', { name: /김민지/ }).waitFor();
  expect(await audit(page)).toEqual([]);
  await search.press('ArrowDown');
  await search.press('Enter');
  await page.waitForURL(new RegExp(`userId=${userId}`));
  await page.getByRole('row', { name: /김민지.*minji@example.com/s }).waitFor();
  await page.reload();
  await page.getByRole('button', { name: '김민지 필터 지우기' }).click();
  await page.waitForURL((url) => !url.search.includes('userId'));
  // Enter takes the first who is meant, without waiting for the list.
  await page.getByRole('combobox', { name: '사용자', exact: true }).fill('minji@');
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(`userId=${userId}`));

  await page
    .getByRole('row', { name: /김민지/ })
    .getByRole('link', { name: '김민지' })
    .click();
  await page.getByRole('heading', { name: '김민지', level: 1 }).waitFor();
  await page.getByRole('row', { name: /차감 -\d+ – -\d+ –/ }).waitFor();
  const keys = page.getByRole('region', { name: 'API 키' });
  await keys.getByRole('row', { name: /챗봇/ }).getByRole('button', { name: '챗봇 폐기' }).click();
  const asking = page.getByRole('alertdialog', { name: '챗봇 키를 폐기할까요?' });
  await asking.getByLabel('사유').fill('유출');
  expect(await audit(page)).toEqual([]);
  await asking.getByRole('button', { name: '폐기', exact: true }).click();
  await keys.getByRole('row', { name: /챗봇/ }).waitFor({ state: 'detached' });
  const change = page.getByRole('form', { name: '이름과 역할' });
  await change.getByLabel('역할').selectOption({ label: '관리자' });
  await change.getByLabel('사유').fill('담당자');
  await change.getByRole('button', { name: '저장하기' }).click();
  await change.getByText('저장했습니다.').waitFor();
  expect((await admin.call('GET', `/api/admin/users/${userId}`)).body.role).toBe('admin');
  await picture(page, 'person-ko-1280');
  expect(await audit(page)).toEqual([]);
  await page.getByRole('link', { name: '감사 로그' }).click();
  await page.getByRole('row', { name: /김민지.*담당자 역할: 사용자 → 역할: 관리자/s }).waitFor();
  await picture(page, 'audit-ko-1280');
  expect(await audit(page)).toEqual([]);
});

test('a redrive whose turns all failed again does not look well, and causes are words', async () => {
  const guest = await stage.stack.person();
  await failTurns(stage.stack, guest, 2);
  stage.stack.model.always({ status: 400, error: { code: 'model_broken' } });
  const { body } = await admin.call('POST', '/api/admin/turns/replay', {
    filter: { userId: guest.userId, code: 'model_rejected' },
    reason: '또 실패',
    ratePerSecond: 50,
    confirm: 2,
  });
  const page = await stage.visitAs(admin, `/admin/redrives/${body.redriveId}`, PHONE);
  await page.getByText('모두 다시 실패', { exact: true }).waitFor();
  await page.getByText(/원인: 모델이 요청을 거절/).waitFor();
  expect(await page.getByText('model_rejected').count()).toBe(0);
  await expectToFit(page, 'redrive-failed-ko-390');
  await page.goto('/admin/redrives');
  await page.getByRole('row', { name: /모두 다시 실패/ }).waitFor();
  expect(await page.getByText('끝남', { exact: true }).count()).toBe(0);
  stage.stack.model.always({ chunks: ['답'] });
});

test('an admin sees payments that belong to no purchase', async () => {
  await sql`insert into unmatched_payments (provider, payment_id, order_id, amount, currency, livemode, taken_at)
    values ('toss', 'pay_lost_1', 'order-of-a-shop', 12900, 'KRW', true, now())`.execute(stage.stack.db.database.sql);
  const page = await stage.visitAs(admin, '/admin/purchases');
  await page.getByRole('link', { name: '주인 없는 결제' }).click();
  await page.getByRole('row', { name: /토스.*12,900원.*pay_lost_1.*order-of-a-shop/s }).waitFor();
  await expectToFit(page, 'unmatched-ko-1280');
});

test('an admin sees what could not be delivered, sends one and then all of it once more, and follows it', async () => {
  await failDeliveries(stage.stack, 3);
  const page = await stage.visitAs(admin, '/admin/deliveries');
  await page.getByLabel('상태').selectOption({ label: '실패' });
  await page.waitForURL(/state=failed/);
  const table = page.getByRole('region', { name: '발송', exact: true });
  await until(async () => (await table.getByRole('row').count()) === 4);
  await page
    .getByRole('row', { name: /무료 토큰 초기화 이메일.*실패.*받는 쪽에서 거절함 · 응답 554/s })
    .first()
    .waitFor();
  await expectToFit(page, 'deliveries-ko-1280');
  await table
    .getByRole('button', { name: /^무료 토큰 초기화 다시 보내기/ })
    .first()
    .click();
  const asking = page.getByRole('alertdialog', { name: '다시 보낼까요?' });
  await asking.getByLabel('사유').fill('고객 문의');
  expect(await audit(page)).toEqual([]);
  await asking.getByRole('button', { name: '다시 보내기' }).click();
  await until(async () => (await table.getByRole('row').count()) === 3);

  await page.getByRole('button', { name: '실패한 발송 일괄 재발송' }).click();
  const panel = page.getByRole('region', { name: '실패한 발송 일괄 재발송' });
  await panel.getByLabel('사유').fill('메일 서버 복구');
  await panel.getByRole('button', { name: '몇 건인지 확인' }).press('Enter');
  await panel.getByText('실패한 발송 2건 중 2건을 다시 보냅니다.').waitFor();
  expect(await audit(page)).toEqual([]);
  await panel.getByRole('button', { name: '지금 다시 보내기 (2건)' }).click();
  await page.waitForURL(/\/admin\/deliveries\/resends\/[0-9a-f-]{36}$/);
  await page.getByText('전달 2건, 실패 0건, 보내는 중 0건, 대기 0건입니다.').waitFor();
  await page.getByText('끝남', { exact: true }).waitFor();
  await page.getByText('메일 서버 복구').waitFor();
  await expectToFit(page, 'resend-ko-1280');
  expect(mail.received.length).toBeGreaterThanOrEqual(3);
});

test('a model is switched off and on with a reason, and the last that is on stays so', async () => {
  const page = await stage.visitAs(admin, '/admin/models', { ...PHONE, viewport: { width: 320, height: 740 } });
  const table = page.getByRole('region', { name: '모델', exact: true });
  await table.getByRole('button', { name: 'gpt-5-mini 끄기' }).click();
  const asking = page.getByRole('alertdialog', { name: 'gpt-5-mini 끄기' });
  await asking.getByLabel('사유').fill('제공자 장애');
  await expectToFit(page, 'switch-model-ko-320');
  await asking.getByRole('button', { name: '끄기', exact: true }).press('Enter');
  await table.getByText('꺼짐', { exact: true }).waitFor();
  await asking.waitFor({ state: 'detached' });
  await table.getByText('켜진 모델이 하나라 끌 수 없음').waitFor();
  expect(await table.getByRole('button').count()).toBe(1);
  await expectToFit(page, 'models-off-ko-320');
  const chat = await stage.visitAs(await stage.stack.person(), '/', PHONE);
  await chat.locator('main').getByText('gpt-4.1-mini', { exact: true }).waitFor();
  expect(await chat.getByRole('button', { name: /gpt-/ }).count()).toBe(0);
  await table.getByRole('button', { name: 'gpt-5-mini 켜기' }).press('Enter');
  const again = page.getByRole('alertdialog', { name: 'gpt-5-mini 켜기' });
  await again.getByLabel('사유').fill('복구');
  await again.getByRole('button', { name: '켜기', exact: true }).click();
  await again.waitFor({ state: 'detached' });
  await until(async () => (await table.getByText('켜짐', { exact: true }).count()) === 2);
});

test('each new page fits a phone in English, dark, and the keyboard reaches all of it', async () => {
  await admin.call('PATCH', '/api/me', { locale: 'en' });
  const person = await stage.stack.person();
  await failTurns(stage.stack, person, 1);
  for (const [path, name] of [
    ['/admin/users', 'people'],
    [`/admin/users/${person.userId}`, 'person'],
    ['/admin/deliveries?resend=many', 'deliveries'],
    ['/admin/deliveries/resends', 'resends'],
    ['/admin/purchases/unmatched', 'unmatched'],
    ['/admin/models', 'models'],
    ['/admin/audit', 'audit'],
    ['/admin/turns', 'turns'],
  ] as const) {
    const page = await stage.visitAs(admin, path, { ...PHONE, locale: 'en-US', colorScheme: 'dark' });
    await page.locator('main').getByRole('table').first().waitFor();
    await stage.settled(page);
    await expectToFit(page, `${name}-en-390-dark`);
    await page.getByRole('heading', { level: 1 }).focus();
    expect([path, await missedByTab(controlsOf(page))]).toEqual([path, []]);
    await page.goto('/favicon.svg');
  }
  await admin.call('PATCH', '/api/me', { locale: 'ko' });
});
