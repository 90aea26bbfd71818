import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { startFakeStripe, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, type FakeStripe } from '../fake-payments/stripe.ts';
import { selling } from '../support/buyer.ts';
import { expectToFit } from './audit.ts';
import { openStage, type Stage } from './stage.ts';

jest.setTimeout(90_000);
let stripe: FakeStripe;
let stage: Stage;

beforeAll(async () => {
  stripe = await startFakeStripe();
  stage = await openStage({
    ...(await selling()),
    STRIPE_API_URL: stripe.url,
    STRIPE_SECRET_KEY,
    STRIPE_WEBHOOK_SECRET,
  });
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(async () => {
  await stage.close();
  await stripe.close();
});

const untilState = (page: Page, state: string) => page.locator(`[data-testid=purchase][data-state=${state}]`).waitFor();

test('a buyer pays in won on Stripe’s page after a declined card, and the tokens are there when they come back', async () => {
  const person = await stage.stack.person();
  const page = await stage.visitAs(person, '/purchase', { viewport: { width: 390, height: 844 } });
  await page.getByRole('radio', { name: /토큰 5만/ }).check();
  await expectToFit(page, 'stripe-shop-ko');
  await page.getByRole('button', { name: '10,000원 결제하기' }).click();
  await page.waitForURL(`${stripe.url}/c/pay/**`);
  await page.getByText('10000 krw').waitFor();
  await page.getByRole('button', { name: '거절' }).click();
  await page.getByText('카드가 거절되었습니다.').waitFor();
  await page.getByRole('button', { name: '승인' }).click();
  await page.waitForURL('**/purchase/*');
  await untilState(page, 'paid');
  await page.getByText('50,000토큰이 추가되었습니다').waitFor();
  await page.getByText('Stripe (스트라이프) · 카드').waitFor();
  await page.getByRole('link', { name: '영수증' }).first().waitFor();
  await expectToFit(page, 'stripe-paid-ko');
});

test('a buyer in English who goes back has paid nothing, and one whose bank takes days waits for it in the page', async () => {
  const person = await stage.stack.person();
  await person.call('PATCH', '/api/me', { locale: 'en' });
  const page = await stage.visitAs(person, '/purchase', { locale: 'en-US' });
  await page.getByRole('radio', { name: /90,000 tokens/ }).check();
  await page.getByRole('button', { name: 'Pay $9.99' }).click();
  await page.waitForURL(`${stripe.url}/c/pay/**`);
  await page.getByText('999 usd').waitFor();
  await page.getByRole('button', { name: '닫기' }).click();
  await page.waitForURL('**/purchase/*');
  await untilState(page, 'created');
  await expectToFit(page, 'stripe-back-en');
  await page.goto('/purchase');
  await page.getByRole('radio', { name: /90,000 tokens/ }).check();
  await page.getByRole('button', { name: 'Pay $9.99' }).click();
  await page.getByRole('button', { name: '나중에 입금' }).click();
  await page.waitForURL('**/purchase/*');
  await untilState(page, 'pending');
  await expectToFit(page, 'stripe-pending-en');
  const own = [...stripe.book.sessions.values()].find(({ metadata }) =>
    page.url().endsWith(metadata['purchaseId'] ?? '?'),
  );
  stripe.book.decide(own?.id ?? '', true);
  await untilState(page, 'paid');
  await expectToFit(page, 'stripe-paid-en');
});
