import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium, type BrowserContextOptions, type Page } from 'playwright-core';

/**
 * `node web/screenshots.ts ADDRESS`, with the address that `npm start` printed: takes the pictures of README.md and
 * docs/architecture/web.md, into docs/screenshots. It moves the demo user through the usage levels, so use it on a
 * stack whose data nobody needs. CHROMIUM names the browser when it is not /usr/bin/chromium.
 */
const { origin: base, hash } = new URL(process.argv[2] ?? '');
const folder = fileURLToPath(new URL('../docs/screenshots/', import.meta.url));
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});

const QUESTIONS = [
  '이번 주말에 가 볼 만한 서울 산책길을 알려 주세요',
  '복리 이자를 쉽게 설명해 주세요',
  '회의 일정 변경 메일을 정중하게 써 주세요',
];

async function keyOf(as: 'user' | 'admin'): Promise<string> {
  const response = await fetch(`${base}/api/auth/demo`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ as, secret: hash.replace('#demo=', '') }),
  });
  return ((await response.json()) as { token: string }).token;
}

async function call(
  token: string,
  method: string,
  path: string,
  body: object,
): Promise<{ conversationId?: string; redriveId?: string }> {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as { conversationId?: string; redriveId?: string };
}

async function read(token: string, path: string): Promise<{ items: readonly { turnId: string }[] }> {
  return (await (await fetch(`${base}${path}`, { headers: { authorization: `Bearer ${token}` } })).json()) as {
    items: readonly { turnId: string }[];
  };
}

async function take(
  name: string,
  token: string,
  path: string,
  options: BrowserContextOptions,
  ready: (page: Page) => Promise<unknown>,
): Promise<void> {
  const context = await browser.newContext({
    baseURL: base,
    viewport: { width: 1180, height: 740 },
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  await page.goto('/favicon.svg');
  await page.evaluate((key) => {
    sessionStorage.setItem('turnkeeper.token', key);
  }, token);
  await page.goto(path);
  await ready(page);
  // The page's feed stays open, so its network is never idle.
  await page.waitForTimeout(500);
  await page.evaluate(() => document.fonts.ready.then(() => {}));
  await page.screenshot({ path: `${folder}${name}.png` });
  await context.close();
}

mkdirSync(folder, { recursive: true });
const [user, admin] = [await keyOf('user'), await keyOf('admin')];
const level = (usagePercent: number) => call(user, 'POST', '/api/ai-usage/test-usage', { userId: 1, usagePercent });
const inLanguage = (token: string, locale: 'ko' | 'en') => call(token, 'PATCH', '/api/me', { locale });
await level(20);
let conversationId = '';
for (const message of QUESTIONS) ({ conversationId = '' } = await call(user, 'POST', '/api/chat/send', { message }));
const answered = (page: Page) => page.locator('.answer p').first().waitFor();

await inLanguage(user, 'ko');
await level(42);
await take('chat-ko', user, `/c/${conversationId}`, { locale: 'ko-KR' }, answered);
await level(92);
await take(
  'warning-ko-phone',
  user,
  `/c/${conversationId}`,
  { locale: 'ko-KR', viewport: { width: 390, height: 740 } },
  (page) => page.getByTestId('usage-banner').waitFor(),
);
await level(105);
await take('blocked-ko', user, '/', { locale: 'ko-KR' }, (page) => page.getByTestId('usage-banner').waitFor());
await level(64);
await inLanguage(user, 'en');
await take('usage-en-dark', user, '/usage', { locale: 'en-US', colorScheme: 'dark' }, (page) =>
  page.getByRole('img').last().waitFor(),
);
await inLanguage(admin, 'en');
await take('statistics-en', admin, '/admin/stats', { locale: 'en-US' }, (page) =>
  page.getByRole('heading', { name: 'Users by usage' }).waitFor(),
);
// The demo model fails once when it is asked for a failure. Half of the replay is done when the picture is taken.
for (let n = 1; n <= 24; n += 1) await call(user, 'POST', '/api/chat/send', { message: `실패 ${n}` });
const { redriveId = '' } = await call(admin, 'POST', '/api/admin/turns/replay', {
  filter: { userId: 1, code: 'model_rejected' },
  reason: 'The provider is back after the outage',
  ratePerSecond: 2,
  confirm: 24,
});
await take('redrive-en', admin, `/admin/redrives/${redriveId}`, { locale: 'en-US' }, (page) =>
  page.getByText(/^1[1-9] of 24 done$/).waitFor(),
);
const {
  items: [replayed],
} = await read(admin, '/api/admin/turns?userId=1&replayed=true&state=completed&limit=1');
await inLanguage(admin, 'ko');
await take(
  'turn-ko-dark',
  admin,
  `/admin/turns/${replayed?.turnId ?? ''}`,
  { locale: 'ko-KR', colorScheme: 'dark' },
  (page) => page.getByRole('heading', { name: '진행 과정' }).waitFor(),
);
await take('home-ko', admin, '/admin', { locale: 'ko-KR' }, (page) =>
  page.getByRole('region', { name: '많이 사용한 사용자', exact: true }).getByRole('row').nth(1).waitFor(),
);
await inLanguage(admin, 'en');
await take('models-en-dark', admin, '/admin/models', { locale: 'en-US', colorScheme: 'dark' }, (page) =>
  page.getByRole('row').nth(1).waitFor(),
);
await inLanguage(admin, 'ko');
await inLanguage(user, 'ko');
await browser.close();
