import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from './audit.ts';
import { until } from '../support/until.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(() => stage.close());

const LEVELS = [
  [79, 'NORMAL', '여유', false],
  [80, 'NOTICE', '확인 필요', false],
  [90, 'WARNING', '주의', true],
  [95, 'CRITICAL', '부족', true],
  [105, 'BLOCKED', '사용 중단', true],
] as const;

describe('the usage card', () => {
  test('follows the account through every level without a reload, is blocked, and let on again by a grant', async () => {
    const [person, admin] = [await stage.stack.person(), await stage.stack.person('admin')];
    const page = await stage.visitAs(person, '/');
    const card = page.getByTestId('usage-card');
    const banner = page.getByTestId('usage-banner');
    await page.getByLabel('메시지', { exact: true }).fill('막혀도 남아 있을 글');
    for (const [percent, level, word, warned] of LEVELS) {
      await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: percent });
      await page.locator(`[data-testid=usage-card][data-level=${level}]`).waitFor();
      await card.getByText(word, { exact: true }).waitFor();
      // The banner is loaded when it is first needed.
      if (warned) await page.locator(`[data-testid=usage-banner][data-level=${level}]`).waitFor();
      // Once on the screen: in the banner, else in the card.
      if (level !== 'NOTICE') await card.getByRole('link', { name: /토큰 구매/ }).waitFor({ state: 'detached' });
      const buy = page.getByRole('link', { name: /토큰 구매/ });
      expect([level, await buy.count()]).toEqual([level, level === 'NORMAL' ? 0 : 1]);
      expect([level, await card.getByRole('link', { name: /토큰 구매/ }).count()]).toEqual([
        level,
        level === 'NOTICE' ? 1 : 0,
      ]);
      expect([level, await banner.count()]).toEqual([level, warned ? 1 : 0]);
      if (warned)
        expect([
          level,
          await banner.getAttribute('data-level'),
          await banner.getByRole('link', { name: /토큰 구매/ }).getAttribute('href'),
        ]).toEqual([level, level, 'https://turnkeeper.example/purchase']);
      expect([level, await page.getByRole('button', { name: '보내기' }).isDisabled()]).toEqual([
        level,
        level === 'BLOCKED',
      ]);
      expect([level, await audit(page)]).toEqual([level, []]);
    }
    expect(await banner.innerText()).toMatch(/모두 사용했습니다.*초기화됩니다.*구매/s);
    await page.getByText('지금은 보낼 수 없습니다').waitFor();
    await admin.call(
      'POST',
      `/api/admin/users/${person.userId}/grants`,
      { tokens: 500_000, reason: '시험' },
      { 'idempotency-key': 'grant-1' },
    );
    await page.locator('[data-testid=usage-card][data-level=NORMAL]').waitFor();
    expect(await page.getByLabel('메시지', { exact: true }).inputValue()).toBe('막혀도 남아 있을 글');
    expect(await page.getByRole('button', { name: '보내기' }).isDisabled()).toBe(false);
  });

  test('has every figure on its page, with where the month went and a file of it', async () => {
    const person = await stage.stack.person();
    await person.call('POST', '/api/chat/send', { message: '안녕' });
    const page = await stage.visitAs(person, '/usage');
    for (const figure of ['사용', '진행 중 확보', '남음', '매달 무료', '구매한 토큰', '남은 횟수'])
      await page
        .getByRole('term')
        .filter({ hasText: new RegExp(`^${figure}$`) })
        .waitFor();
    await page.getByText(/초기화됩니다.*서울 시간/).waitFor();
    await page.getByRole('img', { name: /날짜별 토큰 사용량/ }).waitFor();
    await page.getByText('gpt-4.1-mini').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'CSV로 저장' }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^turnkeeper-\d{4}-\d{2}-by-turn\.csv$/);
    await page.getByText(/질문 1건/).waitFor();
    await person.call('POST', '/api/chat/send', { message: '다른 브라우저에서 한 번 더' });
    await page.getByText(/질문 2건/).waitFor();
    expect(await audit(page)).toEqual([]);

    // What an admin added stands apart, a bar says its figures, and by the keyboard one leafs back through the months.
    await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 20 });
    await page.getByText('관리자 조정').waitFor();
    await page.getByRole('columnheader', { name: '조정' }).waitFor();
    await page.locator('figure [role=img] .bg-accent-fill').hover();
    await page
      .locator('figcaption')
      .getByText(/월 \d+일: [\d,]+토큰 · 질문 2건$/)
      .waitFor();
    const month = page.getByRole('status').filter({ hasText: /^\d{4}년 \d{1,2}월$/ });
    const later = page.getByRole('button', { name: '다음 달' });
    const open = await month.innerText();
    expect(await later.isDisabled()).toBe(true);
    await page.getByRole('button', { name: '이전 달' }).press('Enter');
    await page.getByText('이 달에는 사용한 토큰이 없습니다.').first().waitFor();
    expect([(await month.innerText()) === open, await audit(page)]).toEqual([false, []]);
    await later.press('Enter');
    await page
      .getByText(/질문 2건/)
      .first()
      .waitFor();
    expect(await month.innerText()).toBe(open);
  });
});

test('the page to buy says that nothing is sold here, and whom to ask', async () => {
  const page = await stage.visitAs(await stage.stack.person(), '/purchase');
  await page.getByText(/판매하는 토큰이 없습니다.*운영자에게 문의/).waitFor();
  expect(await page.getByRole('radio').count()).toBe(0);
  expect(await audit(page)).toEqual([]);
});

test('a refused turn gives back what was typed', async () => {
  const person = await stage.stack.person();
  const page = await stage.visitAs(person, '/');
  await page.getByTestId('usage-card').getByText('여유').waitFor();
  // The page does not see this change and learns of it by the refusal.
  await page.route(/\/api\/(ai-usage|events)$/, (route) => route.abort());
  await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 105 });
  await page.getByLabel('메시지', { exact: true }).fill('거절될 질문');
  await page.keyboard.press('Enter');
  await page.unroute(/\/api\/(ai-usage|events)$/);
  await page.locator('[data-testid=usage-banner][data-level=BLOCKED]').waitFor();
  // The feed has come back and may tell it before the refusal does.
  await until(async () => (await page.getByLabel('메시지', { exact: true }).inputValue()) === '거절될 질문');
  // Looks only at the transcript, because the alert that pops up is an article too.
  await until(async () => (await page.getByRole('article', { name: /내 질문|답변/ }).count()) === 0);
});
