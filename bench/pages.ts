import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { mark } from '../test/fake-model/scenario.ts';
import type { Person } from './contenders.ts';

/**
 * Two pages that are used alike: a field for the question, Enter, and the answer in an element of the class `answer`.
 */
export const PAGES = { turnkeeper: '/', bare: '/bare.html' } as const;
export type PageName = keyof typeof PAGES;

/** What one page costs, from its opening to the end of an answer. */
export interface PageRun {
  /** Milliseconds from the navigation, with nothing cached. */
  readonly largestPaintMs: number;
  /** The main thread's busy share while the answer streamed, and right after. */
  readonly busyShare: number;
  /** Tasks above 50 ms in that time: their number, and their milliseconds together. */
  readonly longTasks: number;
  readonly longTaskMs: number;
}

/** An answer of 50 deltas a second, each of a token or two, with headings, lists, tables and code. */
export function answerOf(seconds: number): { chunks: readonly string[]; delayMs: number } {
  const chunks: string[] = [];
  for (let part = 1; chunks.length < seconds * 50; part += 1) chunks.push(...(section(part).match(/[^]{1,4}/g) ?? []));
  return { chunks: [...chunks.slice(0, seconds * 50), END], delayMs: 20 };
}

const END = '\n\n여기까지입니다.';

function section(part: number): string {
  return `## ${part}번째 코스\n\n북악산 성곽길은 **한나절**이면 충분하고, \`창의문\`에서 시작합니다. 길이 가파르니 물을 넉넉히 챙기세요.\n\n1. 창의문에서 출발\n2. 백악 쉼터에서 휴식\n3. 숙정문을 지나 하산\n
| 시간 | 장소 |\n|---|---|\n| 09:00 | 창의문 |\n| 11:00 | 숙정문 |\n\n\`\`\`ts\nconst course${part} = walk('bugak', { hours: 3 });\nreport(course${part});\n\`\`\`\n\n`;
}

/** Records paints and long tasks from the page's start. It is a string, because it runs in the browser. */
const OBSERVE = `
  window.seen = { paint: 0, tasks: [] };
  new PerformanceObserver((list) => { for (const { startTime } of list.getEntries()) seen.paint = startTime; }).observe({ type: 'largest-contentful-paint', buffered: true });
  new PerformanceObserver((list) => { for (const { startTime, duration } of list.getEntries()) seen.tasks.push([startTime, duration]); }).observe({ type: 'longtask', buffered: true });`;
/** By then the page has drawn everything. */
const DRAWN_AFTER_MS = 1_000;

/** The time measured after the last delta: what a page does when an answer has ended is part of its cost. */
const ENDS_WITHIN_MS = 500;
const SHOWN_WITHIN_MS = 30_000;

/**
 * Opens the page in a browser of its own and asks there.
 * @throws when the page does not show the answer's end: a failure must not count as fast.
 */
export async function runPage(
  browser: Browser,
  url: string,
  name: PageName,
  person: Person,
  answer: ReturnType<typeof answerOf>,
): Promise<PageRun> {
  const context = await browser.newContext({ baseURL: url, locale: 'ko-KR', viewport: { width: 1_280, height: 800 } });
  try {
    const page = await context.newPage();
    await page.goto('/favicon.svg');
    await page.evaluate(`sessionStorage.setItem('turnkeeper.token', ${JSON.stringify(person.token)})`);
    await page.addInitScript({ content: OBSERVE });
    await page.goto(PAGES[name]);
    const field = page.getByLabel('메시지', { exact: true });
    await field.waitFor();
    await sleep(DRAWN_AFTER_MS);
    const largestPaintMs = await page.evaluate<number>('seen.paint');
    const cdp = await context.newCDPSession(page);
    // threadTicks counts CPU time, so other processes of a busy machine are left out.
    await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
    await field.fill(`걷기 좋은 길 ${mark(answer)}`);
    const sent = page.waitForResponse((response) => response.url().endsWith('/api/chat/send'));
    await field.press('Enter');
    await sent;
    // Nothing looks into the page between the two readings, because looking would be work of its main thread.
    const [begin, from] = [await taskTime(cdp), await page.evaluate<number>('performance.now()')];
    await sleep(answer.chunks.length * answer.delayMs + ENDS_WITHIN_MS);
    const end = await taskTime(cdp);
    await showsEnd(page);
    const tasks = await page.evaluate<[number, number][]>(`seen.tasks.filter(([at]) => at >= ${from})`);
    return {
      largestPaintMs,
      busyShare: (end.busy - begin.busy) / (end.at - begin.at),
      longTasks: tasks.length,
      longTaskMs: tasks.reduce((sum, [, duration]) => sum + duration, 0),
    };
  } finally {
    await context.close();
  }
}

async function taskTime(cdp: CDPSession): Promise<{ at: number; busy: number }> {
  const { metrics } = await cdp.send('Performance.getMetrics');
  const read = (wanted: string) => metrics.find(({ name }) => name === wanted)?.value ?? Number.NaN;
  return { at: read('Timestamp'), busy: read('TaskDuration') };
}

async function showsEnd(page: Page): Promise<void> {
  await page.locator('.answer').last().getByText(END.trim()).waitFor({ timeout: SHOWN_WITHIN_MS });
}
