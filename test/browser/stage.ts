import { setTimeout as sleep } from 'node:timers/promises';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Locator,
  type Page,
  type Request,
} from 'playwright-core';
import { CHROMIUM_FLAGS } from '../../scripts/services/chromium.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

/** Requests that stay open as long as there is something to tell. */
const STREAMS = /\/(events|send|retry)$/;

/** The icon: a page of the same origin without the app. */
export const BLANK = '/favicon.svg';

/** `once`: the test changes the browser for good (gives it another clock, for example), so no other test gets it. */
export type BrowserOptions = BrowserContextOptions & {
  readonly viewport?: { width: number; height: number };
  readonly once?: boolean;
};

const WIDE = { width: 1280, height: 800 };

/** Real browsers in front of a service that serves the web app. */
export interface Browsers {
  readonly browser: Browser;
  /** A signed-out page of a browser that no other test uses meanwhile. */
  visit(path: string, options?: BrowserOptions): Promise<Page>;
  /** A page signed in with the person's key, as after a reload of a tab that stays signed in. */
  visitAs(person: Person, path: string, options?: BrowserOptions): Promise<Page>;
  /** Waits until the page has all that it asked for; its streams stay open. */
  settled(page: Page): Promise<void>;
  /** Errors since the last call: uncaught errors, the console's errors, and refusals of the page's policy. */
  complaints(): string[];
  /**
   * Leaves every page, so that none goes on working during the next test.
   * @returns their errors.
   */
  leave(): Promise<string[]>;
  close(): Promise<void>;
}

/** The real service with the built web app, in this process. */
export interface Stage extends Browsers {
  readonly stack: TestStack;
  /** The streams that are open at the server now; a page whose turns have ended has only its feed. */
  openStreams(): Promise<number>;
}

export async function openStage(env: Record<string, string> = {}): Promise<Stage> {
  const stack = await startTestStack({ WEB_DIR: required('TEST_WEB_DIR'), ...env });
  const browsers = await openBrowsers(stack.url);
  return {
    ...browsers,
    stack,
    async openStreams() {
      return Number(/^turnkeeper_open_streams (\d+)$/m.exec(await stack.metrics.render())?.[1]);
    },
    async close() {
      await browsers.close();
      await stack.close();
    },
  };
}

export async function openBrowsers(baseURL: string): Promise<Browsers> {
  const browser = await chromium.launch({ executablePath: required('TEST_CHROMIUM'), args: CHROMIUM_FLAGS });
  const complaints: string[] = [];
  const asking = new Map<BrowserContext, Set<Request>>();
  /**
   * Browsers by their options, kept for later tests: opening one and filling its caches takes 1.2 s of CPU time, more
   * than most tests do.
   */
  const rested = new Map<string, Page[]>();
  const taken = new Map<Page, { readonly kind: string; readonly once: boolean }>();
  async function open(options: BrowserContextOptions): Promise<Page> {
    const context = await browser.newContext({
      baseURL,
      locale: 'ko-KR',
      timezoneId: 'Asia/Seoul',
      viewport: WIDE,
      reducedMotion: 'reduce',
      ...options,
    });
    context.setDefaultTimeout(60_000);
    const underWay = new Set<Request>();
    asking.set(context, underWay);
    context.on('request', (request) => {
      if (!STREAMS.test(request.url())) underWay.add(request);
    });
    context.on('requestfinished', (request) => underWay.delete(request));
    context.on('requestfailed', (request) => underWay.delete(request));
    context.on('weberror', (error) => complaints.push(String(error.error().stack)));
    context.on('console', (message) => {
      if (message.type() === 'error' && !isExpected(message.text())) complaints.push(message.text());
    });
    return context.newPage();
  }
  async function take({
    once = false,
    viewport = WIDE,
    colorScheme = 'light',
    ...options
  }: BrowserOptions = {}): Promise<Page> {
    const kind = JSON.stringify(options);
    const page = rested.get(kind)?.pop() ?? (await open(options));
    taken.set(page, { kind, once });
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    return page;
  }
  /** Makes the page as good as new. */
  async function rest(page: Page, kind: string): Promise<void> {
    const context = page.context();
    await Promise.all(
      context
        .pages()
        .filter((other) => other !== page)
        .map((other) => other.close()),
    );
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.goto(BLANK);
    await context.clearCookies();
    await page.evaluate(() => {
      sessionStorage.clear();
      localStorage.clear();
    });
    asking.get(context)?.clear();
    rested.set(kind, [...(rested.get(kind) ?? []), page]);
  }
  return {
    browser,
    async visit(path, options) {
      const page = await take(options);
      await page.goto(path);
      return page;
    },
    async visitAs(person, path, options) {
      const page = await take(options);
      await signInAs(page, person);
      await page.goto(path);
      return page;
    },
    async settled(page) {
      await page.waitForLoadState();
      for (let idle = 0; idle < 10; await sleep(20)) idle = asking.get(page.context())?.size === 0 ? idle + 1 : 0;
    },
    complaints: () => complaints.splice(0),
    async leave() {
      const collected = complaints.splice(0);
      await Promise.all(
        [...taken].map(async ([page, { kind, once }]) => {
          // A failed test may leave a page that cannot navigate.
          if (
            once ||
            !(await rest(page, kind).then(
              () => true,
              () => false,
            ))
          )
            await page.context().close();
        }),
      );
      taken.clear();
      complaints.splice(0);
      return collected;
    },
    async close() {
      await Promise.all(browser.contexts().map((context) => context.close()));
      await browser.close();
    },
  };
}

/**
 * Opens a file of the same origin first: the key is there before the app looks for it, and other tabs have to ask for
 * it.
 */
export async function signInAs(page: Page, { token }: Person): Promise<void> {
  if (!page.url().endsWith(BLANK)) await page.goto(BLANK);
  await page.evaluate((key) => sessionStorage.setItem('turnkeeper.token', key), token);
}

/** Chromium itself logs every status above 399. Tests look only at what the page makes of it. */
function isExpected(message: string): boolean {
  return message.startsWith('Failed to load resource');
}

export function required(name: string): string {
  const value = process.env[name];
  if (value === undefined)
    throw new Error(`${name} is not set: run \`npm test\`, which builds the web app and finds a browser`);
  return value;
}

/** Types a question and sends it by the keyboard. */
export async function ask(page: Page, question: string): Promise<void> {
  await page.getByLabel('메시지', { exact: true }).fill(question);
  await page.keyboard.press('Enter');
}

/**
 * Asks again for what could not be shown, until nothing on the page offers it. A part that has come back by itself
 * meanwhile, or that takes its time, is no matter: each look presses the buttons that are there.
 */
export async function askAgain(page: Page): Promise<void> {
  const buttons = page.getByRole('button', { name: '다시 시도' });
  await until(async () => {
    await buttons.evaluateAll((all) => {
      for (const button of all) (button as HTMLElement).click();
    });
    return (await buttons.count()) === 0;
  });
}

/** Waits until it has the focus, as after a dialog has left. */
export async function focused(control: Locator): Promise<void> {
  await control.and(control.page().locator(':focus')).waitFor();
}
