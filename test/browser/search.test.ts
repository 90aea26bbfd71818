import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { Page } from 'playwright-core';
import type { Person } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { audit } from './audit.ts';
import { picture } from './picture.ts';
import { focused, openStage, type Stage } from './stage.ts';

/** Turns of the conversation, more than the page reads at first, and the one in which it was said. */
const TURNS = 200;
const SAID_IN = 20;
let stage: Stage;
let person: Person;
let conversationId: string;

beforeAll(async () => {
  stage = await openStage();
  person = await stage.stack.person();
  const { body } = await person.call('POST', '/api/chat/send', { message: '여행 계획' });
  conversationId = body.conversationId;
  const database = stage.stack.db.database.sql;
  await sql`insert into turns (id, user_id, account_id, conversation_id, sequence, state, model, body_hash, question, question_tokens, encoding, answer, attempt, ever_admitted, admitted_at, ended_at,
      finish_reason, prompt_tokens, completion_tokens, debited_tokens, estimated, created_at)
    select gen_random_uuid(), user_id, account_id, conversation_id, n + 1, state, model, body_hash, '질문 ' || n, question_tokens, encoding,
      case n when ${SAID_IN} then repeat('긴 답변의 한 문단입니다.' || chr(10) || chr(10), 80) || '석촌호수의 **벚꽃**을 권합니다.' else '답변 ' || n end,
      attempt, true, admitted_at, ended_at, finish_reason, prompt_tokens, completion_tokens, debited_tokens, estimated, created_at
    from turns, generate_series(1, ${TURNS - 1}) n where id = ${body.turnId}`.execute(database);
  await sql`update conversations set last_sequence = ${TURNS} where id = ${conversationId}`.execute(database);
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(() => stage.close());

/** Whether the words stand in the visible part of the transcript. */
async function isInSight(page: Page, words: string): Promise<boolean> {
  return page.getByRole('region', { name: /^(대화 내용|Transcript)$/ }).evaluate((box, wanted) => {
    const texts = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
      if (node.nodeValue?.includes(wanted) !== true) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const { top, bottom } = range.getBoundingClientRect();
      const edge = box.getBoundingClientRect();
      if (top >= edge.top && bottom <= edge.bottom) return true;
    }
    return false;
  }, words);
}

test.each([
  ['ko', 390],
  ['en', 1280],
] as const)(
  'in %s at %i px a search leads to the place where it was said, by keyboard and with the focus, and back again',
  async (locale, width) => {
    await person.call('PATCH', '/api/me', { locale });
    const page = await stage.visitAs(person, '/usage', { viewport: { width, height: 844 }, locale });
    if (width < 1024) await page.getByRole('button', { name: '대화 목록 열기' }).click();
    const search = page.getByRole('searchbox').filter({ visible: true });
    await search.fill('벚꽃');
    const result = page.getByRole('link', { name: /벚꽃/ }).filter({ visible: true });
    await result.waitFor();
    await page
      .getByRole('status')
      .filter({ hasText: /1개의 대화|1 conversation/ })
      .first()
      .waitFor({ state: 'attached' });
    await search.press('ArrowDown');
    expect(await result.evaluate((link) => link === document.activeElement)).toBe(true);
    await page.keyboard.press('Enter');
    const found = page.locator('[data-row][data-found] article');
    await found.waitFor();
    expect(await isInSight(page, '벚꽃')).toBe(true);
    expect(await found.evaluate((article) => article === document.activeElement)).toBe(true);
    expect(await page.evaluate(() => [...(CSS.highlights.get('said') ?? [])].map(String))).toEqual(['벚꽃']);
    expect(page.url()).not.toContain(encodeURIComponent('벚꽃'));
    // The transcript scrolls, and the page around it does not, however much of it is for screen readers alone.
    expect(await page.evaluate(() => document.documentElement.scrollHeight <= innerHeight)).toBe(true);
    await picture(page, `found-in-place-${locale}-${width}`);
    expect(await audit(page)).toEqual([]);
    await found.waitFor({ state: 'detached' });
    expect(await page.evaluate(() => CSS.highlights.size)).toBe(0);

    await page.goBack();
    await page.waitForURL('**/usage');
    await page.goForward();
    await found.waitFor();
    expect(await isInSight(page, '벚꽃')).toBe(true);
  },
);

test('a page that comes late takes the focus where nobody went on, and from nobody who did; a language changes no focus', async () => {
  await person.call('PATCH', '/api/me', { locale: 'ko' });
  const page = await stage.visitAs(person, '/');
  let come = () => {};
  const late = new Promise<void>((resolve) => (come = resolve));
  await page.route('**/assets/UsagePage-*.js', async (route) => {
    await late;
    await route.continue();
  });
  const search = page.getByRole('searchbox');
  await page.getByTestId('usage-card').getByRole('link', { name: '자세히' }).click();
  await search.click();
  await search.pressSequentially('벚');
  come();
  await page.getByRole('heading', { name: '토큰 사용량', level: 1 }).waitFor();
  await stage.settled(page);
  await focused(search);
  await page.getByRole('button', { name: '내 계정' }).click();
  await page.getByRole('menuitem', { name: '환경설정' }).click();
  await focused(page.getByRole('heading', { name: '환경설정', level: 1 }));
  await page.getByRole('radio', { name: 'English' }).press('Space');
  await page.getByRole('heading', { name: 'Preferences', level: 1 }).waitFor();
  await focused(page.getByRole('radio', { name: 'English' }));
  await page.getByRole('radio', { name: '한국어' }).press('Space');
  await page.getByRole('heading', { name: '환경설정', level: 1 }).waitFor();
});

test('a question asked from a place that was found is seen, and the address leaves the place', async () => {
  const page = await stage.visitAs(person, '/', { viewport: { width: 1280, height: 800 } });
  const link = page.getByRole('link', { name: /벚꽃/ });
  await page.getByRole('searchbox').fill('벚꽃');
  await link.click();
  await page.locator('[data-found]').waitFor();
  // The same result once more, from elsewhere in the same conversation.
  await page.getByRole('button', { name: /^(맨 아래로|Scroll to the end)$/ }).click();
  await page.locator('[data-found]').waitFor({ state: 'detached' });
  await link.click();
  await page.locator('[data-found]').waitFor();
  expect(await isInSight(page, '벚꽃')).toBe(true);
  stage.stack.model.next({ chunks: ['여의도도 좋습니다.'] });
  await page.getByLabel(/^(메시지|Message)$/).fill('다른 곳은?');
  await page.keyboard.press('Enter');
  await until(() => isInSight(page, '여의도도 좋습니다.'));
  expect(new URL(page.url()).search).toBe('');
});
