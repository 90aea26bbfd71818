import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';

/** Without these Chromium tries to reach its maker at every start. */
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** The real service with the built web app, and a real browser before it. */
export interface Stage {
  readonly stack: TestStack;
  readonly browser: Browser;
  /** A browser of its own, signed out. Fails the test that asks for it when the page logs an error. */
  visit(path: string, options?: BrowserContextOptions): Promise<Page>;
  /** Signed in with the person's key, as after a reload of a tab that stays signed in. */
  visitAs(person: Person, path: string, options?: BrowserContextOptions): Promise<Page>;
  /** What pages complained about since the last call: uncaught errors, the console's errors, refusals of the page's policy. */
  complaints(): string[];
  close(): Promise<void>;
}

export async function openStage(env: Record<string, string> = {}): Promise<Stage> {
  const [stack, browser] = await Promise.all([
    startTestStack({ WEB_DIR: required('TEST_WEB_DIR'), ...env }),
    chromium.launch({ executablePath: required('TEST_CHROMIUM'), args: FLAGS }),
  ]);
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];
  const open = async (options: BrowserContextOptions = {}) => {
    const context = await browser.newContext({ baseURL: stack.url, locale: 'ko-KR', timezoneId: 'Asia/Seoul', viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(15_000);
    contexts.push(context);
    context.on('weberror', (error) => complaints.push(String(error.error().stack)));
    context.on('console', (message) => { if (message.type() === 'error' && !isExpected(message.text())) complaints.push(message.text()); });
    return context;
  };
  return {
    stack, browser,
    async visit(path, options) {
      const page = await (await open(options)).newPage();
      await page.goto(path);
      return page;
    },
    async visitAs({ token }, path, options) {
      const page = await (await open(options)).newPage();
      // A file of the same origin: the key is there before the app first looks, and other tabs have to ask for it.
      await page.goto('/favicon.svg');
      await page.evaluate((key) => sessionStorage.setItem('turnkeeper.token', key), token);
      await page.goto(path);
      return page;
    },
    complaints: () => complaints.splice(0),
    async close() {
      for (const context of contexts) await context.close();
      await browser.close();
      await stack.close();
    },
  };
}

/** Chromium logs every answer above 399 by itself; what the page makes of it is what the tests look at. */
function isExpected(message: string): boolean {
  return message.startsWith('Failed to load resource');
}

export function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run \`npm test\`, which builds the web app and finds a browser`);
  return value;
}

/** Types a question and sends it by the keyboard. */
export async function ask(page: Page, question: string): Promise<void> {
  await page.getByLabel('메시지', { exact: true }).fill(question);
  await page.keyboard.press('Enter');
}
