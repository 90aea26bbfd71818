import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { openDatabase, type Database } from '../db/database.ts';
import { listUsers } from '../db/reports/admin-users.ts';
import { findMonth, listDays, listModels, listTurnUsage, type Month } from '../db/reports/history.ts';
import { foldDays } from '../db/reports/days/fold-days.ts';
import { foldPeople } from '../db/reports/days/fold-people.ts';
import { readDays } from '../db/reports/days/read-days.ts';
import { readPeople } from '../db/reports/days/read-people.ts';
import { readTokenStats } from '../db/reports/token-stats.ts';
import { proveBooks } from '../db/money/proof.ts';
import { readUsage } from '../db/money/usage.ts';
import { openRedis } from '../platform/redis.ts';
import { createStatsCache } from '../platform/stats-cache.ts';
import { startPostgres } from '../scripts/services/postgres/postgres.ts';
import { startRedis } from '../scripts/services/redis.ts';
import { say } from '../scripts/services/say.ts';
import { openKeptServices } from './kept-services.ts';
import { judge, textOf, timed, type Line } from './lines.ts';
import { MACHINE, MANY, runBench, unlessStopped, wholeNumber } from './program.ts';
import { HOT_ACCOUNT } from './seed-ledger.ts';
import { findSeededLedger, type SeededLedger } from './seeded.ts';

const HELP = `npm run bench:stats -- [options]

What the admins' statistics and the pages of usage cost on a large ledger, as functions of the program, without HTTP:
  cold     the statistics computed from PostgreSQL
  warm     the statistics read from Redis
  user     one account's usage state
  history  pages by day, by model and by turn: the newest and from the middle of the month
  home     what 30 days used by day and by model, and who it was, each beside the 30 days before
  people   a page of people by the tokens that they used: the first, and one from the middle
  proof    the counters proved against every entry, once and again; and the longest of its statements
One account has a tenth of all debits; its pages are measured apart ("hot"). The database is seeded once and kept below .turnkeeper/bench-stats
(or on DATABASE_URL's server, whose user must be a superuser to seed) under a name of its own; Redis is started, or REDIS_URL is used.

  --rows N      debits in the ledger (default 1000000)
  --accounts N  accounts (default: one for each 50 rows, so 200000 for 10000000)
  --no-proof    without the proof, which takes longer than all the rest
  --json        one JSON object on standard output instead of a table
  --help`;

/** Milliseconds with 10 M rows and 200,000 accounts (docs/performance.md, The books). */
const TARGETS = {
  cold: 300,
  warm: 10,
  page: 50,
  home: { days: 50, people: 2_000, statement: 1_000 },
  people: 500,
  proof: { whole: 600_000, statement: 5_000, round: 1_000 },
} as const;

async function main(stopping: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string' },
      accounts: { type: 'string' },
      'no-proof': { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const rows = wholeNumber('--rows', values.rows ?? '1000000', MANY);
  const accounts = wholeNumber('--accounts', values.accounts ?? String(Math.max(10, Math.round(rows / 50))), MANY);
  const bench = await openKeptServices('bench-stats', stopping);
  try {
    const [postgres, redis] = await bench.parts.together((on) => [
      bench.parts.start(startPostgres(on, process.env['DATABASE_URL'])),
      bench.parts.start(startRedis(on, process.env['REDIS_URL'])),
    ]);
    const lines = await unlessStopped(
      stopping,
      run(postgres.url, redis.url, { rows, accounts, proof: values['no-proof'] !== true }),
    );
    process.stdout.write(
      values.json === true
        ? `${JSON.stringify({ machine: MACHINE, rows, accounts, lines }, null, 2)}\n`
        : textOf(
            lines,
            `${rows} debits of ${accounts} accounts; ${MACHINE.cores} cores (${MACHINE.cpu}), node ${MACHINE.node}`,
          ),
    );
  } finally {
    await bench.close();
  }
}

async function run(
  postgresUrl: string,
  redisUrl: string,
  { proof, ...size }: { rows: number; accounts: number; proof: boolean },
): Promise<Line[]> {
  const seeded = await findSeededLedger(postgresUrl, size);
  const database = await openDatabase({ url: seeded.url, poolMax: 4, now: () => seeded.now });
  const redis = await openRedis(redisUrl);
  try {
    const cache = createStatsCache({ redis, compute: () => readTokenStats(database) });
    return [...(await measure(database, seeded, cache)), ...(proof ? await measureProof(database) : [])];
  } finally {
    await redis.close();
    await database.close();
  }
}

async function measure(
  database: Database,
  { accounts }: SeededLedger,
  cache: ReturnType<typeof createStatsCache>,
): Promise<Line[]> {
  const anybody = () => 2 + Math.floor(Math.random() * (accounts - 1));
  const cold = await timed('statistics, cold', 20, () => readTokenStats(database));
  await cache.refresh();
  const warm = await timed('statistics, warm', 2_000, () => cache.read());
  const lines = [judge(cold, 'p50', TARGETS.cold), judge(warm, 'p99', TARGETS.warm)];
  for (const [whose, pick] of [
    ['', anybody],
    [', hot', () => HOT_ACCOUNT],
  ] as const) {
    lines.push(
      judge(
        await timed(`usage state${whose}`, 500, () => readUsage(database, { accountId: pick() })),
        'most',
        TARGETS.page,
      ),
    );
    const pages = { 'by day': listDays, 'by model': listModels, 'by turn': listTurnUsage } as const;
    for (const [by, list] of Object.entries(pages)) {
      lines.push(
        judge(
          await timed(`history ${by}${whose}`, 300, async () =>
            list(database, { month: await monthOf(database, pick()), limit: 100, cursor: null }),
          ),
          'most',
          TARGETS.page,
        ),
      );
    }
  }
  const month = await monthOf(database, HOT_ACCOUNT);
  const cursors = await walk(database, month, 100);
  lines.push(
    judge(
      await timed('history by turn, hot, deep', 300, () =>
        listTurnUsage(database, { month, limit: 100, cursor: cursors.at(-1) ?? null }),
      ),
      'most',
      TARGETS.page,
    ),
  );
  return [...lines, ...(await measurePeople(database, accounts)), ...(await measureHome(database))];
}

/** This order has no index: every page looks at all open periods. */
async function measurePeople(database: Database, accounts: number): Promise<Line[]> {
  const page = (cursor: string | null, limit = 50) =>
    listUsers(database, { filter: {}, order: '-usedTokens', limit, cursor });
  const { nextCursor } = await page(null, Math.min(10_000, Math.floor(accounts / 2)));
  return [
    judge(await timed('people by tokens used', 20, () => page(null)), 'p50', TARGETS.people),
    judge(await timed('people by tokens used, deep', 20, () => page(nextCursor)), 'p50', TARGETS.people),
  ];
}

/** The days of a ledger that was never added up, and then the two readings of the home. */
async function measureHome(database: Database): Promise<Line[]> {
  await sql`truncate usage_days, first_delta_days`.execute(database.sql);
  await sql`update usage_day_marks set through_id = 0`.execute(database.sql);
  await sql`truncate usage_person_months, usage_people_days`.execute(database.sql);
  await sql`update usage_person_marks set through_day = null, to_day = null, account_id = 0`.execute(database.sql);
  say('measuring: the home');
  const days = await steps((onStep) => foldDays(database, { onStep }));
  const people = await steps((onStep) => foldPeople(database, { onStep }));
  await sql`vacuum (analyze) usage_person_months`.execute(database.sql);
  const now = { from: '2026-10-30', to: '2026-11-28' };
  const before = { from: '2026-09-30', to: '2026-10-29' };
  return [
    judge({ what: 'days added up, each statement', samples: days }, 'most', TARGETS.home.statement),
    judge({ what: 'people added up, each statement', samples: people }, 'most', TARGETS.home.statement),
    judge(
      await timed('home, 30 days and 30 before', 100, () => readDays(database, { from: before.from, to: now.to })),
      'p50',
      TARGETS.home.days,
    ),
    judge(
      await timed('home, who it was, and how many before', 5, () =>
        readPeople(database, { ...now, since: before.from, top: 20 }),
      ),
      'p50',
      TARGETS.home.people,
    ),
  ];
}

/** The proof of a ledger that was never proved, and then rounds in which nothing was booked. */
async function measureProof(database: Database): Promise<Line[]> {
  await sql`truncate proved_periods`.execute(database.sql);
  await sql`update proofs set through_id = 0, swept_id = 0`.execute(database.sql);
  say('measuring: the proof of the whole ledger');
  const began = performance.now();
  const statements = await steps(async (onStep) => {
    const { mismatches } = await proveBooks(database, { onStep });
    if (mismatches > 0) throw new Error(`${mismatches} seeded counters differ from the ledger`);
  });
  const whole = performance.now() - began;
  return [
    judge({ what: 'proof of every entry', samples: [whole] }, 'most', TARGETS.proof.whole),
    judge({ what: '… its statements', samples: statements }, 'most', TARGETS.proof.statement),
    judge(await timed('… a round after it', 20, () => proveBooks(database)), 'most', TARGETS.proof.round),
  ];
}

/** How long each step took, in milliseconds. */
async function steps(work: (onStep: () => void) => Promise<unknown>): Promise<number[]> {
  const taken: number[] = [];
  let last = performance.now();
  await work(() => {
    const at = performance.now();
    taken.push(at - last);
    last = at;
  });
  return taken;
}

function monthOf(database: Database, accountId: number): Promise<Month> {
  return findMonth(database, { accountId, month: null });
}

/** The cursors of the first pages: each begins where the last one ended. */
async function walk(database: Database, month: Month, pages: number): Promise<string[]> {
  const cursors: string[] = [];
  for (let cursor: string | null = null; cursors.length < pages;) {
    ({ nextCursor: cursor } = await listTurnUsage(database, { month, limit: 100, cursor }));
    if (cursor === null) break;
    cursors.push(cursor);
  }
  return cursors;
}

await runBench(main);
