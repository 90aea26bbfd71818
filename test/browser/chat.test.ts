import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Gate } from '../fake-model/scenario.ts';
import { ask, openStage, type Stage } from './stage.ts';
import { audit } from './audit.ts';
import type { Person } from '../support/stack.ts';
import { until } from '../support/until.ts';

let stage: Stage;
let person: Person;

beforeAll(async () => {
  stage = await openStage();
  person = await stage.stack.person();
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(() => stage.close());

const ANSWER = {
  chunks: ['안녕', '하세요', '. 무엇을 ', '도와드릴까요?'],
  usage: { prompt_tokens: 21, completion_tokens: 9 },
};

describe('a turn', () => {
  test('streams as it comes, ends with its tokens, and its conversation is in the list', async () => {
    const page = await stage.visitAs(person, '/');
    const gate = new Gate(3);
    stage.stack.model.next({ ...ANSWER, gate });
    await ask(page, '오늘 날씨 어때요?');
    await gate.reached;
    const answer = page.getByRole('article', { name: '답변' });
    await answer.getByText('안녕하세요', { exact: true }).waitFor();
    expect(await answer.getAttribute('aria-busy')).toBe('true');
    gate.open();
    await answer.getByText('안녕하세요. 무엇을 도와드릴까요?').waitFor();
    await answer.getByText('30토큰').waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/c\/[0-9a-f-]{36}$/);
    await page
      .getByRole('navigation', { name: '대화 목록' })
      .getByRole('link', { name: '오늘 날씨 어때요?' })
      .waitFor();
    await page.getByTestId('usage-card').getByText('99,970').waitFor();
    expect(await page.getByLabel('메시지', { exact: true }).evaluate((field) => field === document.activeElement)).toBe(
      true,
    );
  });

  test('reloaded in the middle of its answer goes on with no gap and no repeat, and so it does in a second tab and in another browser', async () => {
    const page = await stage.visitAs(person, '/');
    const gate = new Gate(3);
    stage.stack.model.next({ ...ANSWER, gate });
    await ask(page, '다시 불러올 질문');
    await gate.reached;
    await page.waitForURL(/\/c\//);
    await page.reload();
    const second = await page.context().newPage();
    await second.goto(page.url());
    const elsewhere = await stage.visitAs(person, new URL(page.url()).pathname);
    const all = [page, second, elsewhere];
    for (const tab of all) await tab.getByText('안녕하세요', { exact: true }).waitFor();
    gate.open();
    for (const tab of all) {
      await tab.getByRole('article', { name: '답변' }).getByText('30토큰').waitFor();
      expect(await tab.getByRole('article', { name: '답변' }).locator('.answer').innerText()).toBe(
        '안녕하세요. 무엇을 도와드릴까요?',
      );
      expect(await tab.getByRole('article').count()).toBe(2);
    }
  });

  test('is stopped by Escape from the composer, and what had come is kept and charged', async () => {
    const page = await stage.visitAs(person, '/');
    const gate = new Gate(3);
    stage.stack.model.next({ ...ANSWER, gate });
    await ask(page, '멈출 질문');
    await page.getByRole('article', { name: '답변' }).getByText('안녕하세요', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('article', { name: '답변' }).getByText('중지한 답변입니다').waitFor();
    gate.open();
    await page.getByRole('button', { name: '보내기' }).waitFor();
    expect(await page.getByRole('article', { name: '답변' }).locator('.answer').innerText()).toBe('안녕하세요');
  });

  test('that failed says why, and is answered in its place when it is tried again', async () => {
    const page = await stage.visitAs(person, '/');
    for (let call = 0; call < 4; call += 1)
      stage.stack.model.next({
        status: 429,
        headers: { 'retry-after-ms': '1' },
        error: { code: 'rate_limit_exceeded' },
      });
    await ask(page, '실패했다가 될 질문');
    await page
      .getByRole('alert')
      .getByText(/요청 한도를 넘었습니다/)
      .waitFor();
    expect(await audit(page)).toEqual([]);
    await page.getByRole('button', { name: '다시 시도' }).click();
    await page.getByRole('article', { name: '답변' }).getByText('안녕하세요. 무엇을 도와드릴까요?').waitFor();
    // The first text replaces the failure; both may be drawn once.
    await until(async () => (await page.getByRole('alert').count()) === 0);
    expect(await page.getByRole('article').count()).toBe(2);
  });

  test('whose connection is lost goes on by itself: a lost first attempt is replaced, never repeated', async () => {
    const page = await stage.visitAs(person, '/');
    stage.stack.model.next({ ...ANSWER, dropAt: 3 });
    stage.stack.model.next(ANSWER);
    await ask(page, '끊겼다 이어질 질문');
    await page.getByRole('article', { name: '답변' }).getByText('30토큰').waitFor();
    expect(await page.getByRole('article', { name: '답변' }).locator('.answer').innerText()).toBe(
      '안녕하세요. 무엇을 도와드릴까요?',
    );
  });

  test('goes on after the browser was offline', async () => {
    const page = await stage.visitAs(person, '/');
    const gate = new Gate(3);
    stage.stack.model.next({ ...ANSWER, gate });
    await ask(page, '오프라인 질문');
    await page.getByRole('article', { name: '답변' }).getByText('안녕하세요', { exact: true }).waitFor();
    await page.context().setOffline(true);
    await page.getByText(/인터넷에 연결되어 있지 않습니다/).waitFor();
    gate.open();
    await page.context().setOffline(false);
    await page.getByRole('article', { name: '답변' }).getByText('안녕하세요. 무엇을 도와드릴까요?').waitFor();
    await page.getByText(/인터넷에 연결되어 있지 않습니다/).waitFor({ state: 'detached' });
  });

  test('cut at its limit offers to go on', async () => {
    const page = await stage.visitAs(person, '/');
    stage.stack.model.next({ ...ANSWER, finishReason: 'length' });
    await ask(page, '긴 답 질문');
    await page.getByText('답변이 길이 제한에 걸려 끊겼습니다.').waitFor();
    await page.getByRole('button', { name: '이어서 답변 받기' }).click();
    await page.getByRole('article', { name: '내 질문' }).getByText('끊긴 부분부터 이어서 답해 주세요.').waitFor();
  });
});

describe('the list of conversations', () => {
  test('finds by title, renames, archives and brings back, by the keyboard too', async () => {
    const owner = await stage.stack.person();
    for (const message of ['제주 여행 계획', '복리 이자 설명', '제주 맛집'])
      await owner.call('POST', '/api/chat/send', { message });
    const page = await stage.visitAs(owner, '/');
    const list = page.getByRole('navigation', { name: '대화 목록' });
    const titles = () => list.getByRole('link').allInnerTexts();
    await list.getByRole('link', { name: '복리 이자 설명' }).waitFor();
    expect(await titles()).toEqual(['제주 맛집', '복리 이자 설명', '제주 여행 계획']);

    await page.keyboard.press('Control+K');
    await page.keyboard.type('제주');
    await list.getByRole('link', { name: '복리 이자 설명' }).waitFor({ state: 'detached' });
    expect(await titles()).toEqual(['제주 맛집', '제주 여행 계획']);
    await list.getByLabel('대화 검색').fill('없는 말');
    await list.getByText('찾는 대화가 없습니다.').waitFor();
    await list.getByLabel('대화 검색').fill('');

    await list.getByRole('button', { name: /복리 이자 설명/ }).press('Enter');
    await page.getByRole('menuitem', { name: '이름 바꾸기' }).press('Enter');
    await list.getByLabel('새 이름').fill('이자 공부');
    await page.keyboard.press('Enter');
    await list.getByRole('link', { name: '이자 공부' }).waitFor();
    expect(
      await list.getByRole('link', { name: '이자 공부' }).evaluate((link) => link === document.activeElement),
    ).toBe(true);

    await list.getByRole('button', { name: /제주 맛집/ }).press('Enter');
    await page.getByRole('menuitem', { name: '보관하기' }).press('Enter');
    await list.getByRole('link', { name: '제주 맛집' }).waitFor({ state: 'detached' });
    await list.getByRole('button', { name: '보관한 대화 보기' }).click();
    await list.getByRole('link', { name: '제주 맛집' }).waitFor();
    expect(await audit(page)).toEqual([]);
    await list.getByRole('button', { name: /제주 맛집/ }).press('Enter');
    await page.getByRole('menuitem', { name: '목록으로 되돌리기' }).press('Enter');
    await list.getByText('보관한 대화가 없습니다.').waitFor();
    const {
      body: { items },
    } = await owner.call('GET', '/api/conversations');
    expect(items.map(({ title, archived }: { title: string; archived: boolean }) => [title, archived])).toEqual([
      ['제주 맛집', false],
      ['이자 공부', false],
      ['제주 여행 계획', false],
    ]);
  });
});
