import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { until } from '../support/until.ts';
import { audit } from './audit.ts';
import { picture } from './picture.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(() => stage.close());

const WORDS = {
  ko: {
    message: '메시지',
    send: '보내기',
    question: '내 질문',
    answer: '답변',
    edit: '질문 고치기',
    edited: '고칠 질문',
    again: '다시 답변 받기',
    second: '답변 2개 중 2번째',
    first: '답변 2개 중 1번째',
    previous: '이전 답변',
    open: '대화 목록 열기',
    list: '대화 목록',
    search: '대화 검색',
    menu: (title: string) => `‘${title}’ 메뉴`,
    share: '공유하기',
    make: '링크 만들기',
    address: '공유 링크',
    close: '닫기',
    remove: '삭제하기',
    really: '삭제',
    shared: '대화 공유',
    warned: '토큰이 얼마 남지 않았습니다.',
    blocked: '이번 달 토큰을 모두 사용했습니다.',
    cannot: '지금은 보낼 수 없습니다',
  },
  en: {
    message: 'Message',
    send: 'Send',
    question: 'Your question',
    answer: 'Answer',
    edit: 'Edit the question',
    edited: 'Question to edit',
    again: 'Answer again',
    second: 'Answer 2 of 2',
    first: 'Answer 1 of 2',
    previous: 'Previous answer',
    open: 'Open conversations',
    list: 'Conversations',
    search: 'Search conversations',
    menu: (title: string) => `Options for “${title}”`,
    share: 'Share',
    make: 'Create link',
    address: 'Share link',
    close: 'Dismiss',
    remove: 'Delete',
    really: 'Delete',
    shared: 'Share this conversation',
    warned: 'Your tokens are running low.',
    blocked: 'You’ve used all of this month’s tokens.',
    cannot: 'You can’t send right now',
  },
} as const;

test.each([
  ['ko', 390],
  ['ko', 1280],
  ['en', 390],
  ['en', 1280],
] as const)(
  'in %s at %i px: ask, edit, answer again, compare, search, share, delete, a formula, warned, blocked, let on',
  async (locale, width) => {
    const words = WORDS[locale];
    const person = await stage.stack.person();
    const admin = await stage.stack.person('admin');
    await person.call('PATCH', '/api/me', { locale });
    const viewport = { width, height: 844 };
    const page = await stage.visitAs(person, '/', { viewport, locale });
    const shot = async (name: string) => picture(page, `story-${name}-${locale}-${width}`);
    const answer = page.getByRole('article', { name: words.answer });
    const ask = async (question: string, text: string) => {
      stage.stack.model.next({ chunks: [text] });
      await page.getByLabel(words.message, { exact: true }).fill(question);
      await page.getByRole('button', { name: words.send }).click();
    };
    const sidebar = async () => {
      if (width < 1024 && (await page.getByRole('dialog').count()) === 0)
        await page.getByRole('button', { name: words.open }).click();
      return page.getByRole('navigation', { name: words.list }).filter({ visible: true });
    };
    const choose = async (title: string, entry: string) => {
      await (await sidebar()).getByRole('button', { name: words.menu(title) }).click();
      await page.getByRole('menuitem', { name: entry, exact: true }).click();
    };

    await ask('Turnkepper?', 'A lighthouse on the coast.');
    await answer.getByText('A lighthouse on the coast.').waitFor();
    await page.getByRole('button', { name: words.edit }).click();
    await page.getByLabel(words.edited).fill('Turnkeeper?');
    stage.stack.model.next({ chunks: ['A keeper of turns.'] });
    await page.keyboard.press('Enter');
    await answer.getByText('A keeper of turns.').waitFor();
    await shot('edited');

    stage.stack.model.next({ chunks: ['One who keeps count.'] });
    await page.getByRole('button', { name: words.again }).click();
    await page.getByRole('group', { name: words.second }).waitFor();
    await answer.getByText('One who keeps count.').waitFor();
    await page.getByRole('button', { name: words.previous }).click();
    await page.getByRole('group', { name: words.first }).waitFor();
    await answer.getByText('A keeper of turns.').waitFor();
    await shot('compared');
    expect(await audit(page)).toEqual([]);

    // The answer to the question as it was first stands on a branch that is not shown.
    await (await sidebar()).getByRole('searchbox', { name: words.search }).fill('lighthouse');
    await shot('searched');
    await (await sidebar()).getByRole('link', { name: /lighthouse/ }).click();
    await answer.getByText('A lighthouse on the coast.').waitFor();
    await shot('found');

    const title = 'Turnkepper?';
    await (await sidebar()).getByRole('searchbox', { name: words.search }).fill('');
    await choose(title, words.share);
    await page.getByRole('button', { name: words.make }).click();
    const address = await page.getByRole('textbox', { name: words.address }).inputValue();
    await shot('shared');
    const stranger = await stage.visit(new URL(address).pathname, { viewport, locale });
    await stranger.getByRole('article', { name: words.answer }).first().waitFor();
    await page.getByRole('dialog', { name: words.shared }).getByRole('button', { name: words.close }).click();

    await choose(title, words.remove);
    await page.getByRole('alertdialog').getByRole('button', { name: words.really }).click();
    await page.waitForURL((url) => url.pathname === '/');
    await page.getByRole('alertdialog').waitFor({ state: 'detached' });
    // The list of conversations lies over the page where the screen has no room for both.
    if (width < 1024) await page.keyboard.press('Escape');
    expect((await person.call('GET', '/api/conversations')).body.items).toEqual([]);

    await ask('E?', 'So it is: $$E = mc^2$$');
    await answer.locator('math').first().waitFor({ state: 'attached' });
    await shot('formula');

    // 409 while the answer that is shown still holds its tokens.
    const used = (usagePercent: number) =>
      until(async () => {
        const body = { userId: person.userId, usagePercent };
        return (await person.call('POST', '/api/ai-usage/test-usage', body)).status === 200;
      });
    await used(91);
    await page.getByText(words.warned).first().waitFor();
    await shot('warned');
    await used(105);
    await page.getByText(words.blocked).first().waitFor();
    await page.locator('form').getByText(words.cannot).waitFor();
    await shot('blocked');
    expect(await audit(page)).toEqual([]);
    await admin.call(
      'POST',
      `/api/admin/users/${person.userId}/grants`,
      { tokens: 50_000, reason: 'story' },
      { 'Idempotency-Key': `story-${locale}-${width}` },
    );
    await page.locator('form').getByText(words.cannot).waitFor({ state: 'detached' });
    await ask('On?', 'Let on.');
    await answer.getByText('Let on.').waitFor();
    await shot('let-on');
    // What a stranger's page was told of a link that is gone is no fault of this one's.
    stage.complaints();
  },
);
