import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { countFailures, listTurns } from '../db/admin-turns.ts';
import { openDatabase, type Database } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import type { TurnFilter } from '../domain/turn-filter.ts';
import { startPostgres } from '../scripts/services/postgres.ts';
import { say, SetupError } from '../scripts/services/say.ts';
import { openGround } from './ground.ts';
import { countOf, judge, textOf, timed, type Line } from './lines.ts';
import { conversationOf, HOT_USER, NEWEST, seedTurns } from './seed-turns.ts';

const HELP = `npm run bench:turns -- [options]

What \`GET /api/admin/turns\` costs over many turns, as functions of the program, without HTTP: for each filter the first page of 100, one from the
middle of all turns, and the counts by code that come with the first. The database is seeded once and kept below .turnkeeper/bench-turns (or on
DATABASE_URL's server, whose user must be a superuser to seed) under a name of its own; 10 million turns take about 6 GB.

  --rows N  turns (default 1000000)
  --json    one JSON object on standard output instead of a table
  --help`;

/** The target of any page (issue of the statistics); counts stop at 10,000 a code, so they have a bound too. */
const TARGETS = { page: 50, counts: 250 } as const;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { rows: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const rows = countOf('--rows', values.rows ?? '1000000');
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());
  const bench = await openGround('bench-turns', stopping.signal);
  try {
    const postgres = await bench.parts.start(startPostgres(bench.ground, process.env['DATABASE_URL']));
    const interrupted = new Promise<never>((_, reject) => stopping.signal.addEventListener('abort', () => reject(new SetupError('interrupted'))));
    const lines = await Promise.race([run(postgres.url, rows), interrupted]);
    const machine = { cores: cpus().length, cpu: cpus()[0]?.model ?? 'unknown', node: process.version };
    process.stdout.write(values.json === true ? `${JSON.stringify({ machine, rows, lines }, null, 2)}\n` : textOf(lines, `${rows} turns; ${machine.cores} cores (${machine.cpu}), node ${machine.node}`));
  } finally {
    await bench.close();
  }
}

async function run(server: string, rows: number): Promise<Line[]> {
  const database = await openDatabase({ url: await findSeeded(server, rows), poolMax: 4 });
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
    lines.push(judge(await timed(`${what}: counts`, 20, () => countFailures(database, filter)), 'most', TARGETS.counts));
  }
  return lines;
}

/** Each way in, and what is checked on the way. */
function filters(rows: number): Record<string, TurnFilter> {
  const day = { from: NEWEST - 30 * 86_400_000, to: NEWEST - 29 * 86_400_000 };
  return {
    'all': {},
    'failed': { state: 'failed' },
    'stopped': { state: 'stopped' },
    'refused': { state: 'refused' },
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
    'replayed': { replayed: true },
    'failed and never replayed': { state: 'failed', replayed: false },
  };
}

async function findSeeded(server: string, rows: number): Promise<string> {
  const hash = createHash('sha256').update(readFileSync(new URL('./seed-turns.ts', import.meta.url))).digest('hex').slice(0, 8);
  const name = `turnkeeper_bench_turns_${rows}_${hash}`;
  const client = await connect(server);
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) await create(client, server, name, rows);
    else say(`using ${name}, seeded before`);
    return urlOf(server, name);
  } finally {
    await client.end();
  }
}

/** Under another name until it is whole, so that a seeding that was interrupted is never taken for one. */
async function create(client: Client, server: string, name: string, rows: number): Promise<void> {
  const part = `${name}_new`;
  await client.query(`drop database if exists ${part}`);
  await client.query(`create database ${part}`);
  const database = await openDatabase({ url: urlOf(server, part), poolMax: 2 });
  await migrate(database);
  await database.close();
  const began = performance.now();
  const seeding = await connect(urlOf(server, part));
  await seedTurns(seeding, rows, say);
  await seeding.end();
  await client.query(`alter database ${part} rename to ${name}`);
  say(`seeded ${name} in ${Math.round((performance.now() - began) / 1_000)} s`);
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

function urlOf(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}

try {
  await main();
  process.exit(0);
} catch (error) {
  say(error instanceof SetupError ? error.message : String(error instanceof Error ? error.stack : error));
  process.exit(1);
}
