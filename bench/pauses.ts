import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { freePort } from '../scripts/services/port.ts';
import { say } from '../scripts/services/say.ts';
import { percentile } from './figures.ts';
import { MACHINE, runBench, unlessStopped, wholeNumber } from './program.ts';
import { seedLongReads } from './seed-long-reads.ts';
import { openStage, type Stage } from './stage.ts';
import { worstOf, type Asked, type Operation } from './worst-inputs.ts';

const HELP = `npm run bench:pauses -- [options]

The longest pause of the event loop that a single request causes, over all routes of the OpenAPI document: the service runs as \`npm start\` runs
it, a person has 5,000 conversations and one of 200 turns of 32,000 characters each, and every route gets what is worst for it by size, count,
depth and range. Each request is sent several times; the median of its longest pauses counts, because a garbage collection or another process may
fall into any one.

  --times N   of each request (default 5)
  --json      one JSON object on standard output instead of a table
  --help`;

const TARGET_MS = 50;

/** A refusal by a limit would measure nothing. */
const UNLIMITED = { READS_PER_SECOND: '100000', SENDS_PER_MINUTE: '100000' };

interface Line {
  readonly route: string;
  readonly what: string;
  readonly status: number;
  /** Milliseconds: of the requests' longest pauses. */
  readonly median: number;
  readonly most: number;
}

async function main(stopping: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    options: { times: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const times = wholeNumber('--times', values.times ?? '5', { least: 1, most: 1_000 });
  const port = await freePort();
  const probe = new URL(`./pause-probe.ts?port=${port}`, import.meta.url).href;
  const stage = await openStage(stopping, {
    layout: 'one',
    pids: new Map(),
    nodeFlags: [`--import=${probe}`],
    settings: UNLIMITED,
  });
  try {
    const lines = await unlessStopped(stopping, measure(stage, `http://127.0.0.1:${port}/`, times));
    process.stdout.write(
      values.json === true ? `${JSON.stringify({ machine: MACHINE, times, lines }, null, 2)}\n` : textOf(lines, times),
    );
  } finally {
    await stage.close();
  }
}

async function measure(
  { urls: [url = ''], people, postgresUrl }: Stage,
  probe: string,
  times: number,
): Promise<Line[]> {
  const [person] = people;
  if (person === undefined) throw new Error('nobody asks');
  const client = new Client({ connectionString: postgresUrl });
  await client.connect();
  const me = await fetch(`${url}/api/me`, { headers: { authorization: `Bearer ${person.token}` } });
  const { userId } = (await me.json()) as { userId: number };
  // One more than is measured, for the first is not counted.
  const known = await seedLongReads(client, { userId, toDelete: times + 1 });
  await client.end();
  const share = await fetch(`${url}/api/conversations/${known.conversationId}/shares`, {
    method: 'POST',
    headers: { authorization: `Bearer ${person.token}`, 'content-type': 'application/json' },
    body: '{}',
  });
  const { token } = (await share.json()) as { token: string };
  const longest = async () => Number(await (await fetch(probe)).text());
  const lines: Line[] = [];
  const add = async (route: string, what: string, run: (nth: number) => Promise<number>) => {
    const pauses: number[] = [];
    let status = 0;
    // The first is not counted: it compiles what the others use.
    for (let n = 0; n <= times; n += 1) {
      await longest();
      status = await run(n);
      if (n > 0) pauses.push(await longest());
    }
    lines.push({ route, what, status, median: percentile(pauses, 0.5), most: percentile(pauses, 1) });
  };
  await add('nothing', 'for 50 ms', () => new Promise((resolve) => setTimeout(() => resolve(0), 50)));
  for (const operation of await operationsOf(url)) {
    say(`${operation.method} ${operation.path}`);
    for (const [what, asked] of worstOf(operation, { ...known, token }))
      await add(`${operation.method.toUpperCase()} ${operation.path}`, what, (nth) =>
        send(url, person.token, asked, nth),
      );
  }
  return lines;
}

/** Every route of the document, so that a new one is measured, too. */
async function operationsOf(url: string): Promise<Operation[]> {
  const document = (await (await fetch(`${url}/api/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { requestBody?: unknown }>>;
  };
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { requestBody }]) => ({
      method,
      path,
      takesBody: requestBody !== undefined,
    })),
  );
  return [
    ...['/api/openapi.json', '/api/docs', '/api/docs/swagger-ui-bundle.js'].map((path) => ({
      method: 'get',
      path,
      takesBody: false,
    })),
    ...described,
  ];
}

/** @returns the status, once the whole answer is read; of a stream, once it has begun. */
async function send(url: string, token: string, { method, paths, body, headers }: Asked, nth: number): Promise<number> {
  const gone = new AbortController();
  const response = await fetch(`${url}${paths[nth % paths.length]}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      prefer: 'respond-async',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    signal: gone.signal,
    ...(body === undefined ? {} : { body }),
  });
  if (response.headers.get('content-type')?.startsWith('text/event-stream') === true) gone.abort();
  else await response.arrayBuffer();
  return response.status;
}

function textOf(lines: readonly Line[], times: number): string {
  const worst = lines.toSorted((a, b) => b.median - a.median);
  const over = worst.filter(({ median }) => median > TARGET_MS).length;
  const rows = worst.map(
    ({ route, what, status, median, most }) =>
      `| ${`\`${route}\``.padEnd(56)} | ${what.replaceAll('|', ' ').padEnd(40)} | ${status} | ${median.toFixed(0).padStart(6)} | ${most.toFixed(0).padStart(6)} |`,
  );
  return [
    `${times} times each; ${MACHINE.cores} cores (${MACHINE.cpu}), node ${MACHINE.node}; milliseconds`,
    `| ${'route'.padEnd(56)} | ${'input'.padEnd(40)} |     | median |   most |`,
    `| ${'-'.repeat(56)} | ${'-'.repeat(40)} | --- | -----: | -----: |`,
    ...rows,
    over === 0
      ? `All of ${lines.length} within ${TARGET_MS} ms.`
      : `${over} of ${lines.length} beyond ${TARGET_MS} ms.`,
    '',
  ].join('\n');
}

await runBench(main);
