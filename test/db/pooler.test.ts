import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { Pool } from 'pg';
import { onPool } from '../../db/driver/pipeline.ts';
import { refuseForgetfulPooler } from '../../db/driver/pooler.ts';
import { readConfig } from '../../platform/config/config.ts';
import { createLog } from '../../platform/telemetry/log.ts';
import { createService } from '../../service.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openPgBouncer, type PgBouncer } from '../support/pgbouncer.ts';
import { rows } from './fixture.ts';

const EXECUTIONS = 200;
/** Each as one statement of its own: a column by the name of the number that it gives. */
const STATEMENTS = [0, 1, 2, 3, 4, 5, 6, 7];

let db: TestDatabase;
let sharing: PgBouncer;
let pooled: string;
beforeAll(async () => {
  [db, sharing] = await Promise.all([createTestDatabase(), openPgBouncer('transaction')]);
  pooled = sharing.before(db.url);
});
afterAll(async () => {
  await sharing.close();
  await db.close();
});

interface Seen {
  right: number;
  wrong: number;
  refused: number;
}

/** Eight processes, in whose work the statements come in another order each. */
async function execute(run: (pool: Pool, process: number, statement: number) => Promise<unknown>): Promise<Seen> {
  const seen: Seen = { right: 0, wrong: 0, refused: 0 };
  const processes = STATEMENTS.map(async (process) => {
    const pool = new Pool({ connectionString: pooled, max: 2 });
    for (let turn = 0; turn < EXECUTIONS; turn += 1) {
      const statement = (turn + process) % STATEMENTS.length;
      try {
        seen[(await run(pool, process, statement)) === statement ? 'right' : 'wrong'] += 1;
      } catch (error) {
        // It has none by that name, or another connection's.
        expect(['26000', '42P05']).toContain((error as { code?: string }).code);
        seen.refused += 1;
      }
    }
    await pool.end();
  });
  await Promise.all(processes);
  return seen;
}

describe('through a pooler that mixes up statements', () => {
  test('no execution gives another statement’s rows', async () => {
    const byText = async (pool: Pool, _: number, statement: number) => {
      const text = sql<{
        given: number;
      }>`select ${statement}::int as given, ${sql.lit(statement)} as ${sql.ref(`n${statement}`)}`;
      const [row] = await rows(onPool(pool, db.database.sql.clock), text);
      return row !== undefined && `n${statement}` in row ? row.given : null;
    };
    // Which connection a process is lent is chance: now and then a whole round meets only names that are there.
    const all: Seen = { right: 0, wrong: 0, refused: 0 };
    for (let round = 0; all.refused === 0 && round < 100; round += 1) {
      const seen = await execute(byText);
      for (const what of ['right', 'wrong', 'refused'] as const) all[what] += seen[what];
    }
    expect(all.wrong).toBe(0);
    expect([all.right > 0, all.refused > 0]).toEqual([true, true]);
  });

  test('by names that each process counts for itself, some do', async () => {
    let wrong = 0;
    let round = 0;
    const byNumber = async (pool: Pool, process: number, statement: number) => {
      // Names of an earlier round are all taken on the server's connections: they are refused, and none is wrong.
      const name = `r${round}s${(statement - process + STATEMENTS.length) % STATEMENTS.length}`;
      // It holds its connection for long enough that others are lent another.
      const text = `select $1::int as given, ${statement} as n${statement} from pg_sleep(0.001)`;
      const [row] = (await pool.query<{ given: number }>({ name, text, values: [statement] })).rows;
      return row !== undefined && `n${statement}` in row ? row.given : null;
    };
    // Which connection a process is lent is chance: now and then a whole round meets only names that are not there.
    for (; wrong === 0 && round < 30; round += 1) wrong = (await execute(byNumber)).wrong;
    expect(wrong).toBeGreaterThan(0);
  });

  test('the start is refused with a sentence', async () => {
    const service = createService(readConfig({ DATABASE_URL: pooled, REDIS_URL: 'redis://127.0.0.1:9' }), {
      log: createLog({ name: 'test', level: 'silent' }),
      readSdk: null,
    });
    await expect(service.start()).rejects.toThrow('DATABASE_URL: the pooler before PostgreSQL mixes up or forgets');
  });
});

test('a pooler that lends a connection for the whole session is taken, and so is PostgreSQL itself', async () => {
  const lending = await openPgBouncer('session');
  try {
    await refuseForgetfulPooler(lending.before(db.url));
    await refuseForgetfulPooler(db.url);
  } finally {
    await lending.close();
  }
});
