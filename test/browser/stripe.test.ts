import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { startFakeStripe, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, type FakeStripe } from '../fake-payments/stripe.ts';
import { selling } from '../support/buyer.ts';
import { until } from '../support/until.ts';
import { expectToFit } from './audit.ts';
import { openStage, type Stage } from './stage.ts';

let stripe: FakeStripe;
let stage: Stage;

beforeAll(async () => {
  stripe = await startFakeStripe();
  stage = await openStage({
    ...(await selling()),
    STRIPE_API_URL: stripe.url,
    STRIPE_SECRET_KEY,
    STRIPE_WEBHOOK_SECRET,
    SMTP_URL: 'smtp://127.0.0.1:1',
    MAIL_FROM: 'no-reply@turnkeeper.example',
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

test('a person gives a card, is told that it was declined, gives another, and tokens come by themselves', async () => {
  const person = await stage.stack.person();
  const page = await stage.visitAs(person, '/purchase', { viewport: { width: 390, height: 844 } });
  await page.getByRole('button', { name: '자동 충전 설정' }).click();
  await page.getByText('등록된 카드가 없습니다.').waitFor();
  expect(await page.getByRole('button', { name: '자동 충전 켜기' }).isDisabled()).toBe(true);
  await expectToFit(page, 'top-up-no-card-ko');
  await page.getByRole('button', { name: '카드 등록' }).click();
  await page.getByRole('button', { name: '한도가 없는 카드 등록' }).click();
  await page.waitForURL('**/purchase?card=*');
  await page.getByRole('radio', { name: /VISA •••• 4242/ }).waitFor();
  await page.getByLabel(/한 달 한도/).fill('30000');
  await page.getByLabel(/기준 \(남은 토큰\)/).fill('20000');
  await expectToFit(page, 'top-up-form-ko');
  await page.getByRole('button', { name: '자동 충전 켜기' }).click();
  const state = page.getByTestId('top-up');
  await state.getByText('‘토큰 5만’ 상품을 자동으로 구매합니다', { exact: false }).waitFor();
  await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 85 });
  await state.getByText('카드가 거절되었습니다.', { exact: false }).waitFor();
  await expectToFit(page, 'top-up-declined-ko');
  await page.getByRole('button', { name: '설정 바꾸기' }).click();
  await page.getByRole('button', { name: '카드 등록' }).click();
  await page.getByRole('button', { name: '카드 등록', exact: true }).click();
  await page.waitForURL('**/purchase?card=*');
  const cards = page.getByRole('radio', { name: /VISA •••• 4242/ });
  await cards.nth(1).waitFor();
  await cards.first().check();
  await page.getByRole('button', { name: '자동 충전 켜기' }).click();
  await until(async () => (await person.call('GET', '/api/ai-usage')).body.purchasedTokens === 50_000);
  await page.reload();
  await page
    .getByRole('link', { name: /자동 충전/ })
    .first()
    .waitFor();
  await page.getByText('이번 달 30,000원 중 10,000원 사용').waitFor();
  await expectToFit(page, 'top-up-bought-ko');
});

test('a person in English, on the smallest phone and in the dark, chooses to be reminded and switches it off', async () => {
  const person = await stage.stack.person();
  await person.call('PATCH', '/api/me', { locale: 'en' });
  const small = { locale: 'en-US', viewport: { width: 320, height: 640 }, colorScheme: 'dark', once: true } as const;
  const page = await stage.visitAs(person, '/purchase?pack=dollar', small);
  expect(await page.getByRole('radio', { name: /90,000 tokens/ }).isChecked()).toBe(true);
  await page.getByRole('button', { name: 'Set up auto top-up' }).click();
  await page.getByRole('radio', { name: 'Only email me, charge nothing' }).check();
  await page.getByRole('combobox', { name: 'Pack to buy' }).selectOption('dollar');
  await expectToFit(page, 'top-up-remind-en');
  await page.getByRole('button', { name: 'Turn on auto top-up' }).click();
  await page.getByText('When fewer than 18,000 tokens are left, we email you a link to “90,000 tokens”.').waitFor();
  await page.getByRole('button', { name: 'Turn off' }).click();
  await page.getByRole('button', { name: 'Set up auto top-up' }).waitFor();
});
