import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { createUser } from '../../db/people/users.ts';
import { CHROMIUM_FLAGS, findChromium } from '../../scripts/services/chromium.ts';
import { ThrowAway } from '../../scripts/throw-away.ts';
import { buildWeb } from '../../scripts/web-build.ts';
import { personAtUrl, startTestStack, type Person, type TestStack } from '../../test/support/stack.ts';
import { ANSWERS, DAILY, EARLIER, NAMES } from './said.ts';

/**
 * `node docs/screenshots/web.ts`: takes the pictures of README.md and docs/architecture/web.md. It starts its own
 * services, lets a few people chat for three weeks of its own clock, and looks at what became of it.
 */
const folder = fileURLToPath(new URL('.', import.meta.url));
/** When the pictures show it is: a Tuesday in Seoul, 16:20. */
const PRESENT = Date.parse('2026-11-24T07:20:00Z');
const DAYS = 21;
const DAY_MS = 86_400_000;

interface Turn {
  readonly conversationId: string;
  readonly turnId: string;
}

let shift = PRESENT - DAYS * DAY_MS - Date.now();
const now = () => Date.now() + shift;
const stopping = new AbortController().signal;

async function main(): Promise<void> {
  const services = await ThrowAway.open(stopping);
  try {
    Object.assign(process.env, await services.start());
    const stack = await startTestStack(
      { WEB_DIR: await buildWeb(stopping), PURCHASE_URL: 'https://turnkeeper.example/purchase' },
      { now },
    );
    const people = await Promise.all(
      NAMES.map((name) => add(stack, { email: `${name}@turnkeeper.example`, role: 'user' })),
    );
    const admin = await add(stack, { email: 'admin@turnkeeper.example', role: 'admin' });
    const chats = await chatFor(DAYS, stack, people);
    await takePictures(stack, { people, admin, ...chats });
    await stack.close();
  } finally {
    await services.close();
  }
}

async function add(stack: TestStack, user: { email: string; role: 'user' | 'admin' }): Promise<Person> {
  const { userId, token } = await createUser(stack.db.database, user);
  return personAtUrl(stack.url, userId, token);
}

async function ask(stack: TestStack, person: Person, message: string, answer: string, more: object = {}) {
  stack.model.next({ chunks: answer.match(/[^]{1,12}/gu) ?? [], ...more });
  return (await person.call('POST', '/api/chat/send', { message })).body as Turn;
}

/** Everybody chats each day, more on working days, and asks two models. */
async function chatFor(days: number, stack: TestStack, people: readonly Person[]) {
  const [korean, english] = people as [Person, Person];
  /** The conversation in which each of them goes on. */
  const going = new Map<Person, string>();
  for (let day = 0; day < days; day += 1) {
    const isWeekend = [0, 6].includes(new Date(now()).getUTCDay());
    for (const [nth, person] of people.entries()) {
      const turns = isWeekend ? nth % 2 : 1 + ((day * 5 + nth * 3) % 3);
      for (let asked = 0; asked < turns; asked += 1) {
        const completion_tokens = 240 + ((day * 131 + nth * 71 + asked * 37) % 9) * 90;
        const usage = { prompt_tokens: 2 * completion_tokens - 100, completion_tokens };
        stack.model.next({ chunks: ['네, 알겠습니다.'], delayMs: 60, usage });
        const model = (day + nth + asked) % 4 === 0 ? 'gpt-5-mini' : 'gpt-4.1-mini';
        const daily = person === english ? DAILY.en : DAILY.ko;
        const message = daily[(day + nth + asked) % daily.length] ?? '';
        const conversationId = going.get(person);
        const turn = (await person.call('POST', '/api/chat/send', { message, model, conversationId })).body as Turn;
        going.set(person, turn.conversationId);
      }
    }
    shift += DAY_MS;
  }
  for (const message of EARLIER.ko) await ask(stack, korean, message, '네, 정리해 드릴게요.');
  for (const message of EARLIER.en) await ask(stack, english, message, 'Sure, here it is.');
  const usage = { prompt_tokens: 412, completion_tokens: 268 };
  return {
    inKorean: await ask(stack, korean, ANSWERS.ko.question, ANSWERS.ko.answer, { usage }),
    inEnglish: await ask(stack, english, ANSWERS.en.question, ANSWERS.en.answer, { usage }),
  };
}

async function takePictures(
  stack: TestStack,
  of: {
    people: readonly Person[];
    admin: Person;
    inKorean: { conversationId: string };
    inEnglish: { conversationId: string };
  },
): Promise<void> {
  const browser = await chromium.launch({
    executablePath: await findChromium(stopping),
    args: CHROMIUM_FLAGS,
  });
  const take = camera(browser, stack.url);
  const [korean, english] = of.people as [Person, Person];
  const { admin } = of;
  const level = (person: Person, usagePercent: number) =>
    person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent });
  const speak = (person: Person, locale: 'ko' | 'en') => person.call('PATCH', '/api/me', { locale });
  const seen = (part: string) => (page: Page) => page.locator(part).first().waitFor();

  await speak(english, 'en');
  await take('chat-ko', korean, `/c/${of.inKorean.conversationId}`, {}, seen('.answer .katex'));
  const phone = { width: 390, height: 740 };
  await take(
    'chat-en-dark-phone',
    english,
    `/c/${of.inEnglish.conversationId}`,
    { colorScheme: 'dark', viewport: phone },
    seen('.answer code'),
  );
  const tall = { width: 1180, height: 900 };
  await take('usage-en-dark', english, '/usage', { colorScheme: 'dark', viewport: tall }, seen('main [role=img]'));

  await speak(admin, 'ko');
  await take('home-ko', admin, '/admin', {}, seen('section:has(h2:text("많이 사용한 사용자")) tbody tr'));
  await speak(admin, 'en');
  await take('statistics-en', admin, '/admin/stats', {}, seen('h2:text("Users by usage")'));
  await take('models-en-dark', admin, '/admin/models', { colorScheme: 'dark' }, seen('tbody tr'));

  // Half of the replay is done when its picture is taken.
  for (let n = 1; n <= 24; n += 1)
    await ask(stack, of.people[2 + (n % 4)] as Person, `질문 ${n}`, '', {
      status: 401,
      error: { code: 'invalid_api_key' },
    });
  const {
    body: { redriveId },
  } = await admin.call('POST', '/api/admin/turns/replay', {
    filter: { code: 'model_rejected' },
    reason: 'The provider is back after the outage',
    ratePerSecond: 2,
    confirm: 24,
  });
  await take('redrive-en', admin, `/admin/redrives/${redriveId}`, {}, (page) =>
    page.getByText(/^1[1-9] of 24 done$/).waitFor(),
  );
  const { items } = (await admin.call('GET', '/api/admin/turns?replayed=true&state=completed&limit=1')).body as {
    items: readonly { turnId: string }[];
  };
  await speak(admin, 'ko');
  await take(
    'turn-ko-dark',
    admin,
    `/admin/turns/${items[0]?.turnId ?? ''}`,
    { colorScheme: 'dark' },
    seen('h2:text("진행 과정")'),
  );

  const banner = seen('[data-testid=usage-banner]');
  await level(korean, 92);
  await take('warning-ko-phone', korean, `/c/${of.inKorean.conversationId}`, { viewport: phone }, banner);
  await level(korean, 105);
  await take('blocked-ko', korean, '/', {}, banner);
  await browser.close();
}

/** @returns a function that takes one picture, signed in as the person, at the time of `now`. */
function camera(browser: Browser, baseURL: string) {
  return async (
    name: string,
    person: Person,
    path: string,
    options: BrowserContextOptions,
    ready: (page: Page) => Promise<unknown>,
  ): Promise<void> => {
    const context = await browser.newContext({
      baseURL,
      viewport: { width: 1180, height: 740 },
      reducedMotion: 'reduce',
      timezoneId: 'Asia/Seoul',
      ...options,
    });
    await context.clock.install({ time: now() });
    const page = await context.newPage();
    await page.goto('/favicon.svg');
    await page.evaluate((key) => sessionStorage.setItem('turnkeeper.token', key), person.token);
    await page.goto(path);
    await ready(page);
    await page.evaluate('document.fonts.ready.then(() => {})');
    // The page's feed stays open, so its network is never idle.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await page.screenshot({ path: `${folder}${name}.png` });
    await context.close();
  };
}

await main();
process.exit(0);
