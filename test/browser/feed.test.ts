import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import { Gate } from '../fake-model/scenario.ts';
import { openProxy } from '../support/proxy.ts';
import type { Person } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { BLANK, openStage, signInAs, type Stage } from './stage.ts';

let stage: Stage;
let admin: Person;

beforeAll(async () => {
  stage = await openStage();
  admin = await stage.stack.person('admin');
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
  await until(async () => (await stage.openStreams()) === 0);
});
afterAll(() => stage.close());

const ANSWER = {
  chunks: ['안녕', '하세요', '. 무엇을 ', '도와드릴까요?'],
  usage: { prompt_tokens: 21, completion_tokens: 9 },
};
let granted = 0;
const grant = ({ userId }: Person, tokens: number) =>
  admin.call(
    'POST',
    `/api/admin/users/${userId}/grants`,
    { tokens, reason: '시험' },
    { 'idempotency-key': `grant-${(granted += 1)}` },
  );
const send = async (person: Person, body: object) => (await person.call('POST', '/api/chat/send', body)).body;
const left = (page: Page, tokens: string) =>
  page.getByTestId('usage-card').getByText(`${tokens}토큰 남음`, { exact: true }).waitFor();
const answerOf = (page: Page) => page.getByRole('article', { name: '답변' }).last().locator('.answer');

/** Counts the browser's requests from now on to addresses that end with `end`. */
function count(context: BrowserContext, end: string): { readonly times: number } {
  const counted = { times: 0 };
  context.on('request', (request) => {
    if (new URL(request.url()).pathname.endsWith(end)) counted.times += 1;
  });
  return counted;
}

/** Checks later that the document is still the same, so that nothing was reloaded. */
async function stays(page: Page): Promise<() => Promise<void>> {
  await page.evaluate(() => {
    document.documentElement.dataset['stays'] = 'yes';
  });
  return async () => {
    expect(await page.locator('html').getAttribute('data-stays')).toBe('yes');
  };
}

/** Two pages of one browser, of which the first leads. */
async function twoTabs(
  person: Person,
  prepare: (page: Page) => Promise<unknown> = async () => {},
): Promise<[Page, Page]> {
  const first = await stage.visitAs(person, '/');
  await left(first, '100,000');
  await until(async () => (await stage.openStreams()) === 1);
  const second = await first.context().newPage();
  await prepare(second);
  await second.goto('/');
  await left(second, '100,000');
  await stage.settled(second);
  return [first, second];
}

/**
 * Makes the page check the leader more often, but leaves a busy machine time to answer, and lets the test move the
 * page's clock.
 */
async function hurry(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const [now, every] = [Date.now, setInterval];
    const clock = window as unknown as { ahead: number };
    clock.ahead = 0;
    Date.now = () => now() + clock.ahead;
    window.setInterval = ((work: () => void, ms: number) => every(work, Math.min(ms, 2_000))) as typeof setInterval;
  });
}

async function pass(page: Page, ms: number): Promise<void> {
  await page.evaluate((more) => {
    (window as unknown as { ahead: number }).ahead += more;
  }, ms);
}

describe('the pages of one browser', () => {
  test('follow a grant on one connection, and ask for nothing', async () => {
    const person = await stage.stack.person();
    const tabs = await twoTabs(person);
    const [asked, opened] = [count(tabs[0].context(), '/api/ai-usage'), count(tabs[0].context(), '/api/events')];
    await grant(person, 5_000);
    for (const tab of tabs) await left(tab, '105,000');
    expect([await stage.openStreams(), asked.times, opened.times]).toEqual([1, 0, 0]);
  });

  test('lose nothing when the one that has the connection closes', async () => {
    const person = await stage.stack.person();
    const [first, second] = await twoTabs(person);
    await first.close();
    await grant(person, 5_000);
    await left(second, '105,000');
    expect(await stage.openStreams()).toBe(1);
  });

  test('take over from one that is frozen without a word, and leave one alone that only has nothing to say', async () => {
    const person = await stage.stack.person();
    const [first, second] = await twoTabs(person, hurry);
    const opened = count(first.context(), '/api/events');
    // The leader is silent for long, then it is asked and answers.
    const words = await second.evaluateHandle((name) => {
      const heard: string[] = [];
      new BroadcastChannel(name).onmessage = ({ data }: MessageEvent<{ kind: string }>) => {
        heard.push(data.kind);
      };
      return heard;
    }, `turnkeeper.events.${person.userId}`);
    await pass(second, 21_000);
    await until(async () => (await words.jsonValue()).join().includes('ask,state'));
    await grant(person, 5_000);
    await left(second, '105,000');
    expect(opened.times).toBe(0);

    const browser = await first.context().newCDPSession(first);
    await browser.send('Page.setWebLifecycleState', { state: 'frozen' });
    await pass(second, 21_000);
    await until(() => opened.times === 1);
    await grant(person, 5_000);
    await left(second, '110,000');
    await browser.send('Page.setWebLifecycleState', { state: 'active' });
    // The old leader sees that another page leads now, and listens.
    await left(first, '110,000');
    await until(async () => (await stage.openStreams()) === 1);
  });

  test('of two persons have a feed each and show nothing of the other', async () => {
    const [one, other] = [await stage.stack.person(), await stage.stack.person()];
    const page = await stage.visitAs(one, '/');
    await left(page, '100,000');
    const second = await page.context().newPage();
    await signInAs(second, other);
    await second.goto('/');
    await left(second, '100,000');
    await until(async () => (await stage.openStreams()) === 2);
    await grant(other, 7_000);
    await left(second, '107,000');
    await grant(one, 3_000);
    await left(page, '103,000');
    expect(await second.getByTestId('usage-card').getByText('103,000토큰 남음', { exact: true }).count()).toBe(0);
  });

  test('show a notification at once, each, and as read when one of them has read it', async () => {
    const person = await stage.stack.person();
    const tabs = await twoTabs(person);
    await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 92 });
    for (const tab of tabs) await tab.getByTestId('pop-up').waitFor();
    await tabs[0].bringToFront();
    await tabs[0].getByTestId('pop-up').getByRole('button', { name: '읽음으로 표시' }).click();
    for (const tab of tabs) await tab.getByRole('button', { name: '알림', exact: true }).waitFor();
    await tabs[1].getByTestId('pop-up').waitFor({ state: 'detached' });
  });
});

describe('an open conversation', () => {
  test('shows what is asked in another browser, as it is answered, and the list of conversations too', async () => {
    const person = await stage.stack.person();
    const { conversationId } = await send(person, { message: '첫 질문' });
    const page = await stage.visitAs(person, `/c/${conversationId}`);
    await page.getByRole('article', { name: '내 질문' }).getByText('첫 질문').waitFor();
    await until(async () => (await stage.openStreams()) === 1);
    const gate = new Gate(3);
    stage.stack.model.next({ ...ANSWER, gate });
    const asking = send(person, { message: '다른 브라우저에서 묻기', conversationId });
    await page.getByRole('article', { name: '내 질문' }).getByText('다른 브라우저에서 묻기').waitFor();
    await page.getByText('안녕하세요', { exact: true }).waitFor();
    gate.open();
    await asking;
    await page.getByRole('article', { name: '답변' }).last().getByText('30토큰').waitFor();
    expect(await answerOf(page).innerText()).toBe('안녕하세요. 무엇을 도와드릴까요?');
    expect(await page.getByRole('article').count()).toBe(4);
    await send(person, { message: '또 다른 대화' });
    await page.getByRole('navigation', { name: '대화 목록' }).getByRole('link', { name: '또 다른 대화' }).waitFor();
    expect(await page.getByRole('article').count()).toBe(4);
  });

  test('that was read before is read again after something was asked in it elsewhere', async () => {
    const person = await stage.stack.person();
    const { conversationId } = await send(person, { message: '보고 나갈 대화' });
    const page = await stage.visitAs(person, `/c/${conversationId}`);
    await page.getByRole('article', { name: '내 질문' }).getByText('보고 나갈 대화').waitFor();
    await page.getByRole('link', { name: '새 대화' }).click();
    await page.getByText('무엇을 도와드릴까요?').waitFor();
    await send(person, { message: '자리를 비운 사이', conversationId });
    await page
      .getByTestId('usage-card')
      .getByText(/^99,\d{3}토큰 남음$/)
      .waitFor();
    await page.getByRole('navigation', { name: '대화 목록' }).getByRole('link', { name: '보고 나갈 대화' }).click();
    await page.getByRole('article', { name: '내 질문' }).getByText('자리를 비운 사이').waitFor();
  });

  test('shows a failed turn that an admin replays: told `turn`, then `restarted {replay}`, then the whole answer in its place', async () => {
    const person = await stage.stack.person();
    stage.stack.model.next({ ...ANSWER, errorAt: 3, error: { type: 'invalid_request_error' } });
    const { turnId, conversationId } = await send(person, { message: '나중에 될 질문' });
    const page = await stage.visitAs(person, `/c/${conversationId}`);
    await page.getByRole('alert').waitFor();
    const nothingReloaded = await stays(page);
    await until(async () => (await stage.openStreams()) === 1);
    const gate = new Gate('first-delta');
    stage.stack.model.next({ ...ANSWER, gate });
    expect((await admin.call('POST', `/api/admin/turns/${turnId}/replay`, { reason: '시험' })).status).toBe(202);
    await page.getByRole('article', { name: '답변' }).getByText('다시 답변하는 중').waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    gate.open();
    await page.getByRole('article', { name: '답변' }).getByText('30토큰').waitFor();
    expect(await answerOf(page).innerText()).toBe('안녕하세요. 무엇을 도와드릴까요?');
    expect(await page.getByRole('article').count()).toBe(2);
    await nothingReloaded();
  });
});

describe('without a connection', () => {
  test('a page says so quietly, and catches up with all that happened meanwhile', async () => {
    const person = await stage.stack.person();
    const { conversationId } = await send(person, { message: '끊기기 전 질문' });
    const proxy = await openProxy(stage.stack.url);
    const page = await stage.visitAs(person, `/c/${conversationId}`, { baseURL: `http://${proxy.address}` });
    await page.getByRole('article', { name: '내 질문' }).getByText('끊기기 전 질문').waitFor();
    await stage.settled(page);
    await until(async () => (await stage.openStreams()) === 1);
    const nothingReloaded = await stays(page);
    const banner = page.getByText(/다시 연결하고 있습니다/);
    await proxy.cut();
    await banner.waitFor();
    await send(person, { message: '끊긴 사이 질문', conversationId });
    await grant(person, 5_000);
    await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 91 });
    await until(async () => (await person.call('GET', '/api/notifications')).body.unreadCount === 1);
    await proxy.heal();
    await banner.waitFor({ state: 'detached' });
    await page.locator('[data-testid=usage-card][data-level=WARNING]').waitFor();
    await page.getByRole('article', { name: '내 질문' }).getByText('끊긴 사이 질문').waitFor();
    await page.getByTestId('pop-up').waitFor();
    await nothingReloaded();
    await page.context().close();
    await proxy.close();
  });

  test('a page whose place in the feed the server does not know reads everything again, and follows from the present', async () => {
    const person = await stage.stack.person();
    const { conversationId } = await send(person, { message: '첫 질문' });
    const page = await stage.visit(BLANK);
    await signInAs(page, person);
    const from: (string | null)[] = [];
    const refusal = JSON.stringify({ code: 'invalid_event_id', message: '', requestId: 'r' });
    const asked = new Gate(1);
    await page.route('**/api/events', async (route) => {
      from.push(await route.request().headerValue('last-event-id'));
      if (from.length > 1) return route.continue();
      await asked.pass(1);
      return route.fulfill({ status: 400, contentType: 'application/json', body: refusal });
    });
    await page.goto(`/c/${conversationId}`);
    await page.getByRole('article', { name: '내 질문' }).getByText('첫 질문').waitFor();
    await stage.settled(page);
    // Nobody is told of this, because the feed begins after it.
    await send(person, { message: '말해 주지 않은 질문', conversationId });
    expect(await page.getByRole('article').count()).toBe(2);
    asked.open();
    await page.getByRole('article', { name: '내 질문' }).getByText('말해 주지 않은 질문').waitFor();
    await until(async () => (await stage.openStreams()) === 1);
    expect(from).toEqual([expect.stringMatching(/^\d+-\d+$/), null]);
    await grant(person, 5_000);
    await page
      .getByTestId('usage-card')
      .getByText(/^10\d,\d{3}토큰 남음$/)
      .waitFor();
  });

  test('and with no way to have a feed it asks from time to time', async () => {
    const person = await stage.stack.person();
    const page = await stage.visit(BLANK, { once: true });
    await page.clock.install();
    await page.route('**/api/events', (route) => route.abort());
    await signInAs(page, person);
    await page.goto('/');
    await left(page, '100,000');
    await page.getByText(/다시 연결하고 있습니다/).waitFor();
    await grant(person, 5_000);
    await stage.settled(page);
    expect(await page.getByTestId('usage-card').getByText('100,000토큰 남음', { exact: true }).count()).toBe(1);
    await page.clock.fastForward(31_000);
    await left(page, '105,000');
  });
});
