import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { Gate } from '../fake-model/scenario.ts';
import type { Person } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { audit } from './audit.ts';
import { picture } from './picture.ts';
import { ask, openStage, type Stage } from './stage.ts';

let stage: Stage;
let person: Person;
beforeAll(async () => {
  stage = await openStage();
});
beforeEach(async () => {
  person = await stage.stack.person();
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(() => stage.close());

const answers = (...texts: string[]) => texts.forEach((text) => stage.stack.model.next({ chunks: [text] }));
/** What stands in the transcript, without what can be done with it. */
const transcript = (page: Page) =>
  page.getByRole('article').evaluateAll((all) => all.map((one) => (one.firstElementChild?.textContent ?? '').trim()));
const shows = (page: Page, expected: string[]) =>
  until(async () => JSON.stringify(await transcript(page)) === JSON.stringify(expected));
const last = (page: Page, name: string) => page.getByRole('article', { name }).last();
const focused = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));

async function begin(page: Page, question: string, answer: string): Promise<void> {
  answers(answer);
  await ask(page, question);
  await last(page, '답변').getByText(answer).waitFor();
  await last(page, '답변').getByRole('button', { name: '다시 답변 받기' }).waitFor();
}

test('an answer is given again as it streams; both can be gone through by the keyboard, and the one shown last survives a reload', async () => {
  const page = await stage.visitAs(person, '/');
  await begin(page, '서울의 봄', '벚꽃 길을 걸으세요.');
  const gate = new Gate(2);
  stage.stack.model.next({ chunks: ['한강에서 ', '자전거를 타세요.'], gate });
  await last(page, '답변').getByRole('button', { name: '다시 답변 받기' }).click();
  await gate.reached;
  await shows(page, ['서울의 봄', '한강에서']);
  gate.open();
  await shows(page, ['서울의 봄', '한강에서 자전거를 타세요.']);
  expect(await page.getByLabel('메시지', { exact: true }).inputValue()).toBe('');
  const pager = page.getByRole('group', { name: '답변 2개 중 2번째' });
  await pager.waitFor();
  // One question was asked, so there is none to go to.
  expect(await page.getByRole('group', { name: /^(질문|답변) / }).count()).toBe(1);
  expect(await audit(page)).toEqual([]);
  await picture(page, 'branches-answers-1280-ko');

  await pager.getByRole('button', { name: '이전 답변' }).focus();
  await page.keyboard.press('Enter');
  await shows(page, ['서울의 봄', '벚꽃 길을 걸으세요.']);
  await page.getByRole('group', { name: '답변 2개 중 1번째' }).waitFor();
  await until(async () => (await focused(page)) === '이전 답변');
  expect(await page.getByRole('button', { name: '이전 답변' }).getAttribute('aria-disabled')).toBe('true');
  await page.reload();
  await shows(page, ['서울의 봄', '벚꽃 길을 걸으세요.']);

  // What is asked now follows what is shown.
  await begin(page, '꽃은 언제 피나요?', '3월 말에 핍니다.');
  expect(stage.stack.model.requests.at(-1)?.body.messages.slice(-3)).toEqual([
    { role: 'user', content: '서울의 봄' },
    { role: 'assistant', content: '벚꽃 길을 걸으세요.' },
    { role: 'user', content: '꽃은 언제 피나요?' },
  ]);
  await page.getByRole('button', { name: '다음 답변' }).click();
  await shows(page, ['서울의 봄', '한강에서 자전거를 타세요.']);
  await page.getByRole('button', { name: '이전 답변' }).click();
  await shows(page, ['서울의 봄', '벚꽃 길을 걸으세요.', '꽃은 언제 피나요?', '3월 말에 핍니다.']);
});

test('a question is edited in its place: the draft stays, Escape leaves it, a syllable that is composed sends nothing, and both remain', async () => {
  const page = await stage.visitAs(person, '/');
  await begin(page, '김치찌게 끓이는 법', '돼지고기부터 볶으세요.');
  await begin(page, '몇 분 끓이나요?', '20분입니다.');
  await page.getByLabel('메시지', { exact: true }).fill('쓰던 글');
  const first = page.getByRole('article', { name: '내 질문' }).first();
  const edit = page.getByLabel('고칠 질문');
  await first.getByRole('button', { name: '질문 고치기' }).click();
  expect(await edit.inputValue()).toBe('김치찌게 끓이는 법');
  await until(async () => edit.evaluate((field) => field === document.activeElement));
  expect(await audit(page)).toEqual([]);
  await picture(page, 'branches-edit-1280-ko');
  await page.keyboard.press('Escape');
  await edit.waitFor({ state: 'detached' });
  expect(await focused(page)).toBe('질문 고치기');

  await page.keyboard.press('Enter');
  await edit.fill('김치찌개 끓이는 법');
  // The page is left and comes back: what was written is there.
  await page.reload();
  await until(async () => (await edit.inputValue()) === '김치찌개 끓이는 법');
  await edit.focus();
  await edit.dispatchEvent('keydown', { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true });
  expect(await edit.count()).toBe(1);
  answers('참치도 좋습니다.');
  await page.keyboard.press('Enter');
  await shows(page, ['김치찌개 끓이는 법', '참치도 좋습니다.']);
  expect(stage.stack.model.requests.at(-1)?.body.messages.map(({ role }) => role)).toEqual(['system', 'user']);
  expect(await page.getByLabel('메시지', { exact: true }).inputValue()).toBe('쓰던 글');

  await page.getByRole('group', { name: '질문 2개 중 2번째' }).getByRole('button', { name: '이전 질문' }).click();
  await shows(page, ['김치찌게 끓이는 법', '돼지고기부터 볶으세요.', '몇 분 끓이나요?', '20분입니다.']);
  await until(async () => (await focused(page)) === '이전 질문');
});

test('an answer that failed the second time shows why, and the first one is a button away', async () => {
  const page = await stage.visitAs(person, '/');
  await begin(page, '될 질문', '된 답변입니다.');
  stage.stack.model.next({ status: 400, error: { code: 'content_filter' } });
  await last(page, '답변').getByRole('button', { name: '다시 답변 받기' }).click();
  await page.getByRole('alert').waitFor();
  const pager = page.getByRole('group', { name: '답변 2개 중 2번째' });
  await pager.waitFor();
  await picture(page, 'branches-failed-1280-ko');
  expect(await audit(page)).toEqual([]);
  await pager.getByRole('button', { name: '이전 답변' }).click();
  await shows(page, ['될 질문', '된 답변입니다.']);
});

test('what hinders it is said before anything is sent: an answer under way elsewhere, no connection, no tokens', async () => {
  const page = await stage.visitAs(person, '/');
  await begin(page, '첫 질문', '첫 답변입니다.');
  const asked = stage.stack.model.requests.length;
  const again = page.getByRole('button', { name: '다시 답변 받기' });
  await page.context().setOffline(true);
  await again.click();
  await page.getByText('인터넷에 연결되면 보낼 수 있습니다.').waitFor();
  await page.context().setOffline(false);
  await page.getByText('인터넷에 연결되면 보낼 수 있습니다.').waitFor({ state: 'detached' });

  // Another answer runs; this tab looks at the first one meanwhile.
  const gate = new Gate(2);
  stage.stack.model.next({ chunks: ['둘째 ', '답변입니다.'], gate });
  await again.click();
  await gate.reached;
  await page.reload();
  await page.getByRole('button', { name: '이전 답변' }).click();
  await shows(page, ['첫 질문', '첫 답변입니다.']);
  await page.getByText('이 대화의 다른 답변을 작성하고 있습니다.').waitFor();
  await again.click();
  await page.getByText('진행 중인 답변이 끝난 뒤에 보낼 수 있습니다.').waitFor();
  await picture(page, 'branches-elsewhere-1280-ko');
  expect(await audit(page)).toEqual([]);
  await page.getByRole('button', { name: '보기', exact: true }).click();
  await shows(page, ['첫 질문', '둘째']);
  gate.open();
  await shows(page, ['첫 질문', '둘째 답변입니다.']);
  await last(page, '답변').getByRole('group', { name: '답변 2개 중 2번째' }).waitFor();
  expect(stage.stack.model.requests.length).toBe(asked + 1);

  const full = await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 105 });
  expect(full).toMatchObject({ status: 200 });
  await page.locator('[data-testid=usage-card][data-level=BLOCKED]').waitFor();
  await again.click();
  await last(page, '답변').getByText('토큰을 모두 사용해 지금은 보낼 수 없습니다.').waitFor();
  // A notification may lie over the button.
  await page.getByRole('button', { name: '질문 고치기' }).focus();
  await page.keyboard.press('Enter');
  await page
    .getByRole('article', { name: '내 질문' })
    .getByText('토큰을 모두 사용해 지금은 보낼 수 없습니다.')
    .waitFor();
  expect(await page.getByRole('article').getByRole('button', { name: '보내기' }).isDisabled()).toBe(true);
  expect(await audit(page)).toEqual([]);
  expect(stage.stack.model.requests.length).toBe(asked + 1);
});

test.each([
  ['ko', 320],
  ['en', 390],
] as const)('in %s at %i px an answer is rated, admins see how many, and nothing is cut off', async (locale, width) => {
  await person.call('PATCH', '/api/me', { locale });
  const words =
    locale === 'ko'
      ? { good: '좋은 답변', kept: '평가를 남겼습니다.', details: /토큰 ·/, read: /이전 대화를 읽는 데/ }
      : { good: 'Good answer', kept: 'Your rating is saved.', details: /tokens ·/, read: /earlier messages/ };
  answers('평가할 답변입니다.');
  const { body } = await person.call('POST', '/api/chat/send', { message: '평가할 질문' });
  answers('다른 답변입니다.');
  const { conversationId } = body;
  await person.call('POST', '/api/chat/send', { conversationId, message: '평가할 질문', parentTurnId: null });
  const page = await stage.visitAs(person, `/c/${conversationId}`, { viewport: { width, height: 700 }, locale });
  const good = page.getByRole('button', { name: words.good });
  await good.click();
  await page.getByText(words.kept).waitFor({ state: 'attached' });
  expect(await good.getAttribute('aria-pressed')).toBe('true');
  await page.getByText(words.details).click();
  await page.getByText(words.read).waitFor();
  expect(await audit(page)).toEqual([]);
  await picture(page, `branches-rated-${width}-${locale}`);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  await page.reload();
  await until(async () => (await good.getAttribute('aria-pressed')) === 'true');
});
