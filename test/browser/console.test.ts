import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Person } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { audit } from './audit.ts';
import { picture } from './picture.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
let admin: Person;
let person: Person;
beforeAll(async () => {
  stage = await openStage();
  [admin, person] = [await stage.stack.person('admin'), await stage.stack.person()];
  const usage = { prompt_tokens: 100_000, completion_tokens: 1_000 };
  for (const model of ['gpt-4.1-mini', 'gpt-5-mini']) {
    stage.stack.model.next({ chunks: ['답변'], usage });
    await person.call('POST', '/api/chat/send', { message: '지난주 질문', model });
    await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 0 });
  }
  stage.stack.model.next({ status: 401, error: { code: 'invalid_api_key' } });
  await person.call('POST', '/api/chat/send', { message: '실패할 질문' });
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(() => stage.close());

const WORDS = {
  ko: {
    account: '내 계정',
    admin: '관리',
    week: '최근 7일',
    byModel: '모델별',
    top: '많이 사용한 사용자',
    who: (id: number) => `사용자 ${id}`,
    month: '이번 달',
    back: '채팅으로 돌아가기',
    audit: '감사 로그',
    sections: '관리 메뉴',
  },
  en: {
    account: 'Your account',
    admin: 'Admin',
    week: 'Last 7 days',
    byModel: 'By model',
    top: 'Top users',
    who: (id: number) => `User ${id}`,
    month: 'This month',
    back: 'Back to chat',
    audit: 'Audit log',
    sections: 'Admin sections',
  },
} as const;

test.each<['ko' | 'en', number, 'light' | 'dark']>([
  ['ko', 390, 'light'],
  ['en', 390, 'dark'],
  ['ko', 1280, 'dark'],
  ['en', 1280, 'light'],
])(
  '%s at %i px, %s: an admin answers in three clicks what last week cost, by model, and who it was',
  async (locale, width, colorScheme) => {
    const words = WORDS[locale];
    await admin.call('PATCH', '/api/me', { locale });
    const page = await stage.visitAs(admin, '/', {
      viewport: { width, height: 800 },
      locale: locale === 'ko' ? 'ko-KR' : 'en-US',
      colorScheme,
    });
    await page.getByRole('button', { name: words.account }).click();
    await page.getByRole('menuitem', { name: words.admin, exact: true }).click();
    await page.getByRole('button', { name: words.week }).click();
    const models = page.getByRole('region', { name: words.byModel, exact: true });
    // 100,000 × $0.40 and 1,000 × $1.60 a million; 100,000 × $0.25 and 1,000 × $2.
    await models.getByRole('row', { name: /gpt-4\.1-mini.*\$0\.0416/ }).waitFor();
    await models.getByRole('row', { name: /gpt-5-mini.*\$0\.027/ }).waitFor();
    const top = page.getByRole('region', { name: words.top, exact: true });
    await top.getByRole('row', { name: new RegExp(`${words.who(person.userId)}.*\\$0\\.0686`) }).waitFor();
    await stage.settled(page);
    expect(await audit(page)).toEqual([]);
    const fits = () =>
      page.evaluate(() => [
        document.documentElement.scrollWidth <= innerWidth,
        document.querySelector('main')?.scrollWidth === document.querySelector('main')?.clientWidth,
        // Nothing that is out of sight makes the document longer than the window.
        document.documentElement.scrollHeight <= innerHeight,
      ]);
    expect(await fits()).toEqual([true, true, true]);
    if (width === 390) {
      await page.setViewportSize({ width: 320, height: 800 });
      expect(await fits()).toEqual([true, true, true]);
      await page.setViewportSize({ width, height: 800 });
    }
    await picture(page, `console-home-${locale}-${width}`);

    await page.getByRole('button', { name: words.month }).click();
    await page.waitForURL(/range=month/);
    await page.reload();
    await page.getByRole('button', { name: words.month, pressed: true }).waitFor();
    await models.getByRole('row').nth(1).waitFor();
    const tab = page.getByRole('navigation', { name: words.sections }).getByRole('link', { name: words.audit });
    await tab.click();
    await until(() =>
      tab.evaluate((link) => {
        const [at, strip] = [link.getBoundingClientRect(), link.parentElement!.getBoundingClientRect()];
        return link.ariaCurrent === 'page' && at.left >= strip.left && at.right <= strip.right + 1;
      }),
    );
    await picture(page, `console-audit-${locale}-${width}`);
    await page.getByRole('link', { name: words.back }).click();
    await page.waitForURL((url) => url.pathname === '/');
  },
);

test('a table is saved as CSV by its filter, and a filter that is refused is named and can be taken away', async () => {
  await admin.call('PATCH', '/api/me', { locale: 'ko' });
  const page = await stage.visitAs(admin, '/admin/turns?state=failed');
  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'CSV로 저장' }).click(),
  ]);
  expect(saved.suggestedFilename()).toBe('turnkeeper-turns.csv');
  const text = await readFile(await saved.path(), 'utf8');
  expect([text.startsWith('\uFEFFturnId,'), text.split('\r\n').length]).toEqual([true, 3]);
  await page.goto('/admin/turns?userId=nobody');
  await page.getByRole('alert').getByText('‘사용자 번호’ 값을 확인해 주세요.').first().waitFor();
  expect(await audit(page)).toEqual([]);
  await page.getByRole('alert').getByRole('button', { name: '필터 지우기' }).first().click();
  await page.getByRole('row').nth(1).waitFor();
  await page.goto('/admin?range=custom&from=2026-03-02&to=2026-03-01');
  await page.getByRole('alert').getByText('‘시작일’ 값을 확인해 주세요.').waitFor();
});
