import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { mark, type Scenario } from '../test/fake-model/scenario.ts';
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
  /** The longest of them, 0 where there is none. */
  readonly longestTaskMs: number;
  /** What the most expensive task took of a processor: the page's own part, whatever else the machine does. */
  readonly longestTaskCpuMs: number;
}

/** What the fake model says, and in how many deltas. */
export interface Answer extends Pick<Scenario, 'chunks' | 'delayMs' | 'honourLimit'> {
  readonly deltas: number;
  readonly delayMs: number;
}

const END = '\n\n여기까지입니다.';

/** Kinds of answers that once froze the page: what comes before the deltas, each of them, and what follows. */
const KINDS = {
  list: ['', '- {n}번째 길에서는 물을 **넉넉히** 챙기세요.\n', ''],
  code: ['```ts\n', 'let a{n} = go({n});\n', '```'],
  table: ['| 시간 | 장소 | 메모 |\n|---|---|---|\n', '| {n} | 창의문 | **물** |\n', ''],
  links: ['', '[길 {n}][a{n}]\n\n[a{n}]: https://example.com/{n}\n\n', ''],
  word: ['```\n', '가나다라abcd'.repeat(5), '\n```'],
} as const;

export const CONTENTS = ['sections', 'list', 'code', 'table', 'links', 'word'] as const;
export type Content = (typeof CONTENTS)[number];

/**
 * An answer of 50 deltas a second, each of a token or two, with headings, lists, tables and code; or of 100 a second of
 * one kind: in ten seconds a list of 1,000 items, 20 KB of code, 1,000 rows, 1,000 link definitions, a word of 50 KB.
 */
export function answerOf(content: Content, seconds: number): Answer {
  if (content !== 'sections') {
    const [open, text, close] = KINDS[content];
    const deltas = seconds * 100;
    return { deltas, delayMs: 10, honourLimit: false, chunks: { count: deltas, text, open, close: close + END } };
  }
  const chunks: string[] = [];
  for (let part = 1; chunks.length < seconds * 50; part += 1) chunks.push(...(section(part).match(/[^]{1,4}/g) ?? []));
  return { deltas: seconds * 50, delayMs: 20, chunks: [...chunks.slice(0, seconds * 50), END] };
}

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
  answer: Answer,
): Promise<PageRun> {
  const context = await browser.newContext({
    baseURL: url,
    locale: 'ko-KR',
    viewport: { width: 1_280, height: 800 },
    // The service lets no page run scripts but its own.
    bypassCSP: name === 'bare',
  });
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
    const { deltas, ...scenario } = answer;
    await field.fill(`걷기 좋은 길 ${mark(scenario)}`);
    await browser.startTracing(page, { categories: ['toplevel'] });
    const sent = page.waitForResponse((response) => response.url().endsWith('/api/chat/send'));
    await field.press('Enter');
    await sent;
    // Nothing looks into the page between the two readings, because looking would be work of its main thread.
    const [begin, from] = [await taskTime(cdp), await page.evaluate<number>('performance.now()')];
    await sleep(deltas * answer.delayMs + ENDS_WITHIN_MS);
    const end = await taskTime(cdp);
    const trace = await browser.stopTracing();
    await showsEnd(page);
    const tasks = await page.evaluate<[number, number][]>(`seen.tasks.filter(([at]) => at >= ${from})`);
    return {
      largestPaintMs,
      busyShare: (end.busy - begin.busy) / (end.at - begin.at),
      longTasks: tasks.length,
      longTaskMs: tasks.reduce((sum, [, duration]) => sum + duration, 0),
      longestTaskMs: Math.max(0, ...tasks.map(([, duration]) => duration)),
      longestTaskCpuMs: longestOf(trace),
    };
  } finally {
    await context.close();
  }
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds of a processor; of an event that has ended. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** The most expensive task of the busiest main thread of a page, in milliseconds of a processor. */
function longestOf(trace: Buffer): number {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: readonly TraceEvent[] };
  const keyOf = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  const mains = new Map<string, { sum: number; longest: number }>();
  for (const event of traceEvents)
    if (event.name === 'thread_name' && event.args?.name === 'CrRendererMain')
      mains.set(keyOf(event), { sum: 0, longest: 0 });
  for (const event of traceEvents) {
    const main = mains.get(keyOf(event));
    if (main === undefined || event.tdur === undefined) continue;
    main.sum += event.tdur;
    main.longest = Math.max(main.longest, event.tdur);
  }
  const [busiest] = [...mains.values()].sort((a, b) => b.sum - a.sum);
  if (busiest === undefined || busiest.sum === 0) throw new Error('the trace has no task of a page');
  return busiest.longest / 1_000;
}

async function taskTime(cdp: CDPSession): Promise<{ at: number; busy: number }> {
  const { metrics } = await cdp.send('Performance.getMetrics');
  const read = (wanted: string) => metrics.find(({ name }) => name === wanted)?.value ?? Number.NaN;
  return { at: read('Timestamp'), busy: read('TaskDuration') };
}

async function showsEnd(page: Page): Promise<void> {
  await page.locator('.answer').last().getByText(END.trim()).waitFor({ timeout: SHOWN_WITHIN_MS });
}
