import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { characterEntities } from 'character-entities';
import { sql } from 'kysely';
import { createToken, revokeToken } from '../../db/people/key-holders.ts';
import { Gate } from '../fake-model/scenario.ts';
import type { Page } from 'playwright-core';
import { audit } from './audit.ts';
import { missedByTab } from './keyboard.ts';
import { ask, BLANK, openStage, signInAs, type Stage } from './stage.ts';
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

const HOSTILE = [
  '<img src=x onerror="window.__run = 1">',
  '<script>window.__run = 1</script>',
  '<iframe src="https://evil.example"></iframe>',
  '<svg onload="window.__run = 1">',
  '<style>body { display: none }</style>',
  '![그림](https://evil.example/pixel.png?q=secret)',
  '![x](data:image/svg+xml;base64,PHN2Zz4=)',
  '[눌러](javascript:window.__run=1)',
  '[눌러](data:text/html,x)',
  '[눌러](  JaVaScRiPt:window.__run=1)',
  '<a href="javascript:window.__run=1">x</a>',
  '[괜찮은 링크](https://example.com/a)',
  '<form action="https://evil.example"><input name=a></form>',
  '`<b>코드</b>`',
  '[참조][1]\n\n[1]: javascript:window.__run=1',
];

test('the page of the API shows its calls within its policy, and asks nobody but this service', async () => {
  const page = await stage.visit('/api/docs', { once: true });
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.reload();
  await page.getByText('/api/chat/send', { exact: true }).click();
  await page.getByText('maxOutputTokens').first().waitFor();
  expect(asked.length).toBeGreaterThan(4);
  expect(asked.filter((url) => !url.startsWith(stage.stack.url) && !url.startsWith('data:'))).toEqual([]);
});

test('nothing an answer holds runs, loads or becomes an element that markdown has no sign for', async () => {
  const page = await stage.visitAs(person, '/');
  const foreign: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(stage.stack.url)) foreign.push(request.url());
  });
  const chunks = HOSTILE.join('\n\n').match(/.{1,9}/gs) ?? [];
  stage.stack.model.next({ chunks, delayMs: 1 });
  await ask(page, '나쁜 마크다운');
  await page
    .getByRole('article', { name: '답변' })
    .getByText(/토큰 · gpt/)
    .waitFor();
  const answer = page.getByRole('article', { name: '답변' }).locator('.answer');
  expect(
    await answer.locator('img, script, iframe, style, form, object, embed, link, svg:not([aria-hidden])').count(),
  ).toBe(0);
  expect(
    await answer.locator('a').evaluateAll((links) => links.map((link) => (link as HTMLAnchorElement).href)),
  ).toEqual(['https://evil.example/pixel.png?q=secret', 'https://example.com/a']);
  expect(await answer.locator('a').first().getAttribute('rel')).toBe('noopener noreferrer nofollow');
  expect(await answer.innerText()).toContain('<script>window.__run = 1</script>');
  expect(await page.evaluate(() => (window as unknown as { __run?: number }).__run)).toBeUndefined();
  expect(foreign).toEqual([]);
});

test('entities in an answer are the characters they name, while it streams and when its conversation is opened', async () => {
  const page = await stage.visitAs(person, '/');
  const gate = new Gate('finish');
  stage.stack.model.next({
    chunks: ['a &lt; b &amp;', '&amp; c&nbsp;d &copy; &#65; &frac12;\n\n', '`&lt;`는 코드, &nothing;은 없는 이름'],
    gate,
  });
  await ask(page, '엔티티');
  const answer = page.getByRole('article', { name: '답변' }).locator('.answer');
  const paragraphs = ['a < b && c\u00a0d © A ½', '&lt;는 코드, &nothing;은 없는 이름'];
  // One of them (½) is of those that are loaded when they are named.
  await answer.getByText(paragraphs[0] ?? '').waitFor();
  await answer.getByText(paragraphs[1] ?? '').waitFor();
  expect(await answer.locator('p').allTextContents()).toEqual(paragraphs);
  // A caret stands where the next words come, as long as some may come.
  const caret = () =>
    answer
      .locator('p')
      .last()
      .evaluate((last) => getComputedStyle(last, '::after').content);
  expect(await caret()).toBe('""');
  gate.open();
  await page
    .getByRole('article', { name: '답변' })
    .getByText(/토큰 · gpt/)
    .waitFor();
  expect(await caret()).toBe('none');
  await page.reload();
  await answer.getByText(paragraphs[0] ?? '').waitFor();
  expect(await answer.locator('p').allTextContents()).toEqual(paragraphs);
});

test('every entity that HTML has is drawn, under the page policy', async () => {
  const all = Object.entries(characterEntities);
  expect(all.length).toBeGreaterThan(2_000);
  const text = all.map(([name]) => `“&${name};”`).join(' ');
  const { body } = await person.call('POST', '/api/chat/send', { message: '모든 엔티티' });
  const page = await stage.visitAs(person, '/');
  // More than one answer may have.
  await page.route(/\/messages/, async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    for (const item of json.items) if (item.role === 'assistant') item.content = text;
    await route.fulfill({ response, json });
  });
  await page.goto(`/c/${body.conversationId}`);
  const drawn = page.getByRole('article', { name: '답변' }).locator('.answer p');
  const plain = (from: string) => from.replace(/\s+/g, ' ').trim();
  const wanted = plain(all.map(([, sign]) => `“${sign}”`).join(' '));
  await drawn.getByText('“Æ”').waitFor();
  await until(async () => plain((await drawn.textContent()) ?? '') === wanted, 20_000);
});

test('an answer that cannot be drawn is shown as its text, can be copied, and takes nothing beside it along', async () => {
  const owner = await stage.stack.person();
  const [tooDeep, fine] = ['>'.repeat(6_000), '**굵게**'];
  stage.stack.model.next({ chunks: [tooDeep] });
  const {
    body: { conversationId },
  } = await owner.call('POST', '/api/chat/send', { message: '깊은 인용' });
  stage.stack.model.next({ chunks: [fine] });
  await owner.call('POST', '/api/chat/send', { message: '다음 질문', conversationId });
  const page = await stage.visitAs(owner, `/c/${conversationId}`);
  const [first, second] = [
    page.getByRole('article', { name: '답변' }).first(),
    page.getByRole('article', { name: '답변' }).last(),
  ];
  await second.locator('strong').getByText('굵게').waitFor();
  expect(await first.locator('.answer').textContent()).toBe(tooDeep);
  await first.getByRole('button', { name: '답변 복사' }).waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  expect(await audit(page)).toEqual([]);
});

test('a page that cannot be drawn says so beside a sidebar that works, what was being written is kept, and asking again brings it', async () => {
  const page = await stage.visitAs(person, '/');
  await page.getByLabel('메시지', { exact: true }).fill('쓰던 글');
  await page.route(/\/api\/ai-usage\/history\?by=day/, (route) => route.fulfill({ json: {} }));
  await page.getByTestId('usage-card').getByRole('link').click();
  const problem = page.getByRole('alert').filter({ hasText: '문제가 발생했습니다.' });
  await problem.waitFor();
  await page.getByRole('heading', { name: '화면을 열지 못했습니다' }).waitFor();
  expect(await audit(page)).toEqual([]);
  await page.getByRole('link', { name: '새 대화' }).click();
  expect(await page.getByLabel('메시지', { exact: true }).inputValue()).toBe('쓰던 글');
  await page.goBack();
  await problem.waitFor();
  await page.unrouteAll();
  await problem.getByRole('button', { name: '다시 시도' }).click();
  await page.getByRole('heading', { name: '토큰 사용량', level: 1 }).waitFor();
  expect(await problem.count()).toBe(0);
  expect(stage.complaints()).not.toEqual([]);
});

test("the page's policy stops what would run if it ever came to that", async () => {
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

test('the first load of a chat page takes less than 180 KB of script, and admin pages are none of it', async () => {
  const { body } = await person.call('POST', '/api/chat/send', { message: '**굵게** 답해 줘' });
  const page = await stage.visitAs(person, `/c/${body.conversationId}`);
  await page.getByRole('article', { name: '답변' }).locator('.answer p').waitFor();
  await stage.settled(page);
  const scripts = await page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .map(({ name }) => name)
      .filter((name) => name.endsWith('.js')),
  );
  const sizes = await Promise.all(
    scripts.map(async (url) => {
      const compressed = await fetch(url, { headers: { 'accept-encoding': 'gzip' } });
      return Number(compressed.headers.get('content-length'));
    }),
  );
  expect(sizes.every((size) => size > 0)).toBe(true);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(180_000);
  expect(scripts.filter((url) => /admin|highlight|OpenMenu|Panel/i.test(url))).toEqual([]);
});

test("what every page shows first is asked for while the app's script is still on its way, and once", async () => {
  const page = await stage.visit(BLANK);
  await signInAs(page, person);
  // Conversations twice: those that are pinned, and the others.
  const first = ['/api/ai-usage', '/api/conversations', '/api/conversations', '/api/me'];
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  const script = new Gate(1);
  await page.route('**/assets/app-*.js', async (route) => {
    await script.pass(1);
    await route.continue();
  });
  await page.goto('/', { waitUntil: 'commit' });
  await until(() => first.every((path) => asked.includes(path)));
  expect(await page.locator('#root > *').count()).toBe(0);
  script.open();
  await page.getByTestId('usage-card').getByText('여유').waitFor();
  await stage.settled(page);
  expect(asked.filter((path) => first.includes(path)).sort()).toEqual(first);
});

/** Makes a conversation of so many turns, of two messages each. */
async function seedTurns(turns: number): Promise<{ reader: Person; conversationId: string }> {
  const reader = await stage.stack.person();
  const { body } = await reader.call('POST', '/api/chat/send', { message: '첫 질문' });
  await sql`insert into turns (id, user_id, account_id, conversation_id, sequence, state, model, body_hash, question, question_tokens, encoding, answer, attempt, ever_admitted, admitted_at, ended_at,
      finish_reason, prompt_tokens, completion_tokens, debited_tokens, estimated)
    select gen_random_uuid(), user_id, account_id, conversation_id, sequence + n, state, model, body_hash, '질문 ' || n, question_tokens, encoding, '답변 ' || n, attempt, ever_admitted, admitted_at, ended_at,
      finish_reason, prompt_tokens, completion_tokens, debited_tokens, estimated
    from turns, generate_series(1, ${turns - 1}) n where id = ${body.turnId}`.execute(stage.stack.db.database.sql);
  await sql`update conversations set last_sequence = ${turns} where id = ${body.conversationId}`.execute(
    stage.stack.db.database.sql,
  );
  return { reader, conversationId: body.conversationId };
}

/**
 * Scrolls the transcript, one step a frame.
 * @returns the largest number of rows that were in the page.
 */
async function scroll(page: Page, by: number, frames: number): Promise<number> {
  return page.getByRole('region', { name: '대화 내용' }).evaluate(
    async (box, [distance, times]) => {
      let most = 0;
      for (let i = 0; i < times; i += 1) {
        box.scrollBy(0, distance);
        await new Promise(requestAnimationFrame);
        most = Math.max(most, box.querySelectorAll('[data-row]').length);
      }
      return most;
    },
    [by, frames] as const,
  );
}

const TO_THE_TOP = -1_000_000;

test('a conversation can be read back to its first question', async () => {
  const { reader, conversationId } = await seedTurns(150);
  const page = await stage.visitAs(reader, `/c/${conversationId}`);
  await page.getByText('답변 149', { exact: true }).waitFor();
  while ((await page.getByRole('article').getByText('첫 질문', { exact: true }).count()) === 0)
    await scroll(page, TO_THE_TOP, 10);
});

test('a conversation of 10,000 messages has a bounded number of rows in the page, and scrolling through it costs no more the more of it was read', async () => {
  const { reader, conversationId } = await seedTurns(5_000);
  const page = await stage.visitAs(reader, `/c/${conversationId}`);
  await page.getByText('답변 4999', { exact: true }).waitFor();
  const metrics = await page.context().newCDPSession(page);
  await metrics.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busy = async () =>
    (await metrics.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration')?.value ??
    Number.NaN;
  /** The main thread's seconds for scrolling up and down once, when all messages have been read before. */
  const cost = async () => {
    const before = await busy();
    await scroll(page, -500, 40);
    await scroll(page, 500, 40);
    return (await busy()) - before;
  };
  await scroll(page, -2_000, 30);
  await scroll(page, 2_000, 40);
  const atFirst = await cost();
  let most = 0;
  while ((await page.getByText(/^답변 4[0-3]\d\d$/).count()) === 0)
    most = Math.max(most, await scroll(page, TO_THE_TOP, 10));
  expect(most).toBeGreaterThan(60);
  expect(most).toBeLessThanOrEqual(120);
  await scroll(page, 20_000, 1);
  expect((await cost()) / atFirst).toBeLessThan(3);
  await page.getByRole('button', { name: '맨 아래로' }).click();
  await page.getByText('답변 4999', { exact: true }).waitFor();
});

const LONG_ANSWER = `# 코스 안내\n\n첫 문단은 **굵은 글씨**와 \`코드\`가 있는 문장입니다. 줄이 넘어갈 만큼 길게 이어집니다. 그리고 조금 더 이어집니다.\n\n${Array.from({ length: 8 }, (_, i) => `${i + 1}. ${i + 1}번째 항목의 설명이 한 줄을 채웁니다.`).join('\n')}\n
| 시간 | 장소 | 설명 |\n|---|---|---|\n${Array.from({ length: 8 }, (_, i) => `| ${i + 9}:00 | 북악산 ${i} | 성곽을 따라 걷습니다 |`).join('\n')}\n
\`\`\`ts\n${Array.from({ length: 16 }, (_, i) => `const step${i} = walk(${i}, { along: 'wall' });`).join('\n')}\n\`\`\`\n\n- 마지막 목록\n- 두 번째\n\n끝 문단입니다.`;

test('nothing that stands moves while an answer with a list, a table and code streams, and when it ends', async () => {
  const page = await stage.visitAs(person, '/');
  await page.evaluate(() => {
    const seen = ((window as unknown as { shifts: { value: number; at: number }[] }).shifts = []);
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number })[])
        (seen as { value: number; at: number }[]).push({ value: entry.value, at: entry.startTime });
    }).observe({ type: 'layout-shift', buffered: true });
  });
  const frames = () =>
    page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  const now = () => page.evaluate(() => performance.now());
  /** All layout shifts count, even after the person's input, which would excuse them elsewhere. */
  const shiftSince = async (from: number) => {
    await frames();
    return page.evaluate(
      (since) =>
        (window as unknown as { shifts: { value: number; at: number }[] }).shifts
          .filter(({ at }) => at >= since)
          .reduce((sum, { value }) => sum + value, 0),
      from,
    );
  };
  const gate = new Gate('first-delta');
  stage.stack.model.next({ chunks: LONG_ANSWER.match(/.{1,7}/gs) ?? [], delayMs: 5, gate });
  await ask(page, '긴 답');
  await gate.reached;
  await page.getByText('생각하는 중').waitFor();
  await stage.settled(page);
  const from = await now();
  gate.open();
  await page
    .getByRole('article', { name: '답변' })
    .getByText(/토큰 · gpt/)
    .waitFor();
  expect(await page.locator('.answer :is(ol > li, tbody tr, pre)').count()).toBe(17);
  await stage.settled(page);
  expect(await shiftSince(from)).toBeLessThan(0.01);
  // Control: the observer does see what moves.
  const moved = await now();
  await page.evaluate(() => {
    (document.querySelector('main') as HTMLElement).style.marginTop = '200px';
  });
  await frames();
  expect(await shiftSince(moved)).toBeGreaterThan(0.1);
});

test.each([
  // After a 503 the page itself asks again before it shows an error.
  ['/', '**/api/ai-usage', 503],
  ['/', /\/api\/conversations\?/, 409],
  ['/usage', /\/api\/ai-usage\/history\?by=day/, 409],
] as const)('on %s, when %s fails: it says so, and asking again brings it', async (path, address, status) => {
  const page = await stage.visit(BLANK);
  await signInAs(page, person);
  let fails = true;
  await page.route(address, (route) =>
    fails
      ? route.fulfill({
          status,
          contentType: 'application/json',
          body: JSON.stringify({ code: 'unavailable', message: '잠시 후 다시 시도해 주세요.', requestId: 'r' }),
        })
      : route.continue(),
  );
  await page.goto(path);
  const problem = page.getByRole('alert').filter({ hasText: '잠시 후 다시 시도해 주세요.' });
  await problem.waitFor();
  expect(await audit(page)).toEqual([]);
  fails = false;
  await problem.getByRole('button', { name: '다시 시도' }).click();
  await problem.waitFor({ state: 'detached' });
});

describe('a part of the app that does not come', () => {
  const LOST = /필요한 파일을 불러오지 못했습니다/;
  const DRAFT = '쓰던 글';
  const composer = (page: Page) => page.getByLabel('메시지', { exact: true });
  const write = async (page: Page) => {
    await composer(page).fill(DRAFT);
    const opened: string[] = [];
    page.on('domcontentloaded', () => opened.push(page.url()));
    return opened;
  };

  test('says so in its place, loads nothing anew unasked, and asked again it comes; what was being written is kept throughout', async () => {
    const page = await stage.visitAs(person, '/');
    const opened = await write(page);
    await page.route('**/assets/UsagePage-*.js', (route) => route.abort('internetdisconnected'));
    const [problem, chat] = [
      page.getByRole('alert').filter({ hasText: LOST }),
      page.getByRole('link', { name: '새 대화' }),
    ];
    const isSame = page.waitForResponse((response) => new URL(response.url()).pathname === '/');
    await page.getByTestId('usage-card').getByRole('link').click();
    await problem.waitFor();
    await isSame;
    await stage.settled(page);
    expect([opened, await audit(page)]).toEqual([[], []]);
    await chat.click();
    expect(await composer(page).inputValue()).toBe(DRAFT);
    await page.goBack();
    await page.unrouteAll();
    // Without the server, a reload would show the browser's own error page.
    await page.context().setOffline(true);
    const asked = page.waitForEvent('requestfailed', (request) => new URL(request.url()).pathname === '/');
    await problem.getByRole('button', { name: '다시 시도' }).click();
    await asked;
    await page.context().setOffline(false);
    expect([opened, await problem.count()]).toEqual([[], 1]);
    await problem.getByRole('button', { name: '다시 시도' }).click();
    await page.getByRole('heading', { name: '토큰 사용량', level: 1 }).waitFor();
    await chat.click();
    expect(await composer(page).inputValue()).toBe(DRAFT);
    expect(opened.length).toBe(1);
    stage.complaints();
  });

  test('and whose build has been replaced brings the new one by one reload and never a second, with what was being written', async () => {
    const page = await stage.visitAs(person, '/');
    const opened = await write(page);
    let compared = 0;
    // The server's page names another build but still serves this one's files: the worst case of a rollout of two
    // builds.
    await page.route(
      (url) => url.pathname === '/',
      async (route) => {
        const response = await route.fetch();
        compared += 1;
        await route.fulfill({
          response,
          body: (await response.text()).replace(/\/begin-[^"]*\.js/, '/begin-newer.js'),
        });
      },
    );
    await page.route('**/assets/UsagePage-*.js', (route) => route.fulfill({ status: 404 }));
    await page.getByTestId('usage-card').getByRole('link').click();
    await until(() => compared === 2);
    await page.getByRole('alert').filter({ hasText: LOST }).waitFor();
    await stage.settled(page);
    expect([opened.length, compared]).toEqual([1, 2]);
    await page.getByRole('link', { name: '새 대화' }).click();
    expect(await composer(page).inputValue()).toBe(DRAFT);
    stage.complaints();
  });

  test('unasked signs nobody out whose key is in memory only', async () => {
    const page = await stage.visitAs(person, '/');
    await page.evaluate(() => sessionStorage.clear());
    const opened = await write(page);
    await page.route(
      (url) => url.pathname === '/',
      (route) => route.fulfill({ body: '<script src="/assets/begin-newer.js"></script>' }),
    );
    await page.route('**/assets/UsagePage-*.js', (route) => route.fulfill({ status: 404 }));
    const compared = page.waitForResponse((response) => new URL(response.url()).pathname === '/');
    await page.getByTestId('usage-card').getByRole('link').click();
    await compared;
    await stage.settled(page);
    await page.getByRole('alert').filter({ hasText: LOST }).waitFor();
    expect(opened).toEqual([]);
    stage.complaints();
  });

  test.each([
    ['OpenMenu', 1280, '내 계정'],
    ['Panel', 1280, '알림'],
    ['Drawer', 390, '대화 목록 열기'],
  ] as const)('says so over the page, which stays: %s', async (part, width, button) => {
    const page = await stage.visitAs(person, '/', { viewport: { width, height: 800 } });
    await write(page);
    await page.route(`**/assets/${part}-*.js`, (route) => route.abort('internetdisconnected'));
    await page.getByRole('button', { name: button, exact: true }).click();
    const problem = page.getByRole('alert').filter({ hasText: LOST });
    await problem.waitFor();
    expect(await audit(page)).toEqual([]);
    expect(await composer(page).inputValue()).toBe(DRAFT);
    await page.getByRole('button', { name: '닫기' }).click();
    await problem.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: button, exact: true }).waitFor();
    stage.complaints();
  });

  test('leaves an answer as its text', async () => {
    const { body } = await person.call('POST', '/api/chat/send', { message: '그대로' });
    const page = await stage.visit(BLANK);
    await signInAs(page, person);
    await page.route('**/assets/Markdown-*.js', (route) => route.abort('internetdisconnected'));
    await page.goto(`/c/${body.conversationId}`);
    await page.getByRole('article', { name: '답변' }).getByRole('button', { name: '답변 복사' }).waitFor();
    expect(await page.getByRole('article', { name: '답변' }).locator('.answer').innerText()).not.toBe('');
    stage.complaints();
  });

  test.each([
    ['the app itself', 'ko-KR', '**/assets/app-*.js'],
    ['the words of a language', 'en-US', '**/assets/common-*.js'],
  ] as const)('leaves no page white: %s', async (_part, locale, address) => {
    const page = await stage.visit(BLANK, { locale });
    await signInAs(page, person);
    await page.route(address, (route) => route.abort('internetdisconnected'));
    await page.goto('/');
    await page.getByRole('heading', { name: '화면을 열지 못했습니다' }).waitFor();
    await page.getByRole('heading', { name: 'This page could not be opened' }).waitFor();
    expect(await audit(page)).toEqual([]);
    await page.unrouteAll();
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByTestId('usage-card').waitFor();
    stage.complaints();
  });
});

describe('signing in', () => {
  test('a session that has ended says so and comes back to the same place', async () => {
    const guest = await stage.stack.person();
    const { body } = await guest.call('POST', '/api/chat/send', { message: '돌아올 대화' });
    const page = await stage.visitAs(guest, `/c/${body.conversationId}`);
    await page.getByRole('article', { name: '내 질문' }).getByText('돌아올 대화').waitFor();
    await page.getByLabel('메시지', { exact: true }).fill('쓰던 글');
    await revokeToken(stage.stack.db.database, { token: guest.token });
    // When the person comes back to the tab, it looks for what was read elsewhere.
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await page.getByText(/로그인이 만료되었습니다/).waitFor();
    expect(await audit(page)).toEqual([]);
    expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain('tk_');
    const { token } = await createToken(stage.stack.db.database, { userId: guest.userId });
    await page.getByLabel('API 키').fill('tk_wrong');
    await page.keyboard.press('Enter');
    await page.getByText(/사용할 수 없는 키입니다/).waitFor();
    await page.getByLabel('API 키').fill(token);
    await page.keyboard.press('Enter');
    await page.getByRole('article', { name: '내 질문' }).getByText('돌아올 대화').waitFor();
    expect(await page.getByLabel('메시지', { exact: true }).inputValue()).toBe('쓰던 글');
    // Nobody asked to stay signed in, so the key is only in memory.
    expect(await page.evaluate(() => JSON.stringify([sessionStorage, localStorage]))).not.toContain('tk_');
  });

  test('a tab that stayed signed in with a key that is no longer taken says so when it opens again', async () => {
    const guest = await stage.stack.person();
    await revokeToken(stage.stack.db.database, { token: guest.token });
    const page = await stage.visitAs(guest, '/usage');
    await page.getByText(/로그인이 만료되었습니다/).waitFor();
    expect([new URL(page.url()).pathname, await page.evaluate(() => sessionStorage.length)]).toEqual(['/usage', 0]);
  });
});

// Pairwise: every two values of language, width, scheme and page occur together.
test.each([
  ['ko-KR', 390, 'light', 'conversation'],
  ['en-US', 1280, 'dark', 'conversation'],
  ['ko-KR', 1280, 'dark', '/usage'],
  ['en-US', 390, 'light', '/usage'],
  ['ko-KR', 390, 'dark', '/preferences'],
  ['en-US', 1280, 'light', '/preferences'],
] as const)(
  '%s at %i px, %s: %s has no fault that axe knows, nothing sticks out, and the keyboard reaches it all',
  async (locale, width, colorScheme, name) => {
    const guest = await stage.stack.person();
    await guest.call('PATCH', '/api/me', { locale: locale.slice(0, 2) });
    stage.stack.model.next({ chunks: [LONG_ANSWER] });
    const {
      body: { conversationId },
    } = await guest.call('POST', '/api/chat/send', { message: '긴 답' });
    const page = await stage.visitAs(guest, name === 'conversation' ? `/c/${conversationId}` : name, {
      viewport: { width, height: 800 },
      locale,
      colorScheme,
    });
    await page.getByRole('button', { name: /내 계정|Your account/ }).waitFor();
    await stage.settled(page);
    expect(await audit(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    const controls = page.locator(
      ':is(button, a[href], input:not([type=radio]), select, textarea):visible:not(:disabled, .sr-only)',
    );
    expect([await missedByTab(controls), (await controls.count()) > 3]).toEqual([[], true]);
  },
);

test('a notification pops up where the person is, follows the state, closes by Escape, is counted on the bell, read once and gone', async () => {
  const guest = await stage.stack.person();
  const page = await stage.visitAs(guest, '/');
  await page.getByRole('button', { name: '알림', exact: true }).waitFor();
  await stage.settled(page);
  const use = (usagePercent: number) =>
    guest.call('POST', '/api/ai-usage/test-usage', { userId: guest.userId, usagePercent });
  await use(96);
  const popUp = page.getByTestId('pop-up');
  await popUp.waitFor();
  // The banner has the one button to buy, and no text repeats its address.
  const buy = page.getByRole('link', { name: /토큰 구매/ });
  expect([await buy.count(), await buy.getAttribute('href')]).toEqual([1, 'https://turnkeeper.example/purchase']);
  expect(await popUp.innerText()).toMatch(/96%.*초기화됩니다\.\s*읽음으로 표시/s);
  expect(await page.getByText('turnkeeper.example').count()).toBe(0);
  expect(await audit(page)).toEqual([]);
  await use(20);
  await popUp.waitFor({ state: 'detached' });
  await use(96);
  await popUp.waitFor();
  await page.keyboard.press('Escape');
  await popUp.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: '읽지 않은 알림 1개' }).click();
  const panel = page.getByRole('dialog', { name: '알림' });
  await panel.getByRole('article').waitFor();
  expect(await page.getByText('turnkeeper.example').count()).toBe(0);
  expect(await audit(page)).toEqual([]);
  await panel.getByRole('button', { name: '모두 읽음으로 표시' }).click();
  await page.getByRole('button', { name: '알림', exact: true, includeHidden: true }).waitFor();
  expect((await guest.call('GET', '/api/notifications')).body.unreadCount).toBe(0);
});

test('colours that the person chose for all pages leave meters, bars, the current place and the focus to be seen', async () => {
  const { body } = await person.call('POST', '/api/chat/send', { message: '색' });
  const page = await stage.visitAs(person, '/usage', { forcedColors: 'active' });
  const ground = await page
    .getByTestId('usage-card')
    .last()
    .evaluate((card) => getComputedStyle(card).backgroundColor);
  const bars = page.locator('main :is([role=meter] > *, figure [role=img] .bg-accent-fill)').filter({ visible: true });
  await bars.nth(1).waitFor();
  const colours = await bars.evaluateAll((all) => all.map((bar) => getComputedStyle(bar).backgroundColor));
  expect(colours.filter((colour) => colour === ground)).toEqual([]);
  await page.goto(`/c/${body.conversationId}`);
  const outlineOf = (part: string) =>
    page
      .locator(part)
      .first()
      .evaluate((it) => [getComputedStyle(it).outlineStyle, getComputedStyle(it).outlineWidth]);
  await page.locator('#composer').focus();
  expect(await outlineOf('#composer')).toEqual(['solid', '2px']);
  expect(await outlineOf('li a[aria-current=page]')).toEqual(['solid', '2px']);
});

test('a notification that popped up leaves by itself after 15 s, unless somebody is at it, and stays unread', async () => {
  const guest = await stage.stack.person();
  const page = await stage.visitAs(guest, '/', { once: true });
  await page.getByRole('button', { name: '알림', exact: true }).waitFor();
  await stage.settled(page);
  await page.clock.install();
  await guest.call('POST', '/api/ai-usage/test-usage', { userId: guest.userId, usagePercent: 96 });
  const popUp = page.getByTestId('pop-up');
  await popUp.hover();
  await page.clock.fastForward(15_000);
  expect(await popUp.isVisible()).toBe(true);
  await page.mouse.move(5, 700);
  await page.clock.fastForward(15_000);
  await popUp.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: '읽지 않은 알림 1개' }).waitFor();
});
