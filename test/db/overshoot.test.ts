import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { createFigures, readLiveFigures, readOvershoot } from '../../db/reports/figures.ts';
import { grantTokens, reverseGrant } from '../../db/money/grants.ts';
import { settleTurn } from '../../db/turns/settle.ts';
import { setTestUsage } from '../../db/money/usage.ts';
import { nextPeriod } from '../../domain/period.ts';
import { atInstant, clockFrom } from '../support/clock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  accept,
  balanceOf,
  createPerson,
  debitsOf,
  newId,
  open,
  reserve,
  store,
  storedAnswer,
  type Person,
} from './fixture.ts';

// Holds and entries have the database's own time, so these tests happen now.
const clock = clockFrom(Date.now);
let db: TestDatabase;
let person: Person;
beforeAll(async () => {
  db = await createTestDatabase({ now: clock });
});
afterAll(() => db.close());
beforeEach(async () => {
  person = await createPerson(db.database, { allowance: 10_000 });
});

/**
 * Makes a turn with its answer stored, ready to settle. `held` is what a broken admission, which checks no ceiling,
 * would have held.
 */
async function answered(used: number, held?: number) {
  const { turnId } = await accept(db.database, person, { askedOutput: 256 });
  const reserved = await reserve(db.database, turnId);
  if (reserved.kind !== 'held') throw new Error(`not held: ${JSON.stringify(reserved)}`);
  const { number } = await open(db.database, turnId);
  const usage = { promptTokens: 0, cachedTokens: 0, completionTokens: used, reasoningTokens: 0 };
  const answer = await storedAnswer(store(db.database, turnId, number, { usage }));
  return {
    turnId,
    async settle(at?: number) {
      if (held !== undefined)
        await sql`update holds set tokens = ${held} where turn_id = ${turnId}`.execute(db.database.sql);
      await atInstant(at, () => settleTurn(db.database, { turnId, answer }));
    },
  };
}

const usedTo = (percent: number) => setTestUsage(db.database, { accountId: person.accountId, percent });
const grant = (tokens: number) =>
  grantTokens(db.database, { userId: person.userId, tokens, reason: 'test', key: newId() });
const reverse = (entryId: number, tokens: number) =>
  reverseGrant(db.database, { entryId, tokens, reason: 'test', key: newId() });
const overshoot = () => readOvershoot(db.database);

describe('what explains a debit beyond 105 %', () => {
  test('nothing has to: a turn that ends under the ceiling', async () => {
    await usedTo(99);
    await (await answered(250)).settle();
    expect(await balanceOf(db.database.sql, person.accountId)).toMatchObject({ used: 10_150, overage: 150 });
    expect(await overshoot()).toBe(0);
  });

  test('a provider that charged beyond the hold', async () => {
    await usedTo(99);
    const { turnId, settle } = await answered(2_000);
    await settle();
    expect(await debitsOf(db.database.sql, turnId)).toMatchObject([{ tokens: 2_000, overHold: true }]);
    expect(await overshoot()).toBe(0);
  });

  test("another turn's provider did, while this hold stood", async () => {
    await usedTo(99);
    const within = await answered(200);
    const beyond = await answered(2_000);
    await beyond.settle();
    await within.settle();
    expect(await debitsOf(db.database.sql, within.turnId)).toMatchObject([{ overHold: false, ceilingMoved: true }]);
    expect(await overshoot()).toBe(0);
  });

  test('a reversal under a live hold', async () => {
    const { entryId } = await grant(10_000);
    const { turnId, settle } = await answered(12_000, 12_000);
    await reverse(entryId, 10_000);
    await settle();
    expect(await debitsOf(db.database.sql, turnId)).toMatchObject([{ overHold: false, ceilingMoved: true }]);
    expect(await overshoot()).toBe(0);
  });

  test('a reset under a live hold that the new month has no room for', async () => {
    await grant(10_000);
    await usedTo(50);
    const { turnId, settle } = await answered(12_000, 12_000);
    await settle(nextPeriod(null, Date.now(), 'Asia/Seoul').endsAt + 1_000);
    expect(await balanceOf(db.database.sql, person.accountId)).toMatchObject({
      used: 12_000,
      allowance: 10_000,
      purchased: 0,
    });
    expect(await debitsOf(db.database.sql, turnId)).toMatchObject([{ overHold: false, ceilingMoved: true }]);
    expect(await overshoot()).toBe(0);
  });
});

describe('what nothing explains', () => {
  // Every later check of this database sees what these leave behind.
  let before = 0;
  beforeEach(async () => {
    before = await overshoot();
  });

  test('two turns let in where there was room for one: the tokens above the ceiling', async () => {
    await usedTo(99);
    const turns = [await answered(500, 500), await answered(500, 500)];
    for (const { settle } of turns) await settle();
    expect((await balanceOf(db.database.sql, person.accountId)).used).toBe(10_900);
    expect(await debitsOf(db.database.sql, turns[1]?.turnId ?? '')).toMatchObject([
      { overHold: false, ceilingMoved: true },
    ]);
    expect((await overshoot()) - before).toBe(400);
  });

  test('a ceiling that came down before the hold was made explains nothing', async () => {
    const { entryId } = await grant(1_000);
    await reverse(entryId, 1_000);
    await usedTo(99);
    await sql`alter table ledger_entries disable trigger user`.execute(db.database.sql);
    await sql`update ledger_entries set created_at = created_at - interval '1 hour' where account_id = ${person.accountId}`.execute(
      db.database.sql,
    );
    await sql`alter table ledger_entries enable trigger user`.execute(db.database.sql);
    await (await answered(1_000, 1_000)).settle();
    expect((await overshoot()) - before).toBe(400);
  });

  test('what a provider charged beyond the hold explains that much and no more', async () => {
    await usedTo(99);
    await (await answered(1_000, 700)).settle();
    expect((await overshoot()) - before).toBe(100);
  });

  test('it is asked for by an index of its own, not by reading the debits of everybody', async () => {
    const plan = await db.database.transaction(async (tx) => {
      // Many debits, of turns that need not exist, so that the cost shows.
      await sql`set local session_replication_role = replica`.execute(tx);
      await sql`insert into ledger_entries overriding system value
        select (jsonb_populate_record(null::ledger_entries, to_jsonb(e) || jsonb_build_object('id', 1000000 + n, 'turn_id', gen_random_uuid(), 'tokens', 5, 'purchased_delta', 0, 'debt_delta', 0,
          'spent_purchased_delta', 0, 'spent_allowance_delta', 5, 'overage_delta', 0, 'used_delta', 5))).*
        from (select * from ledger_entries where kind = 'debit' limit 1) e, generate_series(1, 5000) n`.execute(tx);
      await sql`analyze ledger_entries`.execute(tx);
      const { rows } = await sql<{
        'QUERY PLAN': string;
      }>`explain select distinct account_id, period_id from ledger_entries
        where kind = 'debit' and overage_delta > 0 and created_at > now() - interval '1 day'`.execute(tx);
      await sql`delete from ledger_entries where id > 1000000`.execute(tx);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });
    expect(plan).toContain('ledger_overage_debits');
  });
});

describe('figures of a scrape', () => {
  test('live turns, holds and their tokens, and nothing of what has ended or expired', async () => {
    const before = await readLiveFigures(db.database);
    const { turnId } = await accept(db.database, person);
    expect(await readLiveFigures(db.database)).toEqual({ ...before, liveTurns: before.liveTurns + 1 });
    await reserve(db.database, turnId);
    const {
      rows: [hold],
    } = await sql<{ tokens: number }>`select tokens::float8 as tokens from holds where turn_id = ${turnId}`.execute(
      db.database.sql,
    );
    expect(await readLiveFigures(db.database)).toEqual({
      liveTurns: before.liveTurns + 1,
      liveHolds: before.liveHolds + 1,
      heldTokens: before.heldTokens + (hold?.tokens ?? 0),
    });
    await sql`update holds set expires_at = now() where turn_id = ${turnId}`.execute(db.database.sql);
    expect(await readLiveFigures(db.database)).toEqual({ ...before, liveTurns: before.liveTurns + 1 });
  });

  test('a look that failed is not remembered, one that succeeded is asked of PostgreSQL once', async () => {
    const figures = createFigures(db.database);
    const [one, two] = await Promise.all([figures(), figures()]);
    expect(one).toEqual(two);
    const closed = await createTestDatabase({ now: clock });
    const lost = createFigures(closed.database);
    await closed.close();
    await expect(lost()).rejects.toThrow();
    await expect(lost()).rejects.toThrow();
  });
});
