import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { Page } from 'playwright-core';
import { sellingBy, startTestShop, type TestShop } from '../support/shop.ts';
import type { Person } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { expectToFit } from './audit.ts';
import { picture } from './picture.ts';
import { focused, openStage, type Stage } from './stage.ts';

let shop: TestShop;
let stage: Stage;

beforeAll(async () => {
  shop = await startTestShop();
  stage = await openStage(await sellingBy(shop));
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(async () => {
  await stage.close();
  await shop.close();
});

const PHONE = { width: 390, height: 844 };
const setUsage = (person: Person, usagePercent: number) =>
  person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent });
const untilState = (page: Page, state: string) => page.locator(`[data-testid=purchase][data-state=${state}]`).waitFor();

describe('who is blocked', () => {
  test('buys in place, keeps the draft, and is let on again without a reload of the page that waits', async () => {
    const person = await stage.stack.person();
    await setUsage(person, 105);
    const page = await stage.visitAs(person, '/');
    const message = page.getByLabel('메시지', { exact: true });
    await message.fill('막혀도 남아 있을 글');
    const waiting = await page.context().newPage();
    await waiting.goto('/');
    await waiting.getByText('지금은 보낼 수 없습니다').waitFor();
    await waiting.evaluate(() => document.body.setAttribute('data-not-reloaded', ''));
    await page.getByTestId('usage-banner').getByRole('link', { name: '토큰 구매' }).click();
    await page.waitForURL('**/purchase');
    await page.getByText('공급가액 4,455원 + 부가세 445원').waitFor();
    await page.getByText('+ 보너스 25,000토큰').waitFor();
    await page.getByText(/약 111번/).waitFor();
    expect(await page.getByRole('link', { name: '토큰 구매' }).count()).toBe(0);
    await expectToFit(page);
    await picture(page, 'shop-ko');
    await page.getByRole('radio', { name: /토큰 50만/ }).check();
    await page.getByRole('button', { name: '19,900원 결제하기' }).click();
    await page.getByRole('button', { name: /승인/ }).click();
    await untilState(page, 'paid');
    await page.getByText('525,000토큰이 추가되었습니다').waitFor();
    await expectToFit(page);
    await picture(page, 'paid-ko');
    await waiting.locator('[data-testid=usage-card][data-level=NORMAL]').waitFor();
    expect(await waiting.locator('body[data-not-reloaded]').count()).toBe(1);
    await page.getByRole('link', { name: '대화로 돌아가기' }).click();
    expect(await message.inputValue()).toBe('막혀도 남아 있을 글');
    await until(() => page.getByRole('button', { name: '보내기' }).isEnabled());
    await page.keyboard.press('Enter');
    await page.getByRole('article', { name: /답변/ }).waitFor();
  });

  test('with a key that only the page knows is still signed in after paying, and the key is not kept', async () => {
    const person = await stage.stack.person();
    const page = await stage.visit('/purchase');
    await page.getByLabel('API 키').fill(person.token);
    const stays = page.getByLabel('이 탭을 새로고침해도 로그인 유지');
    if (await stays.isChecked()) await stays.uncheck();
    await page.getByRole('button', { name: 'API 키로 로그인' }).click();
    await page.getByRole('button', { name: /결제하기/ }).click();
    await page.getByRole('button', { name: /거절/ }).click();
    await untilState(page, 'failed');
    await page.getByText(/거절했습니다/).waitFor();
    await expectToFit(page);
    expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage }))).not.toContain(person.token);
    await page.getByRole('link', { name: '다시 구매하기' }).click();
    await page.getByRole('button', { name: /결제하기/ }).waitFor();
    await page.getByText('결제 실패').waitFor();
  });
});

test('from 105 % to the last word: bought, used first, half refunded as shown, disputed, and deposited late', async () => {
  const person = await stage.stack.person();
  const tokens = async () => (await person.call('GET', '/api/ai-usage')).body.purchasedTokens as number;
  await setUsage(person, 105);
  const page = await stage.visitAs(person, '/');
  await page.getByText('지금은 보낼 수 없습니다').waitFor();
  await page.evaluate(() => document.body.setAttribute('data-not-reloaded', ''));
  const { body } = await person.call(
    'POST',
    '/api/purchases',
    { packId: 'small', provider: 'demo' },
    { 'idempotency-key': 'story' },
  );
  await shop.choose(body.checkout.url, 'pay');
  // The composer unlocks where it is; what was used beyond the allowance is paid first, and then the bought tokens go.
  const message = page.getByLabel('메시지', { exact: true });
  await message.fill('산 토큰부터 쓰기');
  await page.getByRole('button', { name: '보내기' }).click();
  await page.getByRole('article', { name: /답변/ }).waitFor();
  expect(await page.locator('body[data-not-reloaded]').count()).toBe(1);
  await until(async () => (await tokens()) < 95_000);
  // Half of what was bought is spent: what the dialog offers is exactly the rest.
  await setUsage(person, 75);
  expect(await tokens()).toBe(50_000);
  await page.goto(`/purchase/${body.purchaseId}`);
  await page.getByText('환불 가능 50,000토큰 · 2,450원').waitFor();
  await shop.act(body.purchaseId, 'withdraw');
  await untilState(page, 'disputed');
  expect([await tokens(), await page.getByRole('button', { name: '환불 신청' }).count()]).toEqual([0, 0]);
  await expectToFit(page);
  await picture(page, 'disputed-ko');
  await shop.act(body.purchaseId, 'win');
  await untilState(page, 'paid');
  expect(await tokens()).toBe(50_000);
  await page.getByRole('button', { name: '환불 신청' }).click();
  await page.getByText('2,450원 환불을 신청할까요?').waitFor();
  await page.getByRole('alertdialog').getByRole('button', { name: '2,450원 환불' }).click();
  await untilState(page, 'partially_refunded');
  await focused(page.getByRole('heading', { name: '환불', exact: true }));
  expect(await tokens()).toBe(0);

  // A deposit whose due time is over, and that arrives all the same.
  const late = await person.call(
    'POST',
    '/api/purchases',
    { packId: 'small', provider: 'demo' },
    { 'idempotency-key': 'late' },
  );
  await shop.choose(late.body.checkout.url, 'later', 1 / 60);
  await page.goto(`/purchase/${late.body.purchaseId}`);
  await untilState(page, 'expired');
  await page.getByText('결제 기한이 지났습니다').waitFor();
  await shop.act(late.body.purchaseId, 'deposit');
  await untilState(page, 'paid');
  expect(await tokens()).toBe(100_000);
});

test('an admin finds a purchase, sees what became of it and gives its money back', async () => {
  const [person, admin] = [await stage.stack.person(), await stage.stack.person('admin')];
  const { body } = await person.call(
    'POST',
    '/api/purchases',
    { packId: 'small', provider: 'demo' },
    { 'idempotency-key': 'one' },
  );
  await shop.choose(body.checkout.url, 'pay');
  const page = await stage.visitAs(admin, `/admin/purchases?userId=${person.userId}`, { viewport: PHONE });
  await page.getByRole('region', { name: '구매' }).getByRole('link').first().click();
  await page.getByRole('button', { name: '결제 다시 확인' }).click();
  await page.getByRole('cell', { name: '100,000' }).waitFor();
  await expectToFit(page);
  await picture(page, 'admin-ko-phone');
  await page.setViewportSize({ width: 1280, height: 800 });
  await expectToFit(page);
  await page.getByLabel('사유').fill('시험');
  await page.getByRole('button', { name: '4,900원 환불' }).click();
  await page.getByRole('cell', { name: '환불 완료' }).last().waitFor();
  expect(await page.getByRole('button', { name: '4,900원 환불' }).count()).toBe(0);
  await picture(page, 'admin-ko');
});

test('a deposit shows where it goes and until when, survives a reload, and can be given back as shown', async () => {
  const person = await stage.stack.person();
  await person.call('PATCH', '/api/me', { locale: 'en' });
  const page = await stage.visitAs(person, '/purchase', { viewport: PHONE, locale: 'en-US' });
  await page.getByText('₩4,455 + ₩445 VAT').waitFor();
  await expectToFit(page);
  await picture(page, 'shop-en-phone');
  await page.getByRole('button', { name: 'Pay ₩4,900' }).click();
  await page.getByRole('button', { name: /Deposit later/ }).click();
  await untilState(page, 'awaiting_deposit');
  await page.getByText('000-0000-0000').waitFor();
  await page.getByRole('button', { name: 'Copy Account' }).waitFor();
  await expectToFit(page);
  await picture(page, 'deposit-en-phone');
  await page.reload();
  await page.getByText('000-0000-0000').waitFor();
  await shop.act(new URL(page.url()).pathname.split('/')[2] ?? '', 'deposit');
  await untilState(page, 'paid');
  await page.getByText('Refundable: ₩4,900 for 100,000 tokens').waitFor();
  await page.getByRole('button', { name: 'Get a refund' }).click();
  await page.getByText('100,000 tokens will be taken back, and ₩4,900 goes back').waitFor();
  await expectToFit(page);
  await picture(page, 'refund-en-phone');
  // The dialog follows the account: what is spent while it is open is not offered any more.
  await setUsage(person, 25);
  await page.getByRole('button', { name: 'Refund ₩2,450' }).click();
  await untilState(page, 'partially_refunded');
  await page.getByRole('listitem').filter({ hasText: '₩2,450' }).waitFor();
  await page.getByText('Refunded', { exact: true }).waitFor();
  await expectToFit(page);
  await picture(page, 'refunded-en-phone');
});

test('an admin makes codes that are shown once, and a person redeems one', async () => {
  const [person, admin] = [await stage.stack.person(), await stage.stack.person('admin')];
  const page = await stage.visitAs(admin, '/admin/codes');
  const form = page.getByRole('form', { name: '코드 만들기' });
  await form.getByLabel('코드 수', { exact: true }).fill('3');
  await form.getByLabel('코드 하나로 받는 토큰').fill('7000');
  await form.getByLabel('사유').fill('가을 행사');
  await page.keyboard.press('Enter');
  await page.getByText('아래 코드는 지금만 볼 수 있습니다').waitFor();
  const codes = await page.getByRole('list', { name: '만든 코드' }).getByRole('listitem').allInnerTexts();
  expect(codes.filter((code) => /^([0-9A-Z]{4}-){3}[0-9A-Z]{4}$/.test(code))).toHaveLength(3);
  await expectToFit(page);
  await picture(page, 'codes-ko');
  const file = page.waitForEvent('download');
  await page.getByRole('link', { name: 'CSV로 내려받기' }).click();
  expect((await file).suggestedFilename()).toMatch(/^turnkeeper-codes-.*\.csv$/);
  await page.setViewportSize(PHONE);
  await expectToFit(page);
  await page.reload();
  await page.getByRole('region', { name: '만든 코드' }).getByRole('link').first().click();
  await page
    .getByRole('cell', { name: new RegExp(`…${codes[0]?.slice(-4)}$`) })
    .first()
    .waitFor();
  expect(await page.getByText(codes[0] ?? '').count()).toBe(0);
  await page.getByLabel('사유').fill('잘못 보냄');
  await page.getByRole('button', { name: `폐기 …${codes[2]?.slice(-4)}` }).click();
  await page
    .getByRole('row')
    .filter({ hasText: codes[2]?.slice(-4) ?? '' })
    .getByRole('button')
    .waitFor({ state: 'detached' });
  await expectToFit(page);
  await picture(page, 'codes-batch-ko-phone');

  await person.call('PATCH', '/api/me', { locale: 'en' });
  const shopPage = await stage.visitAs(person, '/purchase', { viewport: PHONE, locale: 'en-US' });
  const field = shopPage.getByLabel('Your code');
  await field.fill(codes[2] ?? '');
  await shopPage.keyboard.press('Enter');
  await shopPage.getByText(/can’t be redeemed/).waitFor();
  await expectToFit(shopPage);
  await field.fill((codes[0] ?? '').toLowerCase().replaceAll('-', ' '));
  await shopPage.getByRole('button', { name: 'Redeem', exact: true }).click();
  await shopPage.getByText('7,000 tokens were added.').waitFor();
  await expectToFit(shopPage);
  await picture(shopPage, 'redeemed-en-phone');
});

test('an admin finds disputes, and revenue by day, by the keyboard too', async () => {
  const [person, admin] = [await stage.stack.person(), await stage.stack.person('admin')];
  await admin.call('PATCH', '/api/me', { locale: 'en' });
  const started = await person.call(
    'POST',
    '/api/purchases',
    { packId: 'small', provider: 'demo' },
    { 'idempotency-key': 'one' },
  );
  const { purchaseId, checkout } = started.body as { purchaseId: string; checkout: { url: string } };
  await shop.choose(checkout.url, 'pay');
  await person.call('GET', `/api/purchases/${purchaseId}`);
  await shop.act(purchaseId, 'withdraw');
  const page = await stage.visitAs(admin, `/admin/purchases/${purchaseId}`, { locale: 'en-US' });
  await page.getByRole('button', { name: 'Check again' }).click();
  await page.getByText('Disputed').first().waitFor();
  await page.goto('/admin/purchases');
  await page.getByRole('link', { name: 'Disputes' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('cell', { name: 'Open', exact: true }).waitFor();
  await expectToFit(page);
  await picture(page, 'disputes-en');
  // What stands for real money: the demo shop's never counts.
  await sql`update purchases set provider = 'toss', livemode = true where id = ${purchaseId}`.execute(
    stage.stack.db.database.sql,
  );
  await page.getByRole('link', { name: 'Revenue' }).click();
  await page.getByRole('cell', { name: '₩4,900' }).first().waitFor();
  await expectToFit(page);
  await picture(page, 'revenue-en');
  await page.setViewportSize(PHONE);
  await expectToFit(page);
  await picture(page, 'revenue-en-phone');
});
