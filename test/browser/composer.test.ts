import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { Gate } from '../fake-model/scenario.ts';
import { until } from '../support/until.ts';
import type { Person } from '../support/stack.ts';
import { audit } from './audit.ts';
import { ask, openStage, type Stage } from './stage.ts';

let stage: Stage;
let person: Person;
let admin: Person;

beforeAll(async () => {
  stage = await openStage();
  [person, admin] = [await stage.stack.person(), await stage.stack.person('admin')];
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(() => stage.close());

const composer = (page: Page) => page.getByLabel('메시지', { exact: true });
const send = (page: Page) => page.getByRole('button', { name: '보내기' });
const answerOf = (page: Page) => page.getByRole('article', { name: '답변' });
const isFocused = (locator: Locator) => locator.evaluate((element) => element === document.activeElement);
const draftOf = (page: Page) => composer(page).inputValue();

/** What a key tells that only ends a syllable: in Chromium while composing, in Safari right after it. */
const pressComposed = (field: Locator, key: string) =>
  field.evaluate((element, name) => {
    for (const how of [{ isComposing: true }, { keyCode: 229 }])
      element.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true, ...how }));
  }, key);

test('a draft of any shape leaves Send on the screen, and text that was not sent survives leaving and reloading, each where it was written', async () => {
  const { body } = await person.call('POST', '/api/chat/send', { message: '첫 질문' });
  const page = await stage.visitAs(person, '/');
  for (const [width, draft] of [
    [320, `https://example.com/${'a'.repeat(60)}`],
    [390, '가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노'],
    [1280, 'a'.repeat(200)],
  ] as const) {
    await page.setViewportSize({ width, height: 740 });
    await composer(page).fill(draft);
    const { x = 0, width: wide = 0 } = (await send(page).boundingBox()) ?? {};
    expect([width, x > 0, x + wide <= width]).toEqual([width, true, true]);
    expect(await composer(page).evaluate((field) => field.scrollWidth <= field.clientWidth)).toBe(true);
  }
  await composer(page).fill('새 대화의 글');
  await page.getByRole('link', { name: '첫 질문' }).click();
  await composer(page).fill('이 대화의 글');
  await page.reload();
  await answerOf(page).waitFor();
  expect(await draftOf(page)).toBe('이 대화의 글');
  await page.getByRole('link', { name: '새 대화' }).click();
  expect(await draftOf(page)).toBe('새 대화의 글');
  await page.goto(`/c/${body.conversationId}`);
  await until(async () => (await draftOf(page)) === '이 대화의 글');
  // Sent, it is no draft any more.
  await composer(page).press('Enter');
  await answerOf(page)
    .nth(1)
    .getByText(/토큰 · gpt/)
    .waitFor();
  await page.reload();
  await answerOf(page).nth(1).waitFor();
  expect(await draftOf(page)).toBe('');
});

test('a question whose sending a reload cut off is a draft again, and sent again it is the same turn', async () => {
  const owner = await stage.stack.person();
  const page = await stage.visitAs(owner, '/');
  const sent: string[] = [];
  let lost = true;
  await page.route('**/api/chat/send', async (route) => {
    sent.push((route.request().postDataJSON() as { turnId: string }).turnId);
    await (lost ? route.abort('internetdisconnected') : route.continue());
  });
  await ask(page, '가다가 끊긴 질문');
  await until(() => sent.length > 0);
  await page.reload();
  await until(async () => (await draftOf(page)) === '가다가 끊긴 질문');
  lost = false;
  await composer(page).press('Enter');
  await answerOf(page)
    .getByText(/토큰 · gpt/)
    .waitFor();
  expect([new Set(sent).size, await page.evaluate(() => Object.keys(sessionStorage))]).toEqual([
    1,
    ['turnkeeper.token'],
  ]);
});

test('a double click on Send sends once and stops nothing; Stop says at once that it stops, and its double click sends nothing', async () => {
  const page = await stage.visitAs(person, '/');
  const asked: string[] = [];
  page.on('request', (request) => {
    if (/\/(send|stop)$/.test(request.url())) asked.push(request.url().replace(/.*\//, ''));
  });
  const gate = new Gate(3);
  stage.stack.model.next({ chunks: ['안녕', '하세요', '. 끝'], gate });
  await composer(page).fill('두 번 누른 질문');
  await send(page).dblclick();
  await answerOf(page).getByText('안녕하세요').waitFor();
  expect(asked).toEqual(['send']);
  const answered = new Gate(1);
  await page.route('**/stop', async (route) => {
    await answered.pass(1);
    await route.continue();
  });
  await composer(page).fill('다음에 보낼 글');
  await page.getByRole('button', { name: '답변 중지' }).click();
  await page.getByRole('button', { name: '중지하는 중' }).waitFor();
  // The second click, at the moment when Send has taken Stop's place.
  await page.evaluate(() => {
    const clicked = new MutationObserver(() => {
      const button = document.querySelector<HTMLButtonElement>('button[aria-label="보내기"]');
      if (button === null) return;
      clicked.disconnect();
      button.click();
    });
    clicked.observe(document.body, { subtree: true, childList: true });
  });
  answered.open();
  await answerOf(page).getByText('중지한 답변입니다').waitFor();
  gate.open();
  await until(() => send(page).isEnabled());
  expect([asked, await draftOf(page)]).toEqual([['send', 'stop'], '다음에 보낼 글']);
});

test('Enter and Escape that end a syllable send, stop, rename and close nothing', async () => {
  const { body } = await person.call('POST', '/api/chat/send', { message: '이름을 바꿀 대화' });
  const page = await stage.visitAs(person, `/c/${body.conversationId}`, { viewport: { width: 390, height: 740 } });
  await answerOf(page).waitFor();
  await composer(page).fill('안녕');
  await pressComposed(composer(page), 'Enter');
  expect(await draftOf(page)).toBe('안녕');
  await page.getByRole('button', { name: '대화 목록 열기' }).click();
  const drawer = page.getByRole('dialog', { name: '대화 목록과 사용량' });
  await drawer.getByLabel('대화 검색').fill('이름');
  await pressComposed(drawer.getByLabel('대화 검색'), 'Escape');
  await drawer.getByRole('button', { name: '‘이름을 바꿀 대화’ 메뉴' }).click();
  await page.getByRole('menuitem', { name: '이름 바꾸기' }).click();
  const title = drawer.getByLabel('새 이름');
  await title.fill('새 이');
  for (const key of ['Enter', 'Escape']) await pressComposed(title, key);
  await title.fill('새 이름으로');
  await title.press('Enter');
  await drawer.getByLabel('대화 검색').fill('');
  await drawer.getByRole('link', { name: '새 이름으로' }).waitFor();
  await page.keyboard.press('Escape');
  await drawer.waitFor({ state: 'detached' });
});

test('going on from a cut answer is offered once, at the last answer, and not while one runs', async () => {
  const page = await stage.visitAs(person, '/');
  const goOn = page.getByRole('button', { name: '이어서 답변 받기' });
  stage.stack.model.next({ chunks: ['앞부분'], finishReason: 'length' });
  await ask(page, '긴 질문');
  const gate = new Gate(2);
  stage.stack.model.next({ chunks: ['뒷', '부분'], finishReason: 'length', gate });
  await goOn.dblclick();
  await answerOf(page).nth(1).getByText('뒷').waitFor();
  expect(await goOn.count()).toBe(0);
  gate.open();
  await answerOf(page)
    .nth(1)
    .getByText(/토큰 · gpt/)
    .waitFor();
  await goOn.waitFor();
  expect([await goOn.count(), await page.getByRole('article', { name: '내 질문' }).count()]).toEqual([1, 2]);
  // Another tab's turn runs: the refusal is told, and the page's own words are no draft.
  await page.route('**/api/chat/send', (route) =>
    route.fulfill({ status: 409, json: { code: 'conversation_busy', message: '진행 중입니다.', requestId: 'r' } }),
  );
  await goOn.click();
  await page.getByRole('alert').getByText('진행 중입니다.').waitFor();
  expect(await draftOf(page)).toBe('');
});

test('what was read stays when an attempt fails for good, the reason says what to do, and trying again moves the focus to the composer', async () => {
  const page = await stage.visitAs(person, '/');
  const gate = new Gate(2);
  stage.stack.model.next({ chunks: ['여기까지 ', '읽었다'], errorAt: 3, gate });
  for (let call = 0; call < 3; call += 1)
    stage.stack.model.next({ status: 429, headers: { 'retry-after-ms': '1' }, error: { code: 'rate_limit_exceeded' } });
  await ask(page, '끊길 질문');
  await answerOf(page).getByText('여기까지').waitFor();
  gate.open();
  const retry = page.getByRole('button', { name: '다시 시도' });
  await retry.waitFor();
  expect(await answerOf(page).locator('.answer').innerText()).toContain('여기까지 읽었다');
  await page.getByText('이 질문에는 토큰이 쓰이지 않았습니다.').waitFor();
  expect(await audit(page)).toEqual([]);
  await retry.press('Enter');
  await answerOf(page).getByText('안녕하세요. 무엇을 도와드릴까요?').waitFor();
  expect(await isFocused(composer(page))).toBe(true);
  expect(await answerOf(page).count()).toBe(1);
  stage.stack.model.next({ chunks: [], finishReason: 'content_filter' });
  await ask(page, '걸러질 질문');
  await page.getByText('질문을 바꿔서 다시 보내 주세요.').waitFor();
  await page.getByRole('button', { name: '질문 고쳐 쓰기' }).click();
  expect([await draftOf(page), await isFocused(composer(page))]).toEqual(['걸러질 질문', true]);
});

test('archiving moves the focus to the next conversation and can be undone by the keyboard', async () => {
  const owner = await stage.stack.person();
  for (const message of ['하나', '둘', '셋']) await owner.call('POST', '/api/chat/send', { message });
  const page = await stage.visitAs(owner, '/');
  const list = page.getByRole('navigation', { name: '대화 목록' });
  const row = (name: string) => list.getByRole('link', { name, exact: true });
  for (const [title, next] of [
    ['둘', '하나'],
    ['하나', '셋'],
  ] as const) {
    await list.getByRole('button', { name: `‘${title}’ 메뉴` }).click();
    await page.getByRole('menuitem', { name: '보관하기' }).click();
    await row(title).waitFor({ state: 'detached' });
    expect([title, await isFocused(row(next))]).toEqual([title, true]);
  }
  await list.getByRole('status').getByText('보관했습니다').waitFor();
  expect(await audit(page)).toEqual([]);
  await list.getByRole('button', { name: '실행 취소' }).press('Enter');
  await row('하나').waitFor();
  await list.getByRole('status').getByText('보관했습니다').waitFor({ state: 'detached' });
});

describe('an account that may not send', () => {
  test('because it is suspended says so before anything is sent, and is let on without a reload', async () => {
    const owner = await stage.stack.person();
    const page = await stage.visitAs(owner, '/');
    await page.getByTestId('usage-card').getByText('여유').waitFor();
    await composer(page).fill('막힌 글');
    await admin.call('POST', `/api/admin/users/${owner.userId}/suspend`, { reason: '시험' });
    await page.getByTestId('usage-card').getByText('이용 정지', { exact: true }).waitFor();
    await page.getByRole('alert').getByText('이용이 정지된 계정입니다.').waitFor();
    expect([
      await send(page).isDisabled(),
      await page.getByRole('button', { name: /계획 세우기/ }).isDisabled(),
    ]).toEqual([true, true]);
    expect(await page.getByText('여유').count()).toBe(0);
    expect(await page.getByRole('link', { name: /토큰 구매/ }).count()).toBe(0);
    expect(await audit(page)).toEqual([]);
    await admin.call('POST', `/api/admin/users/${owner.userId}/resume`, { reason: '시험' });
    await page.getByTestId('usage-card').getByText('여유').waitFor();
    expect([await send(page).isDisabled(), await draftOf(page)]).toEqual([false, '막힌 글']);
  });

  test('because its tokens are used up has the reason, a wide button to buy and Send on a small phone', async () => {
    const owner = await stage.stack.person();
    await owner.call('POST', '/api/ai-usage/test-usage', { userId: owner.userId, usagePercent: 105 });
    const page = await stage.visitAs(owner, '/', { viewport: { width: 320, height: 640 } });
    const buy = page.getByRole('link', { name: /토큰 구매/ });
    await buy.waitFor();
    const boxes = await Promise.all(
      [buy, send(page), page.getByText('지금은 보낼 수 없습니다', { exact: true })].map((part) => part.boundingBox()),
    );
    for (const box of boxes) {
      expect([(box?.x ?? -1) >= 0, (box?.x ?? 0) + (box?.width ?? 400) <= 320]).toEqual([true, true]);
      expect((box?.y ?? 700) + (box?.height ?? 0)).toBeLessThanOrEqual(640);
    }
    expect(boxes[0]?.width).toBeGreaterThan(240);
    expect(await page.getByRole('button', { name: /계획 세우기/ }).isDisabled()).toBe(true);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  });
});
