import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { openDatabase, type Database } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { readDue } from '../db/money/armed.ts';
import { resetAllowance } from '../db/money/reset-allowance.ts';
import { startPostgres } from '../scripts/services/postgres/postgres.ts';
import { say } from '../scripts/services/say.ts';
import { percentile } from './figures.ts';
import { openKeptServices } from './kept-services.ts';
import { MANY, runBench, unlessStopped, wholeNumber } from './program.ts';

const HELP = `npm run bench:schedules -- [options]

One schedule for all accounts of a time zone (SCHEDULE_PLANNER=zone): how long its firing takes for as many accounts as you say, all of one zone, a
twentieth of which is reset already because they were used first. The pages and the resets are the program's own, without the reports (bench:months has them), four at a time as in its worker; Temporal's part is
one activity for 500 accounts. At the end each account has its new period, once, and firing again opens none.

  --accounts N  default 200000
  --json        one JSON object on standard output
  --help`;

const ZONE = 'Asia/Seoul';
const [CLOSED, OPENED] = ['2026-10', '2026-11'];
const FIRED_FOR = Date.parse('2026-11-01T04:05:00+09:00');
/** As a worker does: activities/schedules/fan-out-steps.ts. */
const [PAGE, AT_ONCE] = [500, 4];
const OUTWARD = { email: false, webhook: false };

async function main(stopping: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    options: { accounts: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const accounts = wholeNumber('--accounts', values.accounts ?? '200000', MANY);
  const bench = await openKeptServices('schedules', stopping);
  try {
    const postgres = await bench.parts.start(startPostgres(bench.context, process.env['DATABASE_URL']));
    const report = await unlessStopped(stopping, run(await seeded(postgres.url, accounts), accounts));
    process.stdout.write(values.json === true ? `${JSON.stringify(report, null, 2)}\n` : textOf(report));
  } finally {
    await bench.close();
  }
}

type Report = Awaited<ReturnType<typeof run>>;

async function run(url: string, accounts: number) {
  const database = await openDatabase({ url, poolMax: AT_ONCE + 1, now: () => FIRED_FOR + 1_000 });
  try {
    // Some of them were touched before 04:05.
    const early = await fire(database, 'before', Math.floor(accounts / 20));
    const first = await fire(database, 'first');
    const again = await fire(database, 'again', 5_000);
    const { rows } = await readPeriods(url);
    const [{ opened = 0, twice = 0 } = {}] = rows;
    if (opened !== accounts || twice !== 0)
      throw new Error(`${opened} of ${accounts} accounts have their new period, and ${twice} more than one`);
    if (again.outcomes['reset'] !== undefined) throw new Error('firing again has opened a period');
    return { accounts, early: early.outcomes, ...first, again: again.outcomes };
  } finally {
    await database.close();
  }
}

async function fire(database: Database, what: string, most = Infinity) {
  const outcomes: Record<string, number> = {};
  const pageMs: number[] = [];
  const began = performance.now();
  let told = began;
  let fired = 0;
  for (let after = 0; fired < most;) {
    const asked = performance.now();
    const due = await readDue(database.sql, { kind: 'reset', timeZone: ZONE, firedFor: FIRED_FOR, after, limit: PAGE });
    pageMs.push(performance.now() - asked);
    const waiting = due.values();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const { accountId } of waiting) {
          const { outcome } = await resetAllowance(database, { accountId, firedFor: FIRED_FOR, outward: OUTWARD });
          outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        }
      }),
    );
    fired += due.length;
    const last = due.at(-1);
    if (last === undefined || due.length < PAGE) break;
    after = last.accountId;
    if (performance.now() - told > 10_000) {
      told = performance.now();
      say(`${what}: ${fired} accounts fired`);
    }
  }
  const seconds = (performance.now() - began) / 1_000;
  return {
    outcomes,
    seconds,
    perSecond: fired / seconds,
    pageMs: { p50: percentile(pageMs, 0.5), most: Math.max(...pageMs) },
  };
}

/** Accounts of one zone whose reset is armed in the month that is over, and as many closed months behind it. */
async function seeded(server: string, accounts: number): Promise<string> {
  const name = 'turnkeeper_bench_schedules';
  const client = new Client({ connectionString: server });
  await client.connect();
  await client.query(`drop database if exists ${name} with (force)`);
  await client.query(`create database ${name}`);
  await client.end();
  const url = new URL(server);
  url.pathname = `/${name}`;
  await migrate(url.href);
  say(`seeding ${accounts} accounts`);
  const seeding = new Client({ connectionString: url.href });
  await seeding.connect();
  try {
    await seeding.query(`set statement_timeout = 0`);
    await seeding.query(`insert into users (id, email) select n, null from generate_series(1, ${accounts}) n`);
    await seeding.query(
      `insert into accounts (id, user_id, time_zone) select n, n, '${ZONE}' from generate_series(1, ${accounts}) n`,
    );
    for (const month of ['2026-09', CLOSED])
      await seeding.query(
        `insert into periods (account_id, label, starts_at, ends_at, allowance_tokens, used_tokens, spent_allowance_tokens, reset_armed)
         select n, '${month}', timestamp '${month}-01' at time zone '${ZONE}', (timestamp '${month}-01' + interval '1 month') at time zone '${ZONE}', 100000, 1, 1, true
         from generate_series(1, ${accounts}) n`,
      );
    await seeding.query('vacuum (analyze)');
  } finally {
    await seeding.end();
  }
  return url.href;
}

async function readPeriods(url: string) {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query<{ opened: number; twice: number }>(
      `select count(distinct account_id)::int as opened, (count(*) - count(distinct account_id))::int as twice from periods where label = '${OPENED}'`,
    );
  } finally {
    await client.end();
  }
}

function textOf({ accounts, outcomes, seconds, perSecond, pageMs }: Report): string {
  const did = Object.entries(outcomes)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
  return `${accounts} accounts of ${ZONE}, a twentieth of them reset before: fired in ${seconds.toFixed(0)} s (${did}), ${perSecond.toFixed(0)} a second; a page of ${PAGE} is found in ${pageMs.p50.toFixed(1)} ms (p50), ${pageMs.most.toFixed(1)} at most\n`;
}

await runBench(main);
