import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { Client } from 'pg';
import { HOT_ACCOUNT, seedLedger } from '../../bench/seed-ledger.ts';
import { openDatabase, type Database } from '../../db/database.ts';
import { grantTokens, reverseGrant } from '../../db/money/grants.ts';
import { findMonth, listDays, listModels, listTurnUsage } from '../../db/reports/history.ts';
import { proveBooks } from '../../db/money/proof.ts';
import { readTokenStats } from '../../db/reports/token-stats.ts';
import { readUsage } from '../../db/money/usage.ts';
import { monthOf } from '../../domain/period.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { clock, createPerson, MODEL, newId, runTurn, type Person } from './fixture.ts';
import { explainGeneric, explainRun, recordStatements, type Access } from '../support/plans.ts';

/** The end of a third month, so that all three are full. */
const NOW = Date.parse('2026-11-29T12:00:00+09:00');
const LIMIT = 50;
const TURNS = 8;
/**
 * The most rows and index entries that a turn may read; its mean has 19 debits, its account 10 holds. Turns here come
 * so fast that the entries of what the ones before were still lie in the indexes, some 150 of them. A scan reads
 * thousands.
 */
const MOST_READ: Record<string, number> = {
  ledger_entries: 25,
  turns: 300,
  holds: 150,
  attempts: 100,
  usage_rollups: 4,
  periods: 12,
};
const ACCOUNTS = 200;
let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase({ now: clock });
  const client = new Client({ connectionString: db.url });
  await client.connect();
  const { rows: indexes } = await client.query<{ make: string }>(
    `select replace(indexdef, 'INDEX', 'INDEX IF NOT EXISTS') as make from pg_indexes where tablename = 'turns'`,
  );
  // What the planner knows is what is said here: autovacuum would tell it of the pending holds, at a second of its own.
  for (const table of ['ledger_entries', 'turns', 'holds', 'attempts', 'usage_rollups', 'periods'])
    await client.query(`alter table ${table} set (autovacuum_enabled = false)`);
  await seedLedger(client, { rows: 60_000, accounts: ACCOUNTS, months: 3, now: NOW });
  // The usage pages need none of these indexes, but a turn does.
  for (const { make } of indexes) await client.query(make);
  await client.end();
});
afterAll(() => db.close());

type Page = (database: Database) => Promise<{ items: readonly unknown[]; nextCursor: string | null }>;

const month = async (database: Database, accountId: number, label: string | null = null) =>
  findMonth(database, { accountId, month: label });
/** The page that begins 1,500 debits deep. */
const DEEP = Buffer.from(JSON.stringify([45_000])).toString('base64url');

/** Every usage page, and how many ledger entries it may look at. */
const PAGES: Record<string, { run: (database: Database) => Promise<unknown>; ledgerRows: number }> = {
  'the usage state': { run: (database) => readUsage(database, { accountId: HOT_ACCOUNT }), ledgerRows: 21 },
  'history by day': {
    run: async (database) =>
      listDays(database, { month: await month(database, HOT_ACCOUNT), limit: LIMIT, cursor: null }),
    ledgerRows: 0,
  },
  'history by model': {
    run: async (database) =>
      listModels(database, { month: await month(database, HOT_ACCOUNT), limit: LIMIT, cursor: null }),
    ledgerRows: 0,
  },
  'history by turn': {
    run: async (database) =>
      listTurnUsage(database, { month: await month(database, HOT_ACCOUNT), limit: LIMIT, cursor: null }),
    ledgerRows: LIMIT + 1,
  },
  'history by turn, from a cursor': {
    run: async (database) =>
      listTurnUsage(database, { month: await month(database, HOT_ACCOUNT), limit: LIMIT, cursor: DEEP }),
    ledgerRows: LIMIT + 1,
  },
  'history of a month that is over': {
    run: async (database) =>
      listTurnUsage(database, { month: await month(database, 7, '2026-09'), limit: LIMIT, cursor: null }),
    ledgerRows: LIMIT + 1,
  },
  'the admins’ statistics': { run: (database) => readTokenStats(database), ledgerRows: 0 },
};

/**
 * The promise of G33 for each statement.
 * @throws when it is broken.
 */
function assertReadsLittle(accesses: readonly Access[], ledgerRows: number): void {
  for (const table of ['ledger_entries', 'turns', 'usage_rollups'])
    expect(accesses.filter((access) => access.table === table && access.scans)).toEqual([]);
  expect(
    accesses.filter(({ table }) => table === 'ledger_entries').reduce((sum, { rows }) => sum + rows, 0),
  ).toBeLessThanOrEqual(ledgerRows);
}

describe('no page scans the ledger (G33)', () => {
  test.each(Object.entries(PAGES))('%s', async (_, { run, ledgerRows }) => {
    const { database, statements } = recordStatements(db.database);
    await run(database);
    expect(statements.length).toBeGreaterThan(0);
    for (const statement of statements) {
      assertReadsLittle(await explainRun(db.database.sql, statement), ledgerRows);
      assertReadsLittle(await explainGeneric(db.url, statement), ledgerRows);
    }
  });

  test.each<[string, Page | ((database: Database) => Promise<unknown>)]>([
    ['by its day', (database) => sql`select tokens from ledger_entries where day = '2026-11-11'`.execute(database.sql)],
    ['by its sum', (database) => sql`select sum(used_delta) from ledger_entries`.execute(database.sql)],
    [
      'from the newest down to the cursor',
      (database) =>
        sql`select id from ledger_entries where period_id = ${HOT_ACCOUNT * 3} and (${false} or id + 0 < 45000) order by id desc limit ${LIMIT}`.execute(
          database.sql,
        ),
    ],
  ])('control: a page that reads it %s is found out', async (_, run) => {
    const { database, statements } = recordStatements(db.database);
    await run(database);
    const [statement] = statements;
    const accesses = await explainRun(db.database.sql, statement!);
    expect(() => assertReadsLittle(accesses, LIMIT + 1)).toThrow();
  });
});

test('the seed is a sound ledger: its counters and rollups are proved', async () => {
  expect(monthOf(NOW, 'Asia/Seoul')).toBe('2026-11');
  expect((await proveBooks(db.database)).mismatches).toBe(0);
  const { topUsers, distribution } = await readTokenStats(db.database);
  expect(topUsers[0]).toMatchObject({ userId: HOT_ACCOUNT });
  for (const users of Object.values(distribution)) expect(users).toBeGreaterThan(0);
});

describe('a turn reads a few rows, however much there is', () => {
  let newcomer: Person;
  /**
   * The rows and index entries that were read by whatever ran on a pool of one connection, which reports its figures on
   * demand.
   */
  async function countRead(run: (database: Database) => Promise<unknown>): Promise<Record<string, number>> {
    const tables = sql<{
      table: string;
      read: number;
    }>`select relname as "table", (seq_tup_read + coalesce((select sum(idx_tup_read) from pg_stat_user_indexes i where i.relid = t.relid), 0))::int as read
      from pg_stat_user_tables t where relname in ('ledger_entries', 'turns', 'holds', 'attempts', 'usage_rollups', 'periods')`;
    const figures = async () =>
      Object.fromEntries((await tables.execute(db.database.sql)).rows.map(({ table, read }) => [table, read]));
    const before = await figures();
    const database = await openDatabase({ url: db.url, poolMax: 1, now: clock });
    await run(database);
    await sql`select pg_stat_force_next_flush()`.execute(database.sql);
    await database.close();
    const after = await figures();
    return Object.fromEntries(Object.entries(after).map(([table, read]) => [table, read - (before[table] ?? 0)]));
  }

  beforeAll(async () => {
    for (const table of ['users', 'accounts', 'periods', 'ledger_entries'])
      await sql`select setval(pg_get_serial_sequence(${table}, 'id'), 1000000)`.execute(db.database.sql);
    newcomer = await createPerson(db.database);
    // Pending rows come and go, so the planner mostly knows of none.
    await sql`analyze holds`.execute(db.database.sql);
    await sql`insert into holds (account_id, turn_id, run_id, ordinal, tokens, prompt_tokens, output_limit, rate_id, rate_input, rate_cached_input, rate_output, expires_at)
      select t.account_id, t.id, 'live', 1, 1, 1, 1, r.id, r.input, r.cached_input, r.output, ${new Date(NOW + 60_000)}
      from (select id, account_id, row_number() over (partition by account_id order by id) as nth from turns) t
        cross join (select * from model_rates order by id limit 1) r where t.nth <= 10`.execute(db.database.sql);
  });

  test.each<[string, () => number]>([
    ['of the busiest account', () => HOT_ACCOUNT],
    ['of the newest account of all', () => ACCOUNTS],
    ['of somebody who has just come', () => newcomer.accountId],
  ])('%s', async (_, which) => {
    const accountId = which();
    await sql`update periods set allowance_tokens = 1000000000 where account_id = ${accountId}`.execute(
      db.database.sql,
    );
    // Turns run so often that PostgreSQL may use generic plans.
    const read = await countRead(async (database) => {
      for (let i = 0; i < TURNS; i += 1) await runTurn(database, { userId: accountId, accountId, token: '' }, {});
    });
    for (const [table, rows] of Object.entries(read))
      expect([table, rows / TURNS <= MOST_READ[table]! ? 'few' : rows / TURNS]).toEqual([table, 'few']);
  });

  test('of a conversation of a thousand short turns: no more of them than its prompt may hold', async () => {
    const { userId, accountId } = newcomer;
    const conversationId = newId();
    await sql`insert into conversations (id, user_id, last_sequence) values (${conversationId}, ${userId}, 1000)`.execute(
      db.database.sql,
    );
    await sql`insert into turns (id, user_id, account_id, conversation_id, sequence, parent_sequence, state, model, body_hash, question, question_tokens,
        encoding, answer, answer_tokens, attempt, ever_admitted, ended_at)
      select gen_random_uuid(), ${userId}, ${accountId}, ${conversationId}, n, n - 1, 'completed', 'm', '\\x00', 'q', 1, 'o200k_base', 'a', 1, 1, true, now()
      from generate_series(1, 1000) n`.execute(db.database.sql);
    const read = await countRead((database) =>
      runTurn(database, newcomer, { send: { conversationId }, model: { ...MODEL, historyTokens: 40 } }),
    );
    // Four fit, of 10 tokens each. Nine are walked through, each looked up twice, beside what every turn reads.
    expect(read['turns']).toBeLessThanOrEqual(MOST_READ['turns']!);
  });

  test('nor does a grant, or taking it back, read the account’s entries', async () => {
    const read = await countRead(async (database) => {
      for (let i = 0; i < TURNS; i += 1) {
        const { entryId } = await grantTokens(database, {
          userId: HOT_ACCOUNT,
          tokens: 10,
          reason: 'a test',
          key: `grant-${i}`,
        });
        for (const key of ['a', 'b'])
          await reverseGrant(database, { entryId, tokens: 3, reason: 'a test', key: `${key}-${i}` });
      }
    });
    expect(read['ledger_entries']! / TURNS).toBeLessThan(20);
  });

  test('control: a statement that looks for an account by another type is found out', async () => {
    const read = await countRead((database) =>
      sql`select sum(tokens) from holds where account_id::float8 = ${HOT_ACCOUNT} and ended_at is null`.execute(
        database.sql,
      ),
    );
    expect(read['holds']).toBeGreaterThan(1_000);
  });
});
