import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { Client } from 'pg';
import { findWrongBooks } from '../../bench/chaos/books.ts';
import { violatedConstraint } from '../../db/database.ts';
import { proveBooks } from '../../db/money/proof.ts';
import { readOvershoot } from '../../db/reports/figures.ts';
import { findMonth, listDays, listTurnUsage } from '../../db/reports/history.ts';
import { getTurnDetail } from '../../db/reports/turn-detail.ts';
import { releaseTurn } from '../../db/turns/end.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { accept, createPerson, reserve, rows, runTurn, type Person } from './fixture.ts';

const DEPLOY = readFileSync(new URL('../../docs/deploy.md', import.meta.url), 'utf8');
const [, ARCHIVE = ''] = /```sql\n(begin;\n[^`]*delete from holds[^`]*)```/.exec(DEPLOY) ?? [];

let db: TestDatabase;
let person: Person;
let old: string;
let recent: string;
let failed: string;
beforeAll(async () => {
  db = await createTestDatabase();
  person = await createPerson(db.database);
  old = await runTurn(db.database, person, { used: 700 });
  recent = await runTurn(db.database, person, { used: 50 });
  ({ turnId: failed } = await accept(db.database, person));
  await reserve(db.database, failed);
  await releaseTurn(db.database, {
    turnId: failed,
    runId: 'run-1',
    reason: { as: 'failed', code: 'model_unavailable' },
    scheduledAt: Date.now(),
  });
  await sql`update turns set ended_at = now() - interval '63 days' where id in (${old}, ${failed})`.execute(
    db.database.sql,
  );
});
afterAll(() => db.close());

/** Everything that is added up anywhere, and the pages that show it. */
async function sums() {
  const month = await findMonth(db.database, { accountId: person.accountId, month: null });
  const page = { month, limit: 50, cursor: null };
  return {
    tables: await rows(
      db.database.sql,
      sql`select (select jsonb_agg(to_jsonb(a) order by id) from accounts a) as accounts, (select jsonb_agg(to_jsonb(p) order by id) from periods p) as periods,
        (select jsonb_agg(to_jsonb(u) order by day) from usage_rollups u) as rollups, (select jsonb_agg(to_jsonb(e) order by id) from ledger_entries e) as entries`,
    ),
    days: await listDays(db.database, page),
    turns: await listTurnUsage(db.database, page),
    overshoot: await readOvershoot(db.database),
    mismatches: (await proveBooks(db.database)).mismatches,
  };
}

describe('the archive of holds and attempts, as docs/deploy.md says it', () => {
  test('deletes those of answered turns of long ago, and no sum moves, added up anew neither', async () => {
    const before = await sums();
    await sql.raw(ARCHIVE).execute(db.database.sql);
    const left = sql<{
      turnId: string;
    }>`select turn_id as "turnId" from holds union select turn_id from attempts order by 1`;
    expect((await rows(db.database.sql, left)).map(({ turnId }) => turnId)).toEqual([recent, failed].toSorted());
    expect(await sums()).toEqual(before);
    await sql`truncate proved_periods`.execute(db.database.sql);
    await sql`update proofs set through_id = 0`.execute(db.database.sql);
    expect(await sums()).toEqual(before);
    // What chaos checks by SQL of its own still holds for the rest, and an admin still sees the turn and its debit.
    const client = new Client({ connectionString: db.url });
    await client.connect();
    expect(await findWrongBooks(client)).toEqual([]);
    await client.end();
    const detail = await getTurnDetail(db.database, { turnId: old, readContent: null });
    expect(detail).toMatchObject({ holds: [], attempts: [], debits: [{ tokens: 700 }] });
  });

  test('a debit without its turn’s hold is still refused when it is booked', async () => {
    const refusal =
      await sql`insert into ledger_entries (account_id, period_id, day, kind, turn_id, hold_id, rate_id, prompt_tokens, cached_tokens, completion_tokens, tokens, purchased_delta, debt_delta,
        spent_purchased_delta, spent_allowance_delta, overage_delta, used_delta)
      select account_id, period_id, day, kind, ${failed}, gen_random_uuid(), rate_id, prompt_tokens, cached_tokens, completion_tokens, tokens, purchased_delta, debt_delta,
        spent_purchased_delta, spent_allowance_delta, overage_delta, used_delta from ledger_entries where turn_id = ${recent}`
        .execute(db.database.sql)
        .then(() => 'accepted', violatedConstraint);
    expect(refusal).toBe('ledger_debits_have_a_hold');
  });
});
