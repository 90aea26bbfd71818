import { parseArgs } from 'node:util';
import { countFailures, listTurns } from '../db/reports/admin-turns.ts';
import { openDatabase, type Database } from '../db/database.ts';
import type { TurnFilter } from '../domain/turn-filter.ts';
import { startPostgres } from '../scripts/services/postgres/postgres.ts';
import { openKeptServices } from './kept-services.ts';
import { judge, textOf, timed, type Line } from './lines.ts';
import { MACHINE, MANY, runBench, unlessStopped, wholeNumber } from './program.ts';
import { conversationOf, HOT_USER, NEWEST } from './seed-turns.ts';
import { findSeededTurns } from './seeded.ts';

const HELP = `npm run bench:turns -- [options]

What \`GET /api/admin/turns\` costs over many turns, as functions of the program, without HTTP: for each filter the first page of 100, one from the
middle of all turns, and the counts by code that come with the first. The database is seeded once and kept below .turnkeeper/bench-turns (or on
DATABASE_URL's server, whose user must be a superuser to seed) under a name of its own; 10 million turns take about 6 GB.

  --rows N  turns (default 1000000)
  --json    one JSON object on standard output instead of a table
  --help`;

/**
 * Milliseconds. A page has the same target everywhere (docs/performance.md, The books); counts stop at 10,000 a code,
 * so they have a bound too.
 */
const TARGETS = { page: 50, counts: 250 } as const;

async function main(stopping: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    options: { rows: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const rows = wholeNumber('--rows', values.rows ?? '1000000', MANY);
  const bench = await openKeptServices('bench-turns', stopping);
  try {
    const postgres = await bench.parts.start(startPostgres(bench.context, process.env['DATABASE_URL']));
    const lines = await unlessStopped(stopping, run(postgres.url, rows));
    process.stdout.write(
      values.json === true
        ? `${JSON.stringify({ machine: MACHINE, rows, lines }, null, 2)}\n`
        : textOf(lines, `${rows} turns; ${MACHINE.cores} cores (${MACHINE.cpu}), node ${MACHINE.node}`),
    );
  } finally {
    await bench.close();
  }
}

async function run(server: string, rows: number): Promise<Line[]> {
  const database = await openDatabase({ url: await findSeededTurns(server, rows), poolMax: 4 });
  try {
    return await measure(database, rows);
  } finally {
    await database.close();
  }
}

async function measure(database: Database, rows: number): Promise<Line[]> {
  const lines: Line[] = [];
  const middle = NEWEST - 180 * 86_400_000;
  const { nextCursor: deep } = await listTurns(database, { filter: { to: middle }, limit: 1, cursor: null });
  for (const [what, filter] of Object.entries(filters(rows))) {
    const page = (cursor: string | null) => () => listTurns(database, { filter, limit: 100, cursor });
    lines.push(judge(await timed(`${what}: first page`, 100, page(null)), 'most', TARGETS.page));
    lines.push(judge(await timed(`${what}: from the middle`, 100, page(deep)), 'most', TARGETS.page));
    lines.push(
      judge(await timed(`${what}: counts`, 20, () => countFailures(database, filter)), 'most', TARGETS.counts),
    );
  }
  return lines;
}

/** The filters of the list, each measured. */
function filters(rows: number): Record<string, TurnFilter> {
  const day = { from: NEWEST - 30 * 86_400_000, to: NEWEST - 29 * 86_400_000 };
  return {
    all: {},
    failed: { state: 'failed' },
    stopped: { state: 'stopped' },
    refused: { state: 'refused' },
    'a frequent code': { code: 'model_timeout' },
    'a rare code': { code: 'context_length' },
    'a user': { userId: 77 },
    'a user of a tenth of all': { userId: HOT_USER },
    'a user’s failed': { userId: HOT_USER, state: 'failed' },
    'a user’s rare code': { userId: HOT_USER, code: 'context_length' },
    'a model': { model: 'b' },
    'a rare model': { model: 'rare' },
    'a rare model’s failed': { model: 'rare', state: 'failed' },
    'a conversation': { conversationId: conversationOf(Math.floor(rows / 40)) },
    'a day': day,
    'a day’s failed': { ...day, state: 'failed' },
    replayed: { replayed: true },
    'failed and never replayed': { state: 'failed', replayed: false },
  };
}

await runBench(main);
