import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Migration } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import { sql } from 'kysely';
import { openDatabase } from '../../db/database.ts';
import { assertMigrated, migrate } from '../../db/migrate.ts';
import { ormOptions } from '../../db/schema/orm-options.ts';
import { proveBooks } from '../../db/money/proof.ts';
import { MIGRATIONS } from '../../migrations/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { rows } from './fixture.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase({ empty: true });
});
afterAll(() => db.close());

test('accounts whose zone is a link, or a name that only Node knows, get the zone by which their months were counted', async () => {
  const before = await createTestDatabase({ empty: true });
  try {
    await before.database.orm.migrator.up({ to: '20261130093000-prove-the-books-in-steps' });
    const zones = ['Asia/Calcutta', 'Asia/KOLKATA', 'asia/calcutta', 'JST', 'BST', 'Europe/Oslo', 'UTC', 'Asia/Seoul'];
    for (const zone of zones)
      await sql`with u as (insert into users default values returning id) insert into accounts (user_id, time_zone) select id, ${zone} from u`.execute(
        before.database.sql,
      );
    await migrate(before.url);
    expect(
      await rows(before.database.sql, sql<{ zone: string }>`select time_zone as zone from accounts order by id`),
    ).toEqual(
      [
        'Asia/Kolkata',
        'Asia/Kolkata',
        'Asia/Kolkata',
        'Asia/Tokyo',
        'Asia/Dhaka',
        'Europe/Oslo',
        'UTC',
        'Asia/Seoul',
      ].map((zone) => ({ zone })),
    );
  } finally {
    await before.close();
  }
});

test('a ledger of before rates and rollups gets both: versions in order of use, days in the account’s zone, and the proof holds', async () => {
  await db.database.orm.migrator.up({ to: '20261124-create-audit-entries' });
  // The file has several statements, which our own runner does not send at once.
  await sql.raw(BEFORE).execute(db.database.orm.em.getKysely());
  expect(await migrate(db.url)).toContain('20261124-create-rates-and-rollups');
  expect(
    await rows(db.database.sql, sql`select model, version, input, output from model_rates order by model, version`),
  ).toEqual([
    { model: 'a', version: 1, input: 1000, output: 1000 },
    { model: 'a', version: 2, input: 2000, output: 3000 },
    { model: 'b', version: 1, input: 1000, output: 1000 },
  ]);
  expect(
    await rows(
      db.database.sql,
      sql`select e.kind, e.day::text, r.model, r.version, e.prompt_tokens as prompt, e.cached_tokens as cached, e.completion_tokens as completion
    from ledger_entries e left join model_rates r on r.id = e.rate_id order by e.id`,
    ),
  ).toEqual([
    { kind: 'debit', day: '2026-11-10', model: 'a', version: 1, prompt: 10, cached: 4, completion: 5 },
    { kind: 'debit', day: '2026-11-11', model: 'a', version: 2, prompt: 10, cached: 4, completion: 5 },
    { kind: 'debit', day: '2026-11-11', model: 'b', version: 1, prompt: 10, cached: 4, completion: 5 },
    { kind: 'adjustment', day: '2026-11-11', model: null, version: null, prompt: null, cached: null, completion: null },
  ]);
  expect(
    await rows(
      db.database.sql,
      sql`select u.day::text, r.model, r.version, u.turns, u.used_tokens::int as used
    from usage_rollups u left join model_rates r on r.id = u.rate_id order by u.day, r.model, r.version`,
    ),
  ).toEqual([
    { day: '2026-11-10', model: 'a', version: 1, turns: 1, used: 15 },
    { day: '2026-11-11', model: 'a', version: 2, turns: 1, used: 15 },
    { day: '2026-11-11', model: 'b', version: 1, turns: 1, used: 15 },
    { day: '2026-11-11', model: null, version: null, turns: 0, used: 55 },
  ]);
  expect((await proveBooks(db.database)).mismatches).toBe(0);
  await expect(sql`update ledger_entries set day = day`.execute(db.database.sql)).rejects.toThrow('append-only');
});

const id = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;

/** Three settled turns on both sides of a midnight in Seoul, by two rates and two models, and an adjustment. */

test('a migration’s statements have no limit, those of requests do', async () => {
  const [patient, usual] = await Promise.all([
    openDatabase({ url: db.url, poolMax: 1, answerWithinMs: null }),
    openDatabase({ url: db.url, poolMax: 1, answerWithinMs: 200 }),
  ]);
  try {
    const limits = sql<{ limit: string }>`select current_setting('statement_timeout') as limit`;
    expect([await rows(patient.sql, limits), await rows(usual.sql, limits)]).toEqual([
      [{ limit: '0' }],
      [{ limit: '15s' }],
    ]);
    await sql`select pg_sleep(0.5)`.execute(patient.sql);
    await expect(sql`select pg_sleep(0.5)`.execute(usual.sql)).rejects.toThrow(/timeout/i);
  } finally {
    await Promise.all([patient.close(), usual.close()]);
  }
});

/** Migrations applied before names had the time of day; databases keep their names. */
const APPLIED = [
  '20261123-create-turns-and-ledger',
  '20261124-create-audit-entries',
  '20261124-find-turns-for-admins',
  '20261124-create-rates-and-rollups',
  '20261124-index-overage-debits',
  '20261124-suspend-accounts',
  '20261124-remember-armed-schedules',
  '20261124-create-alerts-and-notifications',
  '20261124-create-redrives',
  '20261124-index-turns-by-touch',
  '20261125-know-people-by-issuer',
  '20261125-find-holds-by-account',
  '20261125-find-reversals-by-grant',
];

test('migrations keep the names they were applied under; new ones are named by the second and sort as they run', () => {
  const names = namesOf(db.database.orm);
  expect(misnamed(names)).toEqual([]);
  expect(misnamed([...names, '20270101-add-receipts'])).toEqual(['20270101-add-receipts']);
  expect(misnamed([...names, '20270101090000-b', '20270101080000-a'])).toEqual(['20270101080000-a']);
  expect(misnamed(APPLIED.toReversed())).toContain('20261125-find-reversals-by-grant');
  const files = readdirSync(new URL('../../migrations', import.meta.url)).filter((file) => /^\d/.test(file));
  expect(files.sort()).toEqual(names.map((name) => `${name}.ts`).sort());
});

function namesOf({ driver, config }: MikroORM): string[] {
  return MIGRATIONS.map((MigrationClass) => new MigrationClass(driver, config).name);
}

function misnamed(names: readonly string[]): string[] {
  return names.filter((name, at) =>
    at < APPLIED.length ? name !== APPLIED[at] : !/^\d{14}-[a-z0-9-]+$/.test(name) || name <= (names[at - 1] ?? ''),
  );
}

class AddReceipts extends Migration {
  override readonly name = '20270101090000-add-receipts';

  override up(): void {
    this.addSql('create table receipts (id integer primary key)');
  }
}

test('a database of before such names still starts, and takes what is new and nothing else', async () => {
  const old = await createTestDatabase({ empty: true });
  const next = await MikroORM.init({
    ...ormOptions(old.url),
    migrations: { ...ormOptions(old.url).migrations, migrationsList: [...MIGRATIONS, AddReceipts], silent: true },
  });
  try {
    await old.database.orm.migrator.up({ to: APPLIED.at(-1) ?? '' });
    const applied = sql<{ name: string }>`select name from schema_migrations order by id`;
    expect((await rows(old.database.sql, applied)).map(({ name }) => name)).toEqual(APPLIED);
    expect(await migrate(old.url)).toEqual(namesOf(old.database.orm).slice(APPLIED.length));
    await assertMigrated(old.database);
    expect((await next.migrator.up()).map(({ name }) => name)).toEqual(['20270101090000-add-receipts']);
    await assertMigrated(old.database);
  } finally {
    await next.close();
    await old.close();
  }
});

test('MikroORM’s command lists them from the program’s own DATABASE_URL', () => {
  const listed = execFileSync(process.execPath, ['node_modules/@mikro-orm/cli/cli.js', 'migration:list'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, NODE_OPTIONS: '', DATABASE_URL: db.url },
    encoding: 'utf8',
  });
  for (const name of APPLIED) expect(listed).toContain(name);
});

const BEFORE = `
insert into users (id) values (1);
insert into accounts (id, user_id) values (1, 1);
insert into periods (account_id, label, starts_at, ends_at, allowance_tokens, used_tokens, spent_allowance_tokens)
  values (1, '2026-11', '2026-11-01T00:00+09', '2026-12-01T00:00+09', 100000, 100, 100);
${[
  [1, 'a', 1000, 1000, '2026-11-10T23:59+09'],
  [2, 'a', 2000, 3000, '2026-11-11T00:00+09'],
  [3, 'b', 1000, 1000, '2026-11-11T01:00+09'],
]
  .map(
    ([n, model, input, output, at]) => `
insert into conversations (id, user_id) values ('${id(Number(n))}', 1);
insert into turns (id, user_id, account_id, conversation_id, sequence, model, body_hash, question, question_tokens, encoding, state, ended_at, answer, answer_attempt, prompt_tokens, completion_tokens)
  values ('${id(Number(n))}', 1, 1, '${id(Number(n))}', 1, '${model}', '', 'q', 1, 'o200k_base', 'completed', now(), 'x', 1, 10, 5);
insert into holds (id, account_id, turn_id, run_id, ordinal, state, tokens, prompt_tokens, output_limit, rate_input, rate_cached_input, rate_output, expires_at, created_at, ended_at)
  values ('${id(Number(n))}', 1, '${id(Number(n))}', 'r', 1, 'settled', 20, 10, 10, ${input}, 1000, ${output}, 'infinity', '${at}', now());
insert into attempts (turn_id, number, run_id, hold_id, state, prompt_tokens, cached_tokens, completion_tokens) values ('${id(Number(n))}', 1, 'r', '${id(Number(n))}', 'answered', 10, 4, 5);
insert into ledger_entries (account_id, period_id, kind, turn_id, hold_id, tokens, purchased_delta, debt_delta, spent_purchased_delta, spent_allowance_delta, overage_delta, used_delta, created_at)
  values (1, 1, 'debit', '${id(Number(n))}', '${id(Number(n))}', 15, 0, 0, 0, 15, 0, 15, '${at}');`,
  )
  .join('\n')}
insert into ledger_entries (account_id, period_id, kind, tokens, purchased_delta, debt_delta, spent_purchased_delta, spent_allowance_delta, overage_delta, used_delta, created_at)
  values (1, 1, 'adjustment', 55, 0, 0, 0, 55, 0, 55, '2026-11-11T02:00+09');
`;
