import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { violatedConstraint } from '../../db/database.ts';
import { grantTokens, reverseGrant } from '../../db/money/grants.ts';
import { proveBooks } from '../../db/money/proof.ts';
import { settleTurn } from '../../db/turns/settle.ts';
import { setTestUsage } from '../../db/money/usage.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  accept,
  balanceOf,
  createPerson,
  debitsOf,
  MODEL,
  newId,
  only,
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
  db = await createTestDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  person = await createPerson(db.database);
});

const grant = (tokens: number, key = newId()) =>
  grantTokens(db.database, { userId: person.userId, tokens, reason: 'test', key });
const reverse = (entryId: number, tokens: number, key = newId()) =>
  reverseGrant(db.database, { entryId, tokens, reason: 'test', key });
const balance = () => balanceOf(db.database.sql, person.accountId);
const run = (statement: { execute(on: typeof db.database.sql): Promise<unknown> }) =>
  statement.execute(db.database.sql);
const refusal = (statement: { execute(on: typeof db.database.sql): Promise<unknown> }) =>
  run(statement).then(
    () => 'accepted',
    (error: unknown) => violatedConstraint(error) ?? error,
  );

describe('the ledger is append-only', () => {
  test.each([
    ['update', sql`update ledger_entries set tokens = tokens`],
    ['delete', sql`delete from ledger_entries`],
    ['truncate', sql`truncate ledger_entries, purchase_bookings, redemptions`],
    ['truncate with what hangs on it', sql`truncate ledger_entries cascade`],
  ])('%s is refused', async (_, statement) => {
    await grant(10);
    expect(await refusal(statement)).toBe('ledger_is_append_only');
    expect(
      await rows(db.database.sql, sql`select 1 from ledger_entries where account_id = ${person.accountId}`),
    ).toHaveLength(1);
  });
});

describe('the database refuses a bad row', () => {
  async function insert(change: Record<string, unknown>) {
    await grant(1);
    const { periodId } = await only(
      db.database.sql,
      sql<{ periodId: string }>`select id as "periodId" from periods where account_id = ${person.accountId}`,
    );
    const entry = {
      account_id: person.accountId,
      period_id: periodId,
      day: '2026-11-15',
      kind: 'grant',
      tokens: 5,
      purchased_delta: 5,
      debt_delta: 0,
      spent_purchased_delta: 0,
      spent_allowance_delta: 0,
      overage_delta: 0,
      used_delta: 0,
      ...change,
    };
    return refusal(
      sql`insert into ledger_entries (${sql.join(Object.keys(entry).map((name) => sql.ref(name)))}) values (${sql.join(Object.values(entry))})`,
    );
  }

  test('a sound grant, reversal, and adjustment both ways pass: the control', async () => {
    expect(await insert({})).toBe('accepted');
    expect(await insert({ kind: 'reversal', tokens: -5, purchased_delta: -3, debt_delta: 2 })).toBe('accepted');
    expect(
      await insert({
        kind: 'adjustment',
        purchased_delta: -2,
        spent_purchased_delta: 2,
        spent_allowance_delta: 3,
        used_delta: 5,
      }),
    ).toBe('accepted');
    expect(
      await insert({
        kind: 'adjustment',
        tokens: -5,
        purchased_delta: 2,
        spent_purchased_delta: -2,
        spent_allowance_delta: -3,
        used_delta: -5,
      }),
    ).toBe('accepted');
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['an unknown kind', { kind: 'gift' }, 'ledger_kind_is_known'],
    [
      'a debit without turn and hold',
      { kind: 'debit', purchased_delta: -5, spent_purchased_delta: 5, used_delta: 5 },
      'ledger_debits_have_a_hold',
    ],
    [
      'a grant that says what was metered',
      { rate_id: MODEL.rate.id, prompt_tokens: 1, cached_tokens: 0, completion_tokens: 1 },
      'ledger_debits_say_what_was_metered',
    ],
    [
      'more cached tokens than prompt',
      { prompt_tokens: 1, cached_tokens: 2, completion_tokens: 0 },
      'ledger_cached_tokens_lie_inside_the_prompt',
    ],
    ['a grant of nothing', { tokens: 0, purchased_delta: 0 }, 'ledger_sign_fits_the_kind'],
    ['a negative grant', { tokens: -5, purchased_delta: -5 }, 'ledger_sign_fits_the_kind'],
    ['a positive reversal', { kind: 'reversal' }, 'ledger_sign_fits_the_kind'],
    ['an adjustment of nothing', { kind: 'adjustment', tokens: 0, purchased_delta: 0 }, 'ledger_sign_fits_the_kind'],
    [
      'a use that its parts do not add up to',
      { kind: 'adjustment', spent_allowance_delta: 4, purchased_delta: 0, used_delta: 5 },
      'ledger_used_is_what_was_spent',
    ],
    [
      'a use that is not the amount',
      { kind: 'adjustment', spent_allowance_delta: 4, purchased_delta: 0, used_delta: 4 },
      'ledger_uses_are_debits_and_adjustments',
    ],
    [
      'a grant that is used at once',
      { used_delta: 5, spent_purchased_delta: 5, purchased_delta: 0 },
      'ledger_uses_are_debits_and_adjustments',
    ],
    ['a grant of which a token vanishes', { purchased_delta: 4 }, 'ledger_purchased_tokens_are_conserved'],
    ['a grant that invents a token', { purchased_delta: 6 }, 'ledger_purchased_tokens_are_conserved'],
    [
      'a reversal that forgets the debt',
      { kind: 'reversal', tokens: -5, purchased_delta: -3 },
      'ledger_purchased_tokens_are_conserved',
    ],
    [
      'an amount beyond exact numbers',
      { tokens: 100_000_000_000_001, purchased_delta: 100_000_000_000_001 },
      'token_delta_is_a_safe_integer',
    ],
  ])('%s', async (_, change, constraint) => {
    expect(await insert(change)).toBe(constraint);
  });

  test.each([
    ['a negative balance', sql`update accounts set purchased_tokens = -1`, 'token_count_is_a_safe_integer'],
    ['a negative debt', sql`update accounts set debt_tokens = -1`, 'token_count_is_a_safe_integer'],
    ['more than 10^14', sql`update accounts set purchased_tokens = 100000000000001`, 'token_count_is_a_safe_integer'],
    ['exactly 10^14 passes', sql`update accounts set monthly_allowance_tokens = 100000000000000`, 'accepted'],
    [
      'an overspent allowance',
      sql`update periods set spent_allowance_tokens = allowance_tokens + 1, used_tokens = allowance_tokens + 1`,
      'periods_allowance_is_not_overspent',
    ],
    [
      'used without parts',
      sql`update periods set used_tokens = used_tokens + 1`,
      'periods_used_is_the_sum_of_its_parts',
    ],
    [
      'overage before the allowance is spent',
      sql`update periods set overage_tokens = 1, used_tokens = 1`,
      'periods_overage_only_after_the_allowance',
    ],
    [
      'overage after it passes',
      sql`update periods set overage_tokens = 1, spent_allowance_tokens = allowance_tokens, used_tokens = allowance_tokens + 1`,
      'accepted',
    ],
    [
      'a period that ends before it starts',
      sql`update periods set ends_at = starts_at`,
      'periods_end_after_they_start',
    ],
    ['a label that is no month', sql`update periods set label = '2026-13'`, 'periods_label_is_a_month'],
  ])('%s', async (_, statement, constraint) => {
    await grant(5);
    const rolledBack = db.database.transaction(async (tx) => {
      await statement.execute(tx);
      throw new Error('accepted');
    });
    expect(await rolledBack.catch((error: Error) => violatedConstraint(error) ?? error.message)).toBe(constraint);
  });

  test('a second period of the same month, a second debit of a turn, and a second use of a key', async () => {
    const turnId = await runTurn(db.database, person);
    await grant(5, 'k');
    expect(
      await refusal(sql`insert into periods (account_id, label, starts_at, ends_at, allowance_tokens)
      select account_id, label, starts_at + interval '1 s', ends_at, 1 from periods where account_id = ${person.accountId}`),
    ).toBe('periods_one_per_account_and_month');
    const columns =
      sql.raw(`account_id, period_id, day, kind, turn_id, hold_id, rate_id, prompt_tokens, cached_tokens, completion_tokens, idempotency_key, tokens, purchased_delta, debt_delta,
      spent_purchased_delta, spent_allowance_delta, overage_delta, used_delta`);
    expect(
      await refusal(
        sql`insert into ledger_entries (${columns}) select ${columns} from ledger_entries where turn_id = ${turnId}`,
      ),
    ).toBe('ledger_one_debit_a_turn');
    expect(
      await refusal(
        sql`insert into ledger_entries (${columns}) select ${columns} from ledger_entries where account_id = ${person.accountId} and kind = 'grant'`,
      ),
    ).toBe('ledger_one_entry_a_key');
  });
});

describe('the counters equal the sum of the entries', () => {
  const mismatches = async () => (await proveBooks(db.database)).mismatches;

  test('after every kind of entry, and a planted difference in an account or a period is found', async () => {
    await runTurn(db.database, person, { used: 700 });
    const { entryId } = await grant(500);
    await reverse(entryId, 200);
    await setTestUsage(db.database, { accountId: person.accountId, percent: 50 });
    const before = await mismatches();
    await run(sql`update accounts set purchased_tokens = purchased_tokens + 1 where id = ${person.accountId}`);
    expect(await mismatches()).toBe(before + 1);
    await run(
      sql`update periods set spent_allowance_tokens = spent_allowance_tokens + 1, used_tokens = used_tokens + 1 where account_id = ${person.accountId}`,
    );
    expect(await mismatches()).toBe(before + 2);
    await run(
      sql`update accounts set purchased_tokens = purchased_tokens - 1, debt_tokens = debt_tokens + 1 where id = ${person.accountId}`,
    );
    expect(await mismatches()).toBe(before + 2);
  });
});

describe('grants and reversals', () => {
  test('a grant is at once in the balance and in the decision; the same key grants once, another amount is a conflict (G22)', async () => {
    const first = await grant(5_000, 'key');
    expect(first).toMatchObject({ purchasedTokens: 5_000, debtTokens: 0, repeated: false });
    expect(await grant(5_000, 'key')).toEqual({ ...first, repeated: true });
    await expect(grant(5_001, 'key')).rejects.toMatchObject({ code: 'idempotency_conflict' });
    expect(
      await Promise.all(Array.from({ length: 8 }, () => grant(5_000, 'key').then(({ entryId }) => entryId))),
    ).toEqual(Array(8).fill(first.entryId));
    expect(await balance()).toMatchObject({ purchased: 5_000 });
  });

  test('pays overage, then debt, then adds to the balance', async () => {
    const { entryId } = await grant(1_000);
    // 1,000 purchased + 100,000 + 2,000 over; admitted small, charged by the provider
    await runTurn(db.database, person, { used: 103_000 });
    await reverse(entryId, 1_000); // nothing left: debt
    expect(await balance()).toMatchObject({
      purchased: 0,
      debt: 1_000,
      overage: 2_000,
      used: 103_000,
      spentPurchased: 1_000,
    });
    expect(await grant(3_500)).toMatchObject({ purchasedTokens: 500, debtTokens: 0 });
    expect(await balance()).toMatchObject({
      purchased: 500,
      debt: 0,
      overage: 0,
      used: 103_000,
      spentPurchased: 3_000,
    });
  });

  test('a reversal is linked, takes the balance down to 0, leaves the rest as debt, and never touches the allowance (G23)', async () => {
    const { entryId } = await grant(1_000);
    await runTurn(db.database, person, { used: 600 });
    const before = await balance();
    const reversed = await reverse(entryId, 1_000);
    expect(reversed).toMatchObject({ purchasedTokens: 0, debtTokens: 600, repeated: false });
    expect(await balance()).toEqual({ ...before, purchased: 0, debt: 600 });
    expect(
      await rows(
        db.database.sql,
        sql`select reverses_id::int as reverses, tokens::int as tokens from ledger_entries where id = ${reversed.entryId}`,
      ),
    ).toEqual([{ reverses: entryId, tokens: -1_000 }]);
  });

  test('reversals of one grant never add up to more than it granted, also 10 at once', async () => {
    const { entryId } = await grant(1_000);
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => reverse(entryId, 300)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'invalid_request' });
    await reverse(entryId, 100);
    expect(await balance()).toMatchObject({ purchased: 0, debt: 0 });
  });

  test('the same key reverses once; for another amount or grant it is a conflict', async () => {
    const [one, two] = [await grant(1_000), await grant(1_000)];
    const first = await reverse(one.entryId, 100, 'r');
    expect(await reverse(one.entryId, 100, 'r')).toEqual({ ...first, repeated: true });
    await expect(reverse(one.entryId, 101, 'r')).rejects.toMatchObject({ code: 'idempotency_conflict' });
    await expect(reverse(two.entryId, 100, 'r')).rejects.toMatchObject({ code: 'idempotency_conflict' });
    expect(await balance()).toMatchObject({ purchased: 1_900 });
  });

  test.each([0, -1, 1.5, 1_000_000_000_001])('an amount of %d is invalid_request', async (tokens) => {
    await expect(grant(tokens)).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test('only a grant can be reversed, and only a user can be granted', async () => {
    await runTurn(db.database, person);
    const { id } = await only(
      db.database.sql,
      sql<{ id: number }>`select id::int as id from ledger_entries where account_id = ${person.accountId}`,
    );
    await expect(reverse(id, 1)).rejects.toMatchObject({ code: 'not_found' });
    await expect(grantTokens(db.database, { userId: 999_999, tokens: 1, reason: 'r', key: 'k' })).rejects.toMatchObject(
      { code: 'not_found' },
    );
  });

  test('a grant that would overflow the balance (10^14) is invalid_request, and books nothing', async () => {
    await run(sql`update accounts set purchased_tokens = 99999999999990 where id = ${person.accountId}`);
    await expect(grant(11)).rejects.toMatchObject({ code: 'invalid_request', details: { field: 'tokens' } });
    expect(await grant(10)).toMatchObject({ purchasedTokens: 100_000_000_000_000 });
  });
});

describe('a debit', () => {
  test('spans purchased, allowance and overage, and stands in the ledger so (G24)', async () => {
    await grant(2_000);
    await runTurn(db.database, person, { used: 102_500 });
    expect(await balance()).toMatchObject({
      purchased: 0,
      spentPurchased: 2_000,
      spentAllowance: 100_000,
      overage: 500,
      used: 102_500,
    });
    expect(
      await rows(
        db.database.sql,
        sql`select purchased_delta::int as p, spent_purchased_delta::int as sp, spent_allowance_delta::int as sa, overage_delta::int as o, used_delta::int as u
      from ledger_entries where account_id = ${person.accountId} and kind = 'debit'`,
      ),
    ).toEqual([{ p: -2_000, sp: 2_000, sa: 100_000, o: 500, u: 102_500 }]);
  });

  test('under a ceiling that a reversal lowered is booked whole and flagged ceiling_moved; without the reversal it is not', async () => {
    for (const reversed of [true, false]) {
      person = await createPerson(db.database, { allowance: 1_000 });
      const { entryId } = await grant(1_000); // ceiling 2,100
      const { turnId } = await accept(db.database, person, { askedOutput: 2_000 });
      expect(await reserve(db.database, turnId)).toMatchObject({ kind: 'held', outputLimit: 2_000 });
      const { number } = await open(db.database, turnId);
      if (reversed) await reverse(entryId, 1_000); // ceiling 1,050
      const usage = { promptTokens: 0, cachedTokens: 0, completionTokens: 2_000, reasoningTokens: 0 };
      const answer = await storedAnswer(store(db.database, turnId, number, { usage }));
      await settleTurn(db.database, { turnId, answer });
      expect(await debitsOf(db.database.sql, turnId)).toMatchObject([
        { tokens: 2_000, overHold: false, ceilingMoved: reversed },
      ]);
      expect(await balance()).toMatchObject({ used: 2_000, overage: reversed ? 1_000 : 0 });
    }
  });
});
