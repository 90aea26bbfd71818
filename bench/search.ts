import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { listConversations } from '../db/conversations/conversations.ts';
import { openDatabase, type Database } from '../db/database.ts';
import { candidates } from '../db/conversations/search.ts';
import { startPostgres } from '../scripts/services/postgres/postgres.ts';
import { percentile } from './figures.ts';
import { openKeptServices } from './kept-services.ts';
import { timed } from './lines.ts';
import { MACHINE, MANY, runBench, unlessStopped, wholeNumber } from './program.ts';
import { BUSY_USER, PLAIN_USER } from './seed-search.ts';
import { findSeededSearch } from './seeded.ts';

const HELP = `npm run bench:search -- [options]

What \`GET /api/conversations?search=\` costs over many messages, as a function of the program, without HTTP: words of one, two and five syllables, for
a person like most and for one who has a tenth of all messages. It fails where a search does not use the index of texts. The database is seeded once
and kept below .turnkeeper/bench-search (or on DATABASE_URL's server, whose user must be a superuser to seed); a million messages take about 2 GB.

  --messages N  questions and answers (default 1000000)
  --json        one JSON object on standard output instead of a table
  --help`;

/** Milliseconds within which 95 of 100 searches answer. */
const TARGET_P95 = 150;

/** As they stand in the vocabulary of seed-search.ts. */
const SOUGHT = {
  'one syllable, common': '행',
  'one syllable, rare': '벚',
  'two syllables, common': '여행',
  'two syllables, rare': '석촌',
  'five syllables': '가계부관리',
  'never said': '쀍뛟',
  // Ranks 20 and 21: the turns that may hold both are many, and few have them in a row.
  'two common words in a row': '여행 먀터',
} as const;

interface Line {
  readonly what: string;
  readonly found: number;
  readonly p50: number;
  readonly p95: number;
  readonly index: string;
  readonly met: boolean;
}

async function main(stopping: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    options: { messages: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const messages = wholeNumber('--messages', values.messages ?? '1000000', MANY);
  const bench = await openKeptServices('bench-search', stopping);
  try {
    const postgres = await bench.parts.start(startPostgres(bench.context, process.env['DATABASE_URL']));
    const database = await openDatabase({ url: await findSeededSearch(postgres.url, messages), poolMax: 4 });
    try {
      const sizes = await sizesOf(database);
      const lines = await unlessStopped(stopping, measure(database));
      process.stdout.write(
        values.json === true
          ? `${JSON.stringify({ machine: MACHINE, messages, sizes, lines }, null, 2)}\n`
          : textOf(lines, `${messages} messages; index of texts ${sizes.index}, table ${sizes.table}; ${MACHINE.cpu}`),
      );
      if (lines.some(({ index }) => index !== 'turns_by_text')) process.exitCode = 1;
    } finally {
      await database.close();
    }
  } finally {
    await bench.close();
  }
}

async function measure(database: Database): Promise<Line[]> {
  const lines: Line[] = [];
  for (const [who, userId] of [
    ['most people', PLAIN_USER],
    ['a tenth of all', BUSY_USER],
  ] as const)
    for (const [what, search] of Object.entries(SOUGHT)) {
      const list = () => listConversations(database, { userId, search, archived: false, limit: 40, cursor: null });
      const { samples } = await timed(`${who}: ${what}`, 40, list);
      const [p50, p95] = [percentile(samples, 0.5), percentile(samples, 0.95)];
      const found = (await list()).items.length;
      const index = await indexOf(database, userId, search);
      lines.push({ what: `${who}: ${what}`, found, p50, p95, index, met: p95 <= TARGET_P95 });
    }
  return lines;
}

/** The index by which the turns are read; empty where all of them are. */
async function indexOf(database: Database, userId: number, search: string): Promise<string> {
  const { rows } = await sql<{
    'QUERY PLAN': string;
  }>`explain with ${candidates(userId, search)} select * from candidates`.execute(database.sql);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  if (/Seq Scan on turns/.test(plan)) return '';
  return (
    /Bitmap Index Scan on (\w+)/.exec(plan)?.[1] ??
    /Index Scan (?:Backward )?using (\w+) on turns/.exec(plan)?.[1] ??
    ''
  );
}

async function sizesOf(database: Database): Promise<{ index: string; table: string }> {
  const { rows } = await sql<{ index: string; table: string }>`
    select pg_size_pretty(pg_relation_size('turns_by_text')) as index, pg_size_pretty(pg_table_size('turns')) as table`.execute(
    database.sql,
  );
  return rows[0] ?? { index: '', table: '' };
}

function textOf(lines: readonly Line[], title: string): string {
  const table = lines.map(
    ({ what, found, p50, p95, index, met }) =>
      `${what.padEnd(40)} ${String(found).padStart(5)} ${p50.toFixed(1).padStart(8)} ${p95.toFixed(1).padStart(8)}   ${index === '' ? 'NO INDEX' : index} ${met ? 'met' : 'MISSED'}`,
  );
  return `${title}\np95 ≤ ${TARGET_P95} ms\n${''.padEnd(40)} found      p50      p95\n${table.join('\n')}\n`;
}

await runBench(main);
