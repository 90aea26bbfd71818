import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { Client } from 'pg';
import { HOT_ACCOUNT, seedLedger } from '../../bench/seed-ledger.ts';
import { grantTokens } from '../../db/money/grants.ts';
import { proveBooks } from '../../db/money/proof.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { RUNBOOK } from '../support/runbook.ts';
import { clock, createPerson, NOW, only, runTurn, type Person } from './fixture.ts';

const ROWS = 20_000;
let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase({ now: clock });
  const client = new Client({ connectionString: db.url });
  await client.connect();
  await seedLedger(client, { rows: ROWS, accounts: 3_000, months: 3, now: NOW });
  await client.end();
  for (const table of ['users', 'accounts', 'periods', 'ledger_entries'])
    await sql`select setval(pg_get_serial_sequence(${table}, 'id'), 1000000)`.execute(db.database.sql);
});
afterAll(() => db.close());

const prove = (options: Parameters<typeof proveBooks>[1] = {}) => proveBooks(db.database, { sweep: 0, ...options });
const stored = () =>
  only(
    db.database.sql,
    sql<{ throughId: number; completedAt: string | null; mismatches: number }>`
    select through_id::float8 as "throughId", completed_at::text as "completedAt", mismatches from proofs`,
  );

describe('a ledger that was never proved', () => {
  test('is added up once, page by page, also when the proof is ended in between', async () => {
    let steps = 0;
    const ended = prove({
      pageSize: 3_000,
      onStep: () => {
        steps += 1;
        if (steps === 3) throw new Error('the worker leaves');
      },
    });
    await expect(ended).rejects.toThrow('the worker leaves');
    expect(await stored()).toMatchObject({ throughId: 9_000, completedAt: null });
    // The rest, and by two at once.
    const [one, two] = await Promise.all([prove({ pageSize: 3_000 }), prove({ pageSize: 2_000 })]);
    expect(one.entries + two.entries).toBe(ROWS - 9_000);
    expect([one.mismatches, two.mismatches]).toEqual([0, 0]);
    expect(await stored()).toMatchObject({ throughId: ROWS, completedAt: expect.any(String), mismatches: 0 });
    const { sum } = await only(
      db.database.sql,
      sql<{ sum: number }>`select sum(used_tokens)::float8 as sum from proved_periods`,
    );
    const { booked } = await only(
      db.database.sql,
      sql<{ booked: number }>`select sum(used_delta)::float8 as booked from ledger_entries`,
    );
    expect(sum).toBe(booked);
  });
});

describe('a ledger that was proved', () => {
  test('costs what was booked since, however long it is, also for the account with a tenth of it', async () => {
    const person = await createPerson(db.database);
    await runTurn(db.database, person);
    expect(await prove()).toMatchObject({ entries: 1, periods: 1, mismatches: 0 });
    await grantTokens(db.database, { userId: HOT_ACCOUNT, tokens: 7, reason: 'r', key: 'k' });
    expect(await prove()).toMatchObject({ entries: 1, periods: 2, mismatches: 0 });
  });

  test('what differs is named and counted in every proof, until it is mended', async () => {
    const person = await createPerson(db.database);
    await runTurn(db.database, person, { used: 500 });
    expect(await prove()).toMatchObject({ mismatches: 0 });
    await change(person, 1);
    // All that it knows of the account is old now.
    await sql`update proofs set through_id = 2000000`.execute(db.database.sql);
    expect(await prove({ sweep: 100_000 })).toMatchObject({ mismatches: 2, accountIds: [person.accountId] });
    expect(await prove()).toMatchObject({ mismatches: 2, accountIds: [person.accountId] });
    expect((await stored()).mismatches).toBe(2);
    await change(person, -1);
    expect(await prove()).toMatchObject({ mismatches: 0, accountIds: [] });
    expect((await stored()).mismatches).toBe(0);
    await sql`update proofs set through_id = 0`.execute(db.database.sql);
  });

  test('a counter that moved without an entry is found when its turn comes, also in a month that is over', async () => {
    await sql`update periods set used_tokens = used_tokens + 1, spent_allowance_tokens = spent_allowance_tokens + 1, allowance_tokens = allowance_tokens + 1 where id = 4001`.execute(
      db.database.sql,
    );
    await sql`update proofs set through_id = 2000000, swept_id = 0`.execute(db.database.sql);
    const found: number[] = [];
    for (let round = 0; round < 6; round += 1) found.push((await prove({ sweep: 1_500 })).mismatches);
    expect(found).toEqual([0, 0, 1, 1, 1, 1]);
    await sql`update periods set used_tokens = used_tokens - 1, spent_allowance_tokens = spent_allowance_tokens - 1, allowance_tokens = allowance_tokens - 1 where id = 4001`.execute(
      db.database.sql,
    );
    expect((await prove()).mismatches).toBe(0);
    await sql`update proofs set through_id = 0`.execute(db.database.sql);
  });

  test('an entry whose transaction ends after later ones is not forgotten', async () => {
    const [slow, fast] = [await createPerson(db.database), await createPerson(db.database)];
    const client = new Client({ connectionString: db.url });
    await client.connect();
    await client.query('begin');
    await grantBy(client, slow);
    await grantTokens(db.database, { userId: fast.userId, tokens: 5, reason: 'r', key: 'k' });
    expect(await prove()).toMatchObject({ mismatches: 0 });
    await client.query('commit');
    await client.end();
    await runTurn(db.database, slow);
    expect(await prove()).toMatchObject({ entries: 2, mismatches: 0 });
  });

  test('can be added up from its first entry again, as the runbook says', async () => {
    const [, again = ''] = /```sql\n(begin;\n[^`]*proved_periods[^`]*)```/.exec(RUNBOOK) ?? [];
    await sql.raw(again).execute(db.database.sql);
    const { mismatches, entries } = await prove({ sweep: 100_000 });
    expect(mismatches).toBe(0);
    expect(entries).toBeGreaterThan(ROWS);
  });
});

/** Changes a person's period and balance behind the ledger's back. */
async function change({ accountId }: Person, by: number): Promise<void> {
  await sql`update accounts set purchased_tokens = purchased_tokens + ${by} where id = ${accountId}`.execute(
    db.database.sql,
  );
  await sql`update periods set used_tokens = used_tokens + ${by}, spent_allowance_tokens = spent_allowance_tokens + ${by} where account_id = ${accountId}`.execute(
    db.database.sql,
  );
}

/** A grant's booking as PostgreSQL sees it, in a transaction that the test ends. */
async function grantBy(client: Client, { accountId }: Person): Promise<void> {
  const { rows } = await client.query<{ id: string }>('select id from periods where account_id = $1', [accountId]);
  const period =
    rows[0]?.id ??
    (
      await client.query<{ id: string }>(
        `insert into periods (account_id, label, starts_at, ends_at, allowance_tokens)
         values ($1, '2026-11', '2026-10-31T15:00:00Z', '2026-11-30T15:00:00Z', 100000) returning id`,
        [accountId],
      )
    ).rows[0]?.id;
  await client.query('update accounts set purchased_tokens = purchased_tokens + 9 where id = $1', [accountId]);
  await client.query(
    `insert into ledger_entries (account_id, period_id, day, kind, idempotency_key, tokens, purchased_delta, debt_delta, spent_purchased_delta, spent_allowance_delta, overage_delta, used_delta)
     values ($1, $2, '2026-11-15', 'grant', 'slow', 9, 9, 0, 0, 0, 0, 0)`,
    [accountId, period],
  );
}
