import { cp, mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Browser } from 'playwright-core';
import { SetupError } from '../domain/setup-error.ts';
import { CHROMIUM_FLAGS, findChromium } from '../scripts/services/chromium.ts';
import { say } from '../scripts/services/say.ts';
import { buildWeb } from '../scripts/web-build.ts';
import { spreadOf, type Spread } from './figures.ts';
import { answerOf, CONTENTS, PAGES, type Content, runPage, type PageName, type PageRun } from './pages.ts';
import { MACHINE, runBench, unlessStopped, wholeNumber } from './program.ts';
import { openStage, type Stage } from './stage.ts';

const HELP = `npm run bench:web -- [options]

What the page costs in a real Chromium. In one run and in turn, each time in a browser of its own with nothing cached, it opens
  turnkeeper  the web app as it is built and served, signed in
  bare        a page that appends each delta of the same stream to one text node
from the same service (as \`npm start\` runs it) and asks there for an answer, of 50 deltas a second with headings, lists, tables and code, or with
--content one of 100 a second that is a long list, 20 KB of code, a table, 1,000 link definitions or one word of 50 KB in a code block:
  largest paint   largest contentful paint, from the navigation
  busy            the main thread's share of the time while the answer streams
  long tasks      tasks above 50 ms meanwhile, and the longest, by the clock and by what it took of a processor
Nothing else should run meanwhile: browser, service and model share these cores, so read the ratios.

  --runs N      of each page (default 7)
  --seconds N   of each answer (default 10, at most 15: so much fits into an answer)
  --content C   sections (default), list, code, table, links or word
  --json        one JSON object on standard output instead of a table
  --help`;

/** Long answers are not cut. */
const MODELS = JSON.stringify([
  { name: 'gpt-4.1-mini', contextWindow: 1_000_000, maxOutputTokens: 32_768, defaultOutputTokens: 32_768 },
]);

const FIGURES = [
  'largestPaintMs',
  'busyShare',
  'longTasks',
  'longTaskMs',
  'longestTaskMs',
  'longestTaskCpuMs',
] as const satisfies readonly (keyof PageRun)[];
const NAMES = Object.keys(PAGES) as PageName[];

interface Line {
  readonly figure: (typeof FIGURES)[number];
  readonly turnkeeper: Spread;
  readonly bare: Spread;
  /** Ratio of each pair of runs; null where the bare page has none. */
  readonly ratio: Spread | null;
}

async function main(stopping: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string' },
      seconds: { type: 'string' },
      content: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const [runs, seconds] = [
    wholeNumber('--runs', values.runs ?? '7', { least: 1, most: 100 }),
    wholeNumber('--seconds', values.seconds ?? '10', { least: 1, most: 15 }),
  ];
  const content = CONTENTS.find((name) => name === (values.content ?? 'sections'));
  if (content === undefined) throw new SetupError(`--content is one of ${CONTENTS.join(', ')}`);
  const [executablePath, built] = [await findChromium(stopping), await buildWeb(stopping)];
  const webDir = await mkdtemp(join(tmpdir(), 'turnkeeper-pages-'));
  let stage: Stage | null = null;
  let browser: Browser | null = null;
  try {
    for (const folder of [built, join(import.meta.dirname, 'bare-page')]) await cp(folder, webDir, { recursive: true });
    stage = await openStage(stopping, { layout: 'one', pids: new Map(), webDir, settings: { MODELS } });
    browser = await chromium.launch({
      executablePath,
      args: CHROMIUM_FLAGS,
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
    const lines = await unlessStopped(stopping, measure(browser, stage, { runs, seconds, content }));
    const machine = { ...MACHINE, chromium: browser.version() };
    process.stdout.write(
      `${values.json === true ? JSON.stringify({ machine, content, runs, seconds, lines }, null, 2) : textOf(lines, `${content}: ${runs} runs of ${seconds} s, load ${loadavg()[0]?.toFixed(1)}; ${machine.cores} cores (${machine.cpu}), Chromium ${machine.chromium}`)}\n`,
    );
  } finally {
    await browser?.close();
    await stage?.close();
    await rm(webDir, { recursive: true, force: true });
  }
}

/**
 * @returns each figure over all runs. The first run of each page is not counted, because it compiles the service and
 *   fills its caches.
 */
async function measure(
  browser: Browser,
  { urls: [url = ''], people }: Stage,
  { runs, seconds, content }: { runs: number; seconds: number; content: Content },
): Promise<Line[]> {
  const seen: Record<PageName, PageRun[]> = { turnkeeper: [], bare: [] };
  for (let run = 0; run <= runs; run += 1) {
    say(run === 0 ? 'warming up' : `run ${run} of ${runs}`);
    const person = people[run % people.length];
    if (person === undefined) throw new Error('nobody asks');
    // The pages take turns at being first.
    for (const name of run % 2 === 0 ? NAMES : NAMES.toReversed()) {
      const measured = await runPage(browser, url, name, person, answerOf(content, run === 0 ? 1 : seconds));
      if (run > 0) seen[name].push(measured);
    }
  }
  return FIGURES.map((figure) => {
    const of = (name: PageName) => seen[name].map((measured) => measured[figure]);
    const bare = of('bare');
    return {
      figure,
      turnkeeper: spreadOf(of('turnkeeper')),
      bare: spreadOf(bare),
      ratio: bare.some((value) => value === 0)
        ? null
        : spreadOf(of('turnkeeper').map((value, i) => value / (bare[i] ?? Number.NaN))),
    };
  });
}

const SHOWN = {
  largestPaintMs: ['largest paint, ms', 1, 0],
  busyShare: ['busy, %', 100, 1],
  longTasks: ['long tasks', 1, 0],
  longTaskMs: ['long tasks, ms', 1, 0],
  longestTaskMs: ['longest task, ms', 1, 0],
  longestTaskCpuMs: ['… of a processor', 1, 0],
} as const satisfies Record<(typeof FIGURES)[number], readonly [string, number, number]>;

function textOf(lines: readonly Line[], title: string): string {
  const spread = ({ median, least, most }: Spread, times: number, digits: number) =>
    `${(median * times).toFixed(digits)} (${(least * times).toFixed(digits)}…${(most * times).toFixed(digits)})`;
  const row = (first: string, ...cells: readonly string[]) =>
    `${first.padEnd(18)}${cells.map((cell) => cell.padStart(22)).join('')}`;
  return [
    title,
    row('', 'turnkeeper', 'bare', 'ratio'),
    ...lines.map(({ figure, turnkeeper, bare, ratio }) => {
      const [label, times, digits] = SHOWN[figure];
      return row(
        label,
        spread(turnkeeper, times, digits),
        spread(bare, times, digits),
        ratio === null ? '' : spread(ratio, 1, 1),
      );
    }),
  ].join('\n');
}

await runBench(main);
