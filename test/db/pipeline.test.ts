import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { Client } from 'pg';
import { isUnavailable } from '../../db/driver/availability.ts';
import { first, one, openDatabase, type Tx } from '../../db/database.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { tapPrepared } from '../support/tap.ts';
import { rows } from './fixture.ts';

const root = join(import.meta.dirname, '../..');
let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase({ poolMax: 2 });
  await sql`create table steps (n integer constraint steps_are_unique unique, note text)`.execute(db.database.sql);
});
afterAll(() => db.close());

function insert(n: number, note = '') {
  return sql`insert into steps (n, note) values (${n}, ${note})`;
}

async function stepsFrom(n: number): Promise<number[]> {
  return (
    await rows(db.database.sql, sql<{ n: number }>`select n from steps where n >= ${n} and n < ${n} + 10 order by n`)
  ).map((row) => row.n);
}

describe('a transaction', () => {
  test('runs statements that are begun together in that order, each on what the ones before it left', async () => {
    const [, , found] = await db.database.transaction((tx) =>
      Promise.all([
        insert(10, 'first').execute(tx),
        sql`update steps set note = 'second' where n = 10`.execute(tx),
        one(sql<{ note: string }>`select note from steps where n = 10`, tx),
      ]),
    );
    expect(found).toEqual({ note: 'second' });
  });

  test('reads, after a lock it waited for, what the last holder wrote, though lock and reading were sent together', async () => {
    await insert(20, 'before').execute(db.database.sql);
    const locked = Promise.withResolvers<void>();
    const mayCommit = Promise.withResolvers<void>();
    const holder = db.database.transaction(async (tx) => {
      await sql`update steps set note = 'after' where n = 20`.execute(tx);
      await insert(21).execute(tx);
      locked.resolve();
      await mayCommit.promise;
    });
    await locked.promise;
    const follower = db.database.transaction((tx) =>
      Promise.all([
        one(sql`select 1 from steps where n = 20 for no key update`, tx),
        one(
          sql<{
            note: string;
            others: number;
          }>`select note, (select count(*)::int from steps where n = 21) as others from steps where n = 20`,
          tx,
        ),
      ]),
    );
    await waitingForALock();
    mayCommit.resolve();
    await holder;
    expect((await follower)[1]).toEqual({ note: 'after', others: 1 });
  });

  test('is READ COMMITTED on a connection that has come to another default, as behind a pooler', async () => {
    const pooled = await createTestDatabase({ poolMax: 1 });
    const level = sql<{ level: string }>`select current_setting('transaction_isolation') as level`;
    try {
      await sql`set default_transaction_isolation = 'repeatable read'`.execute(pooled.database.sql);
      expect(await one(level, pooled.database.sql)).toEqual({ level: 'repeatable read' });
      expect(await pooled.database.transaction((tx) => one(level, tx))).toEqual({ level: 'read committed' });
    } finally {
      await pooled.close();
    }
  });

  test('keeps what was written without waiting', async () => {
    await db.database.transaction(async (tx) => {
      tx.write(insert(30));
      tx.write(insert(31));
    });
    expect(await stepsFrom(30)).toEqual([30, 31]);
  });

  test.each<[string, (tx: Tx) => Promise<unknown>]>([
    [
      'while nobody waits',
      async (tx) => {
        tx.write(insert(30));
      },
    ],
    [
      'before a statement that is waited for',
      async (tx) => {
        tx.write(insert(30));
        await one(sql`select 1`, tx);
      },
    ],
    ['and is waited for', (tx) => insert(30).execute(tx)],
  ])('that fails %s keeps nothing and throws the cause', async (_, fail) => {
    const failing = db.database.transaction(async (tx) => {
      tx.write(insert(40));
      await fail(tx);
    });
    await expect(failing).rejects.toMatchObject({ constraint: 'steps_are_unique' });
    expect(await stepsFrom(40)).toEqual([]);
  });

  test('whose failed statement was swallowed is not taken for a committed one', async () => {
    const swallowing = db.database.transaction(async (tx) => {
      await insert(50).execute(tx);
      await insert(30)
        .execute(tx)
        .catch(() => {});
    });
    await expect(swallowing).rejects.toThrow('a transaction with a failed statement was committed');
    expect(await stepsFrom(50)).toEqual([]);
  });

  test('whose work throws keeps nothing, and its connection serves the next', async () => {
    for (let i = 0; i < 5; i += 1) {
      await expect(
        db.database.transaction(async (tx) => {
          tx.write(insert(60 + i));
          throw new Error('changed its mind');
        }),
      ).rejects.toThrow('changed its mind');
    }
    expect(await stepsFrom(60)).toEqual([]);
  });

  test('that loses its connection is unavailable, not half done; the pool goes on', async () => {
    const lost = db.database.transaction(async (tx) => {
      const { pid } = await one(sql<{ pid: number }>`select pg_backend_pid() as pid`, tx);
      tx.write(insert(70));
      await one(sql`select pg_terminate_backend(${pid})`, db.database.sql);
      await one(sql`select 1`, tx);
    });
    expect(isUnavailable(await lost.catch((error: unknown) => error))).toBe(true);
    expect(await stepsFrom(70)).toEqual([]);
  });
});

test('a connection to a node that takes no writes is dropped by the transaction that finds it out', async () => {
  const failed = await createTestDatabase({ poolMax: 1 });
  const pid = sql<{ pid: number }>`select pg_backend_pid() as pid`;
  const write = () => failed.database.transaction((tx) => sql`create table written (n integer)`.execute(tx));
  try {
    const before = await one(pid, failed.database.sql);
    await sql`set default_transaction_read_only = on`.execute(failed.database.sql);
    expect(await one(pid, failed.database.sql)).toEqual(before);
    expect(await write().catch((error: unknown) => isUnavailable(error))).toBe(true);
    expect(await one(pid, failed.database.sql)).not.toEqual(before);
    await write();
  } finally {
    await failed.close();
  }
});

test('a connection has the settings that the money relies on, whatever an operator has set', async () => {
  const wrong = {
    default_transaction_isolation: 'serializable',
    standard_conforming_strings: 'off',
    TimeZone: 'Asia/Seoul',
    search_path: 'elsewhere',
    synchronous_commit: 'off',
  };
  const theirs = await createTestDatabase();
  const name = new URL(theirs.url).pathname.slice(1);
  for (const [setting, value] of Object.entries(wrong))
    await sql.raw(`alter database ${name} set ${setting} = '${value}'`).execute(theirs.database.sql);
  const ours = await openDatabase({ url: theirs.url, poolMax: 1 });
  const seen = sql<Record<string, string>>`select ${sql.join(
    Object.keys(wrong).map((setting) => sql`current_setting(${sql.lit(setting)}) as ${sql.ref(setting)}`),
  )}`;
  const plain = new Client({ connectionString: theirs.url });
  try {
    await plain.connect();
    expect((await plain.query('show search_path')).rows).toEqual([{ search_path: 'elsewhere' }]);
    expect(await one(seen, ours.sql)).toEqual({
      default_transaction_isolation: 'read committed',
      standard_conforming_strings: 'on',
      TimeZone: 'UTC',
      search_path: 'public',
      synchronous_commit: 'on',
    });
  } finally {
    await plain.end();
    await ours.close();
    await theirs.close();
  }
});

test('a statement is parsed and planned once a connection, whatever its values, and whatever another database is asked', async () => {
  const beside = await openDatabase({ url: db.url, poolMax: 1 });
  // As a process whose texts are built from values: more texts than are kept prepared.
  for (let n = 0; n < 600; n += 1) await sql`select ${n}::int as ${sql.ref(`n${n}`)}`.execute(beside.sql);
  await beside.close();
  await db.database.transaction(async (tx) => {
    // A text that nothing has sent before.
    for (const n of [80, 81, 82]) await sql`insert into steps values (${n}, ${'planned once'})`.execute(tx);
    const prepared = await rows(
      tx,
      sql<{
        statement: string;
      }>`select statement from pg_prepared_statements where statement like 'insert into steps values%'`,
    );
    expect(prepared).toEqual([{ statement: 'insert into steps values ($1, $2)' }]);
  });
});

test('two processes that use statements in another order give no name to two texts, nor two names to one', async () => {
  const tap = await tapPrepared(db.url);
  try {
    await Promise.all([prepareElsewhere(tap.url, ['int', 'text']), prepareElsewhere(tap.url, ['text', 'int'])]);
    const prepared = tap.take();
    expect(prepared).toHaveLength(4);
    expect(new Set(prepared).size).toBe(2);
    expect(new Set(prepared.map((statement) => statement.split(' ')[0])).size).toBe(2);
  } finally {
    await tap.close();
  }
});

/** Another process runs a statement for each type, one after the other. */
async function prepareElsewhere(url: string, types: readonly string[]): Promise<void> {
  const script = `import { sql } from 'kysely';
    import { Pool } from 'pg';
    import { onPool } from ${JSON.stringify(join(root, 'db/driver/pipeline.ts'))};
    const pool = new Pool({ connectionString: process.argv[1], max: 1 });
    for (const type of process.argv.slice(2)) await sql\`select \${'1'}::\${sql.raw(type)}\`.execute(onPool(pool));
    await pool.end();`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, url, ...types], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
}

/**
 * Waits until a session of this database waits for a lock. It looks from outside the pool, whose connections are both
 * in use.
 */
async function waitingForALock(): Promise<void> {
  const beside = await openDatabase({ url: db.url, poolMax: 1 });
  try {
    while (
      (await first(
        sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        beside.sql,
      )) === null
    );
  } finally {
    await beside.close();
  }
}
