import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { startFakeToss, TOSS_SECRET_KEY, type FakeToss } from '../fake-payments/toss.ts';
import { CANARY_ACCOUNT, CANARY_HOLDER } from '../fake-payments/toss-book.ts';
import { buyerOf, selling } from '../support/buyer.ts';
import { until } from '../support/until.ts';
import { expectToFit } from './audit.ts';
import { openStage, type Stage } from './stage.ts';

let toss: FakeToss;
let stage: Stage;

beforeAll(async () => {
  toss = await startFakeToss();
  stage = await openStage({
    ...(await selling()),
    TOSS_API_URL: toss.url,
    TOSS_SCRIPT_URL: `${toss.url}/v2/standard`,
    TOSS_SECRET_KEY,
    TOSS_CLIENT_KEY: 'test_ck_1',
  });
});
afterEach(async () => {
  toss.desk.heal();
  expect(await stage.leave()).toEqual([]);
});
afterAll(async () => {
  await stage.close();
  await toss.close();
});

const PHONE = { width: 390, height: 844 };
const SCRIPT = () => `${toss.url}/v2/standard`;
const untilState = (page: Page, state: string) => page.locator(`[data-testid=purchase][data-state=${state}]`).waitFor();
const effectsOf = (orderId: string) => toss.book.effects.filter((effect) => effect.orderId === orderId);
const idOf = (page: Page) => new URL(page.url()).pathname.split('/')[2] ?? '';

/** From the shop into Toss's window. */
async function openWindow(page: Page, way = /카드/, pay = '10,000원 결제하기'): Promise<void> {
  await page.getByRole('radio', { name: way }).check();
  await page.getByRole('button', { name: pay }).click();
  await page.getByRole('heading', { name: /10000원/ }).waitFor();
}

/** Whether the document runs the payment script, if something names it. */
function runsScript(page: Page): Promise<boolean> {
  return page.evaluate(async (src) => {
    const script = document.createElement('script');
    try {
      script.src = src;
    } catch {
      return false;
    }
    return new Promise<boolean>((resolve) => {
      script.onload = () => resolve(true);
      script.onerror = () => resolve(false);
      document.head.append(script);
    });
  }, SCRIPT());
}

describe('a card', () => {
  test('of somebody who is blocked is paid in the window of Toss, and their composer unlocks', async () => {
    const person = await stage.stack.person();
    await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 105 });
    const page = await stage.visitAs(person, '/');
    const message = page.getByLabel('메시지', { exact: true });
    await message.fill('결제하고 나서 보낼 글');
    const waiting = await page.context().newPage();
    await waiting.goto('/');
    await waiting.getByText('지금은 보낼 수 없습니다').waitFor();
    await waiting.evaluate(() => document.body.setAttribute('data-not-reloaded', ''));
    await page.getByTestId('usage-banner').getByRole('link', { name: '토큰 구매' }).click();
    await page.getByRole('radio', { name: /계좌이체/ }).waitFor();
    await expectToFit(page, 'toss-shop-ko');
    await openWindow(page);
    await page.getByRole('button', { name: '승인' }).click();
    await untilState(page, 'paid');
    await until(() => new URL(page.url()).search === '');
    await expectToFit(page, 'toss-paid-ko');
    // The page that it came back to is none that may run the script.
    expect(await runsScript(page)).toBe(false);
    expect(stage.complaints().filter((text) => !/Content Security Policy|TrustedScriptURL/.test(text))).toEqual([]);
    await waiting.locator('[data-testid=usage-card][data-level=NORMAL]').waitFor();
    expect(await waiting.locator('body[data-not-reloaded]').count()).toBe(1);
    await page.getByRole('link', { name: '대화로 돌아가기' }).click();
    expect(await message.inputValue()).toBe('결제하고 나서 보낼 글');
    expect(await page.getByRole('button', { name: '보내기' }).isDisabled()).toBe(false);
  });

  test('whose window is closed is not paid, and pressing again goes on with the same purchase', async () => {
    const person = await stage.stack.person();
    const page = await stage.visitAs(person, '/purchase', { viewport: PHONE });
    await openWindow(page);
    await page.getByRole('button', { name: '닫기' }).click();
    await page.getByText('결제를 취소했습니다. 결제된 금액은 없습니다.').waitFor();
    await expectToFit(page, 'toss-closed-ko-phone');
    await page.reload();
    await page.getByText('결제를 취소했습니다. 결제된 금액은 없습니다.').waitFor();
    await page.getByRole('link', { name: '다시 구매하기' }).click();
    await openWindow(page);
    await page.getByRole('button', { name: '거절' }).click();
    await page.getByText(/카드사나 은행이 결제를 거절했습니다/).waitFor();
    await page.getByRole('link', { name: '다시 구매하기' }).click();
    await openWindow(page, /계좌이체/);
    // The browser's own button leaves the window, too.
    await page.goBack();
    await openWindow(page);
    await page.getByRole('button', { name: '승인' }).click();
    await untilState(page, 'paid');
    const { body } = await person.call('GET', '/api/purchases');
    expect((body as { items: { state: string }[] }).items.map(({ state }) => state).sort()).toEqual([
      'created',
      'paid',
    ]);
    expect(effectsOf(idOf(page))).toHaveLength(1);
  });

  test('that the card company declines says so, and nothing is granted', async () => {
    const person = await stage.stack.person();
    const page = await stage.visitAs(person, '/purchase');
    await openWindow(page);
    toss.desk.fail('confirm', { refuse: { status: 403, body: { code: 'REJECT_CARD_COMPANY', message: '거절' } } });
    await page.getByRole('button', { name: '승인' }).click();
    await untilState(page, 'failed');
    await page.getByText(/카드사나 은행이 결제를 거절했습니다/).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    expect((await buyerOf(person, 'toss').usage()).purchasedTokens).toBe(0);
  });

  test('is confirmed once, however often its page is loaded while Toss is slow', async () => {
    const person = await stage.stack.person();
    const page = await stage.visitAs(person, '/purchase');
    await openWindow(page);
    toss.desk.fail('confirm', { delayMs: 2_500 });
    await page.getByRole('button', { name: '승인' }).click();
    await page.getByText('결제가 진행 중입니다').waitFor();
    const address = page.url();
    expect(address).toContain('paymentKey=');
    const other = await page.context().newPage();
    // The other tab asks this one for its key, so that this one is not loaded again before it has it.
    await other.goto(address);
    await other.getByTestId('purchase').waitFor();
    await page.reload();
    await Promise.all([untilState(page, 'paid'), untilState(other, 'paid')]);
    expect(effectsOf(idOf(page))).toHaveLength(1);
    expect((await buyerOf(person, 'toss').usage()).purchasedTokens).toBe(50_000);
  });

  test('of another amount, or of another purchase, is not confirmed, whatever the address says', async () => {
    const [person, other] = [await stage.stack.person(), await stage.stack.person()];
    const [mine, theirs] = [await buyerOf(person, 'toss').buy(), await buyerOf(other, 'toss').buy()];
    const begun = [mine, theirs].map(({ purchaseId }) => toss.book.begin({ orderId: purchaseId, amount: 10_000 }));
    const page = await stage.visitAs(person, '/purchase');
    const visit = (paymentKey: string | undefined, amount: number | string) =>
      page.goto(`/purchase/${mine.purchaseId}?paymentKey=${paymentKey}&orderId=${mine.purchaseId}&amount=${amount}`);
    for (const [paymentKey, amount] of [
      [begun[0]?.paymentKey, 1],
      [begun[0]?.paymentKey, 'NaN'],
      [begun[1]?.paymentKey, 10_000],
    ] as const) {
      await visit(paymentKey, amount);
      await page.getByRole('alert').getByText('결제 금액이 구매 금액과 다릅니다').waitFor();
    }
    expect([mine, theirs].flatMap(({ purchaseId }) => effectsOf(purchaseId))).toEqual([]);
    // Control: the payment that is its own.
    await visit(begun[0]?.paymentKey, 10_000);
    await untilState(page, 'paid');
  });
});

test('a deposit shows where it goes, survives a reload, and its tokens come when the bank has it', async () => {
  const person = await stage.stack.person();
  await person.call('PATCH', '/api/me', { locale: 'en' });
  const page = await stage.visitAs(person, '/purchase', { viewport: PHONE, locale: 'en-US' });
  await page.getByRole('radio', { name: /virtual account/ }).waitFor();
  await expectToFit(page, 'toss-shop-en-phone');
  await openWindow(page, /virtual account/, 'Pay ₩10,000');
  await page.getByRole('button', { name: '승인' }).click();
  await untilState(page, 'awaiting_deposit');
  for (const text of [CANARY_ACCOUNT, CANARY_HOLDER, '신한은행']) await page.getByText(text).waitFor();
  await page.getByRole('button', { name: 'Copy Account' }).waitFor();
  await page.getByText(/in 23 hours|in 24 hours|tomorrow|in 1 day/i).waitFor();
  await expectToFit(page, 'toss-deposit-en-phone');
  await page.reload();
  await page.getByText(CANARY_ACCOUNT).waitFor();
  toss.book.deposit(idOf(page));
  await untilState(page, 'paid');
  await page.getByRole('link', { name: /Cash receipt/ }).waitFor();
  await page.getByRole('button', { name: 'Get a refund' }).click();
  const dialog = page.getByRole('alertdialog');
  const now = dialog.getByRole('button', { name: 'Refund ₩10,000' });
  // Nothing is sent without the account.
  await now.click();
  expect(await dialog.getByLabel('Bank').evaluate((field: HTMLSelectElement) => field.validity.valueMissing)).toBe(
    true,
  );
  await dialog.getByLabel('Bank').selectOption({ label: 'Shinhan' });
  await dialog.getByLabel('Account', { exact: true }).fill('110-234-567890');
  await dialog.getByLabel('Holder').fill(CANARY_HOLDER);
  await expectToFit(page, 'toss-deposit-refund-en-phone');
  await now.click();
  await untilState(page, 'refunded');
  expect(toss.desk.calls.filter(({ name }) => name === 'cancel').at(-1)).toMatchObject({
    body: { refundReceiveAccount: { bank: '88', accountNumber: '110234567890', holderName: CANARY_HOLDER } },
  });
  await page.goto('/purchase');
  await page.getByRole('link', { name: /Cash receipt/ }).waitFor();
  await expectToFit(page, 'toss-list-en-phone');
});

test('an admin pays a deposit back to an account', async () => {
  const [person, admin] = [await stage.stack.person(), await stage.stack.person('admin')];
  const buyer = buyerOf(person, 'toss');
  const { purchaseId } = await buyer.buy();
  const { paymentKey } = toss.book.begin({ orderId: purchaseId, amount: 10_000, method: '가상계좌' });
  await buyer.confirm(purchaseId, paymentKey);
  toss.book.deposit(purchaseId);
  await buyer.untilState(purchaseId, 'paid');
  const page = await stage.visitAs(admin, `/admin/purchases/${purchaseId}`);
  const form = page.getByRole('form', { name: '환불' });
  await form.getByLabel(/금액/).fill('2500');
  await form.getByLabel('사유').fill('시험');
  await form.getByLabel('은행').selectOption('92');
  await form.getByLabel('계좌번호').fill('1000 1234 5678');
  await form.getByLabel('예금주').fill(CANARY_HOLDER);
  await expectToFit(page, 'toss-admin-refund-ko');
  await form.getByRole('button', { name: '2,500원 환불' }).click();
  await page.getByRole('cell', { name: '환불 완료' }).waitFor();
  expect(toss.desk.calls.filter(({ name }) => name === 'cancel').at(-1)).toMatchObject({
    body: { cancelAmount: 2_500, refundReceiveAccount: { bank: '92', accountNumber: '100012345678' } },
  });
});

describe('the page’s policy', () => {
  /** Every page that the app knows, by its own routes, and two that it does not. */
  const pages = execFileSync('git', ['ls-files', 'web/*.tsx'], { encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '')
    .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/<Route path="([^"]+)"/g)].map(([, path = '']) => path))
    .map((path) => path.replace('/*?', '').replaceAll(/:\w+/g, '01a20cec-8374-7143-86a0-b6796a24494f'));
  const policyOf = async (path: string) =>
    (await fetch(stage.stack.url + path, { headers: { accept: 'text/html' } })).headers.get(
      'content-security-policy',
    ) ?? '';
  const WINDOWS = /frame-src|form-action (?!'none')/;

  test('opens to the payment script at the shop alone, and its other rules stand there too', async () => {
    expect(pages).toEqual(expect.arrayContaining(['/purchase', '/usage', '/admin/purchases']));
    const shops: string[] = [];
    for (const path of [...pages, '/', '/c/01a20cec-8374-7143-86a0-b6796a24494f', '/purchases', '/s/x', '/none']) {
      const policy = await policyOf(path);
      expect([path, policy]).toEqual([path, expect.stringContaining("require-trusted-types-for 'script'")]);
      expect([path, policy]).toEqual([path, expect.stringContaining("default-src 'none'")]);
      if (policy.includes(toss.url) || WINDOWS.test(policy)) shops.push(path);
      else expect([path, policy]).toEqual([path, expect.stringContaining("script-src 'self';")]);
    }
    expect([...new Set(shops)]).toEqual(['/purchase']);
    expect(await policyOf('/purchase')).toContain(`script-src 'self' ${toss.url};`);
    expect(await policyOf('/purchase/')).toContain(`script-src 'self' ${toss.url};`);
  });

  test('is the strict one again for whoever goes on from the shop', async () => {
    const page = await stage.visitAs(await stage.stack.person(), '/purchase');
    await page.getByRole('button', { name: /결제하기/ }).waitFor();
    await page.evaluate(() => document.body.setAttribute('data-shop', ''));
    // A string names no script here either, until somebody pays.
    expect(await runsScript(page)).toBe(false);
    await page.getByRole('link', { name: '새 대화' }).first().click();
    await page.getByLabel('메시지', { exact: true }).waitFor();
    await page.locator('body:not([data-shop])').waitFor();
    expect(await runsScript(page)).toBe(false);
    expect(stage.complaints().length).toBeGreaterThan(0);
  });
});
