import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { Client } from 'pg';
import { one, openDatabase, type Database } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { publishRates } from '../db/money/rates.ts';
import { proveBooks } from '../db/money/proof.ts';
import type { PricedModel } from '../domain/model.ts';
import { readCatalogue } from '../platform/config/catalogue.ts';
import { startPostgres } from '../scripts/services/postgres/postgres.ts';
import { say } from '../scripts/services/say.ts';
import { percentile, spreadOf, type Spread } from './figures.ts';
import { openKeptServices } from './kept-services.ts';
import { fillToTheBrim, type Brim } from './ledger-brim.ts';
import { openNaive } from './naive-ledger.ts';
import { acceptTurns, realForm, runPairs, type LedgerForm, type Pairs } from './pairs.ts';
import { MACHINE, runBench, unlessStopped } from './program.ts';

const HELP = `npm run bench:ledger -- [options]

Holds and settles a second, on one hot account and over 10,000 accounts, with 64 and 256 callers at once. In one run and in turn:
  real   the program's reserveTurn and settleTurn
  naive  one SELECT … FOR UPDATE transaction a hold and one a settle through MikroORM's unit of work, same tables and decisions
Then as many callers fight for an account that has room for half of them. It checks that nothing passed a ceiling, that nothing deadlocked, and that
every counter and rollup equals the sum of its entries. PostgreSQL is its own, with durable settings (or DATABASE_URL's, in a database of its own).

  --quick   one short round of each: a look, no figures
  --json    one JSON object on standard output instead of a table
  --help`;

const POOL = 20;
const SPREAD_OVER = 10_000;
const CALLERS = [64, 256] as const;
const EFFORTS = { whole: { rounds: 5, turns: 1_000 }, quick: { rounds: 1, turns: 300 } } as const;
const PLENTY = 10_000_000_000;

interface Row {
  readonly accounts: number;
  readonly callers: number;
  readonly form: 'real' | 'naive';
  readonly pairsPerSecond: Spread;
  readonly holdP50: number;
  readonly holdP99: number;
  readonly settleP50: number;
  readonly settleP99: number;
}

interface Report {
  readonly machine: typeof MACHINE;
  readonly rows: readonly Row[];
  readonly brim: Brim;
  readonly checked: {
    readonly pairs: number;
    readonly deadlocks: number;
    readonly overshoot: number;
    readonly mismatches: number;
  };
}

async function main(stopping: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    options: { quick: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const bench = await openKeptServices('bench-ledger', stopping);
  try {
    const postgres = await bench.parts.start(startPostgres(bench.context, process.env['DATABASE_URL']));
    const report = await unlessStopped(
      stopping,
      run(await freshDatabase(postgres.url), values.quick === true ? EFFORTS.quick : EFFORTS.whole),
    );
    process.stdout.write(values.json === true ? `${JSON.stringify(report, null, 2)}\n` : textOf(report));
  } finally {
    await bench.close();
  }
}

async function freshDatabase(server: string): Promise<string> {
  const client = new Client({ connectionString: server });
  await client.connect();
  await client.query('drop database if exists turnkeeper_bench_ledger with (force)');
  await client.query('create database turnkeeper_bench_ledger');
  await client.end();
  const url = new URL(server);
  url.pathname = '/turnkeeper_bench_ledger';
  return url.href;
}

async function run(url: string, effort: { rounds: number; turns: number }): Promise<Report> {
  await migrate(url);
  const database = await openDatabase({ url, poolMax: POOL });
  const [model] = await publishRates(
    database,
    readCatalogue(undefined).map((entry) => ({ ...entry, instructions: '' })),
  );
  if (model === undefined) throw new Error('a catalogue has a model');
  const forms = { real: realForm(database, model), naive: await openNaive(url, { poolMax: POOL, model }) };
  try {
    say('making accounts');
    const accounts = await makeAccounts(database, SPREAD_OVER + 2, PLENTY);
    const [hot = 0, brim = 0, ...many] = accounts;
    say('warming up');
    for (const form of Object.values(forms))
      await block(database, model, form, { accounts: many, callers: 16, turns: effort.turns / 2 });
    const rows: Row[] = [];
    for (const on of [[hot], many])
      for (const callers of CALLERS)
        rows.push(...(await compare(database, model, forms, { accounts: on, callers, ...effort })));
    const brimmed = await fillToTheBrim(database, model, forms.real, brim);
    const report = { machine: MACHINE, rows, brim: brimmed, checked: await check(database) };
    const { deadlocks, overshoot, mismatches } = report.checked;
    if (deadlocks + overshoot + mismatches > 0 || brimmed.mostCommitted > brimmed.ceiling)
      throw new Error(`the ledger broke its promises: ${JSON.stringify(report.checked)} ${JSON.stringify(brimmed)}`);
    return report;
  } finally {
    await forms.naive.close();
    await database.close();
  }
}

/** Opens the accounts' periods too, because the naive form opens none. */
async function makeAccounts(database: Database, count: number, allowance: number): Promise<number[]> {
  await sql`insert into users (id) select n from generate_series(1, ${count}::int) n`.execute(database.sql);
  await sql`insert into accounts (id, user_id, monthly_allowance_tokens) select n, n, ${allowance} from generate_series(1, ${count}::int) n`.execute(
    database.sql,
  );
  await sql`insert into periods (account_id, label, starts_at, ends_at, allowance_tokens)
    select n, to_char(now(), 'YYYY-MM'), now() - interval '15 days', now() + interval '15 days', ${allowance} from generate_series(1, ${count}::int) n`.execute(
    database.sql,
  );
  await sql`analyze`.execute(database.sql);
  return Array.from({ length: count }, (_, i) => i + 1);
}

async function block(
  database: Database,
  model: PricedModel,
  form: LedgerForm,
  { accounts, callers, turns }: { accounts: readonly number[]; callers: number; turns: number },
): Promise<Pairs> {
  const accepted = await acceptTurns(database, {
    accounts: accounts.length <= turns ? accounts : sampleOf(accounts, turns),
    count: turns,
    model: model.name,
  });
  return runPairs(database, form, { callers, turns: accepted });
}

function sampleOf(accounts: readonly number[], count: number): number[] {
  return Array.from({ length: count }, () => accounts[Math.floor(Math.random() * accounts.length)] ?? 0);
}

/** Measures the forms alternately, so that other work of the machine slows both alike. */
async function compare(
  database: Database,
  model: PricedModel,
  forms: Readonly<Record<Row['form'], LedgerForm>>,
  load: { accounts: readonly number[]; callers: number; rounds: number; turns: number },
): Promise<Row[]> {
  say(`measuring: ${load.accounts.length} account(s), ${load.callers} callers`);
  const blocks: Record<Row['form'], Pairs[]> = { real: [], naive: [] };
  for (let round = 0; round < load.rounds; round += 1) {
    for (const form of ['real', 'naive'] as const) {
      const pairs = await block(database, model, forms[form], load);
      if (pairs.refused > 0) throw new Error(`${form}: ${pairs.refused} holds were refused on accounts with plenty`);
      blocks[form].push(pairs);
    }
  }
  return (['real', 'naive'] as const).map((form) => {
    const [hold, settle] = [
      blocks[form].flatMap(({ holdMs }) => holdMs),
      blocks[form].flatMap(({ settleMs }) => settleMs),
    ];
    return {
      accounts: load.accounts.length,
      callers: load.callers,
      form,
      pairsPerSecond: spreadOf(blocks[form].map(({ settled, seconds }) => settled / seconds)),
      holdP50: percentile(hold, 0.5),
      holdP99: percentile(hold, 0.99),
      settleP50: percentile(settle, 0.5),
      settleP99: percentile(settle, 0.99),
    };
  });
}

async function check(database: Database): Promise<Report['checked']> {
  const { pairs, deadlocks, overshoot } = await one(
    sql<{ pairs: number; deadlocks: number; overshoot: number }>`select
    (select count(*)::int from ledger_entries) as pairs,
    (select deadlocks::int from pg_stat_database where datname = current_database()) as deadlocks,
    (select count(*)::int from accounts a join periods p on p.account_id = a.id
      where p.used_tokens > floor((p.allowance_tokens + p.spent_purchased_tokens + a.purchased_tokens) * 105 / 100)) as overshoot`,
    database.sql,
  );
  return { pairs, deadlocks, overshoot, mismatches: (await proveBooks(database)).mismatches };
}

function textOf({ machine, rows, brim, checked }: Report): string {
  const title = `${machine.cores} cores (${machine.cpu}), node ${machine.node}; PostgreSQL and the bench on them, ${POOL} connections each form; milliseconds`;
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(20) : cell.padStart(i === 2 ? 24 : 11))).join('');
  return [
    title,
    line(['accounts × callers', '', 'pairs/s', 'hold p50', 'p99', 'settle p50', 'p99']),
    ...rows.map(
      ({ accounts, callers, form, pairsPerSecond: { median, least, most }, holdP50, holdP99, settleP50, settleP99 }) =>
        line([
          `${accounts} × ${callers}`,
          form,
          `${median.toFixed(0)} (${least.toFixed(0)}…${most.toFixed(0)})`,
          ...[holdP50, holdP99, settleP50, settleP99].map((ms) => ms.toFixed(1)),
        ]),
    ),
    `at the brim: ${brim.admitted} admitted, ${brim.refused} refused; used + held at most ${brim.mostCommitted} of a ceiling of ${brim.ceiling}`,
    `checked: ${checked.pairs} pairs, ${checked.deadlocks} deadlocks, ${checked.overshoot} accounts beyond their ceiling, ${checked.mismatches} counters or rollups that differ from the entries`,
    '',
  ].join('\n');
}

await runBench(main);
