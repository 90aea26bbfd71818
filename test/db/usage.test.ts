import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { grantTokens, reverseGrant } from '../../db/money/grants.ts';
import { settleTurn } from '../../db/turns/settle.ts';
import { findTurn } from '../../db/turns/turns.ts';
import { readUsage, setTestUsage } from '../../db/money/usage.ts';
import { updateProfile } from '../../db/people/users.ts';
import { atInstant } from '../support/clock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  accept,
  balanceOf,
  clock,
  createPerson,
  debitsOf,
  newId,
  NOW,
  open,
  reserve,
  rows,
  runTurn,
  store,
  storedAnswer,
  type Person,
} from './fixture.ts';

let db: TestDatabase;
let person: Person;
beforeAll(async () => {
  db = await createTestDatabase({ now: clock });
});
afterAll(() => db.close());
beforeEach(async () => {
  person = await createPerson(db.database);
});

const usage = (now = NOW) => atInstant(now, () => readUsage(db.database, { accountId: person.accountId }));
const grant = (tokens: number, now = NOW) =>
  atInstant(now, () => grantTokens(db.database, { userId: person.userId, tokens, reason: 'r', key: newId() }));
const testUsage = (percent: number, now = NOW) =>
  atInstant(now, () => setTestUsage(db.database, { accountId: person.accountId, percent }));
const END_OF_NOVEMBER = Date.parse('2026-12-01T00:00:00+09:00');
const periods = () =>
  rows(
    db.database.sql,
    sql<{
      label: string;
      startsAt: number;
      endsAt: number;
      used: number;
    }>`select label, extract(epoch from starts_at)::float8 * 1000 as "startsAt",
  extract(epoch from ends_at)::float8 * 1000 as "endsAt", used_tokens::float8 as used from periods where account_id = ${person.accountId} order by starts_at`,
  );

describe('what an account is shown', () => {
  test('a new account has its allowance, all of it left', async () => {
    expect(await usage()).toEqual({
      period: { label: '2026-11', startsAt: Date.parse('2026-11-01T00:00:00+09:00'), endsAt: END_OF_NOVEMBER },
      asOf: NOW,
      allowanceTokens: 100_000,
      purchasedTokens: 0,
      totalAvailable: 100_000,
      usedTokens: 0,
      heldTokens: 0,
      remainingTokens: 100_000,
      usagePercent: 0,
      level: 'NORMAL',
      canSend: true,
      estimatedTurns: 111,
      resetsAt: END_OF_NOVEMBER,
      depletesAt: null,
      suspended: false,
    });
  });

  test('when the tokens run out, from the rollups of 7 days in both months that they lie in, and not by adjustments', async () => {
    const noon = (day: string) => Date.parse(`${day}T12:00:00+09:00`);
    const now = noon('2026-12-04');
    for (const [day, used] of [
      ['2026-11-27', 50_000],
      ['2026-11-28', 5_000],
      ['2026-12-01', 20_000],
    ] as const)
      await runTurn(db.database, person, { used, now: noon(day) });
    // The database dates an entry by its own clock.
    const dateEntries = (at: number) =>
      db.database.transaction(async (tx) => {
        await sql`set local session_replication_role = replica`.execute(tx);
        await sql`update ledger_entries set created_at = ${new Date(at)} where account_id = ${person.accountId}`.execute(
          tx,
        );
      });
    await dateEntries(now - 86_400_000 + 1);
    expect((await usage(now)).depletesAt).toBeNull();
    await dateEntries(noon('2026-11-27'));
    // 25,000 in six and a half days, so 80,000 last 20.8 days.
    expect((await usage(now)).depletesAt).toBe(now + 20.8 * 86_400_000);
    await testUsage(60, now);
    expect((await usage(now)).depletesAt).toBe(now + 10.4 * 86_400_000);
  });

  test('the same figures that admission decides by: held while a turn runs, used when it has settled (G7)', async () => {
    const { turnId } = await accept(db.database, person);
    await reserve(db.database, turnId);
    const { number, hold } = await open(db.database, turnId);
    expect(await usage()).toMatchObject({ heldTokens: hold.tokens, usedTokens: 0, remainingTokens: 100_000 });
    const answer = await storedAnswer(store(db.database, turnId, number));
    expect(await usage()).toMatchObject({ heldTokens: hold.tokens });
    await settleTurn(db.database, { turnId, answer });
    expect(await usage()).toMatchObject({ heldTokens: 0, usedTokens: 11, remainingTokens: 99_989 });
  });

  test('a hold past its expiry is no longer counted, to the millisecond', async () => {
    const { turnId } = await accept(db.database, person);
    await reserve(db.database, turnId);
    const expiry = NOW + 60_000 + 100 * 2_048 + 120_000;
    expect((await usage(expiry - 1)).heldTokens).toBeGreaterThan(0);
    expect((await usage(expiry)).heldTokens).toBe(0);
  });

  test('the estimate of turns uses the mean of the last 20 debits, and 900 until there are 5; adjustments are not in it', async () => {
    for (let i = 0; i < 4; i++) await runTurn(db.database, person, { used: 100 });
    expect((await usage()).estimatedTurns).toBe(Math.floor(99_600 / 900));
    await runTurn(db.database, person, { used: 100 });
    expect((await usage()).estimatedTurns).toBe(995);
    for (let i = 0; i < 20; i++) await runTurn(db.database, person, { used: 10 });
    expect((await usage()).estimatedTurns).toBe((100_000 - 500 - 200) / 10);
    await testUsage(50);
    expect((await usage()).estimatedTurns).toBe(5_000);
  });

  test('comes from one snapshot: used + held never goes down while turns settle for exactly what they held', async () => {
    let running = true;
    let reads = 0;
    const seen: number[] = [];
    const reader = async () => {
      while (running) {
        const { usedTokens, heldTokens } = await usage();
        seen.push(usedTokens + heldTokens);
        reads++;
      }
    };
    const writer = async () => {
      for (let i = 0; i < 40; i++) {
        const { turnId } = await accept(db.database, person, { askedOutput: 1_000 });
        await reserve(db.database, turnId);
        const { number, hold } = await open(db.database, turnId);
        const whole = { promptTokens: 0, cachedTokens: 0, completionTokens: hold.tokens, reasoningTokens: 0 };
        const answer = await storedAnswer(store(db.database, turnId, number, { usage: whole }));
        await settleTurn(db.database, { turnId, answer });
      }
      running = false;
    };
    await usage();
    await Promise.all([writer(), reader()]);
    expect(reads).toBeGreaterThan(50);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });
});

describe('a warning on the answer', () => {
  test.each([
    [89_998, null],
    [89_999, 'WARNING'],
    [94_999, 'CRITICAL'],
    [104_600, 'BLOCKED'],
  ] as const)('after a debit of 1 that leaves %i + 1 used: %s', async (used, level) => {
    await usage();
    const { turnId } = await accept(db.database, person, { askedOutput: 1 });
    await reserve(db.database, turnId);
    const { number } = await open(db.database, turnId);
    await sql`update periods set used_tokens = ${used}::bigint, spent_allowance_tokens = least(${used}::bigint, 100000), overage_tokens = greatest(${used}::bigint - 100000, 0)
      where account_id = ${person.accountId}`.execute(db.database.sql);
    const answer = await storedAnswer(
      store(db.database, turnId, number, {
        usage: { promptTokens: 0, cachedTokens: 0, completionTokens: 1, reasoningTokens: 0 },
      }),
    );
    await settleTurn(db.database, { turnId, answer });
    const turn = await findTurn(db.database, { turnId, userId: null });
    expect(turn?.warning?.level ?? null).toBe(level);
    if (level === 'WARNING')
      expect(turn?.warning).toEqual({ level: 'WARNING', percentLeft: 10, remainingTokens: 10_000, estimatedTurns: 11 });
  });
});

describe('the first touch of a new period rolls the account over', () => {
  test('a millisecond before midnight in Seoul nothing changes; at midnight used is 0 and purchased tokens carry over', async () => {
    await grant(500);
    await runTurn(db.database, person, { used: 2_500 });
    expect(await usage(END_OF_NOVEMBER - 1)).toMatchObject({
      usedTokens: 2_500,
      period: { label: '2026-11' },
      purchasedTokens: 0,
    });
    await grant(300, END_OF_NOVEMBER - 1);
    expect(await usage(END_OF_NOVEMBER)).toMatchObject({
      usedTokens: 0,
      period: { label: '2026-12' },
      purchasedTokens: 300,
      totalAvailable: 100_300,
      level: 'NORMAL',
    });
  });

  test('forgives standing overage; debt carries over', async () => {
    const { entryId } = await grant(1_000);
    await runTurn(db.database, person, { used: 102_000 });
    await reverseGrant(db.database, { entryId, tokens: 400, reason: 'r', key: newId() });
    expect(await balanceOf(db.database.sql, person.accountId)).toMatchObject({ overage: 1_000, debt: 400 });
    await usage(END_OF_NOVEMBER);
    expect(await balanceOf(db.database.sql, person.accountId)).toMatchObject({
      overage: 0,
      debt: 400,
      used: 0,
      label: '2026-12',
    });
    expect(await grant(1_000, END_OF_NOVEMBER)).toMatchObject({ purchasedTokens: 600, debtTokens: 0 });
  });

  test('by 20 readers at once opens one period', async () => {
    await usage();
    const read = await Promise.all(Array.from({ length: 20 }, () => usage(END_OF_NOVEMBER)));
    expect(new Set(read.map((state) => JSON.stringify(state))).size).toBe(1);
    expect((await periods()).map(({ label }) => label)).toEqual(['2026-11', '2026-12']);
  });

  test('by a grant, a reservation, and test usage too', async () => {
    for (const touch of [
      () => grant(5, END_OF_NOVEMBER),
      async () => reserve(db.database, (await accept(db.database, person)).turnId, { now: END_OF_NOVEMBER }),
      () => testUsage(10, END_OF_NOVEMBER),
    ]) {
      person = await createPerson(db.database);
      await usage();
      await touch();
      expect((await periods()).map(({ label }) => label)).toEqual(['2026-11', '2026-12']);
    }
  });

  test('three months untouched: one new period, of the present month', async () => {
    await usage();
    expect((await usage(Date.parse('2027-02-10T00:00:00+09:00'))).period).toEqual({
      label: '2027-02',
      startsAt: END_OF_NOVEMBER,
      endsAt: Date.parse('2027-03-01T00:00:00+09:00'),
    });
    expect(await periods()).toHaveLength(2);
  });

  test('a debit is booked in the period that is open when it settles; the closed one never changes', async () => {
    await runTurn(db.database, person, { used: 700 });
    const { turnId } = await accept(db.database, person);
    await reserve(db.database, turnId, { now: END_OF_NOVEMBER - 1_000 });
    const { number } = await open(db.database, turnId, { now: END_OF_NOVEMBER - 1_000 });
    const answer = await storedAnswer(store(db.database, turnId, number, { now: END_OF_NOVEMBER - 1 }));
    await atInstant(END_OF_NOVEMBER, () => settleTurn(db.database, { turnId, answer }));
    expect(await debitsOf(db.database.sql, turnId)).toMatchObject([{ tokens: 11, label: '2026-12' }]);
    expect((await periods()).map(({ used }) => used)).toEqual([700, 11]);
  });

  test('a plan’s new allowance holds from the next period on', async () => {
    await usage();
    await sql`update accounts set monthly_allowance_tokens = 5 where id = ${person.accountId}`.execute(db.database.sql);
    expect((await usage()).allowanceTokens).toBe(100_000);
    expect((await usage(END_OF_NOVEMBER)).allowanceTokens).toBe(5);
  });

  test('a zone change keeps the end that was fixed, also on an account never touched', async () => {
    await updateProfile(db.database, { userId: person.userId, timeZone: 'America/New_York' });
    expect(await usage()).toMatchObject({ resetsAt: END_OF_NOVEMBER });
    expect((await usage(END_OF_NOVEMBER)).period).toEqual({
      label: '2026-12',
      startsAt: END_OF_NOVEMBER,
      endsAt: Date.parse('2027-01-01T00:00:00-05:00'),
    });
  });
});

describe('test usage', () => {
  test.each([
    [0, 0, 'NORMAL'],
    [80, 80_000, 'NOTICE'],
    [92.5, 92_500, 'WARNING'],
    [95, 95_000, 'CRITICAL'],
    [105, 105_000, 'BLOCKED'],
  ] as const)('%d %% sets used to %i: %s', async (percent, used, level) => {
    await runTurn(db.database, person, { used: 40_000 });
    expect(await testUsage(percent)).toMatchObject({ usedTokens: used, level });
    const adjustments = await rows(
      db.database.sql,
      sql`select tokens::int as tokens from ledger_entries where account_id = ${person.accountId} and kind = 'adjustment'`,
    );
    expect(adjustments).toEqual([{ tokens: used - 40_000 }]);
  });

  test('is rounded up and never above the ceiling', async () => {
    person = await createPerson(db.database, { allowance: 99_999 });
    expect((await testUsage(90)).usedTokens).toBe(90_000);
    expect((await testUsage(105)).usedTokens).toBe(104_998);
  });

  test('at the level where it stands already it books nothing', async () => {
    await testUsage(50);
    await testUsage(50);
    expect(
      await rows(db.database.sql, sql`select 1 from ledger_entries where account_id = ${person.accountId}`),
    ).toHaveLength(1);
  });

  test('is tokens_held under a live hold, and works once it is released or expired', async () => {
    const { turnId } = await accept(db.database, person);
    await reserve(db.database, turnId);
    await expect(testUsage(50)).rejects.toMatchObject({ code: 'tokens_held' });
    expect(await usage()).toMatchObject({ usedTokens: 0 });
    expect(await testUsage(50, NOW + 3_600_000)).toMatchObject({ usedTokens: 50_000 });
  });
});
