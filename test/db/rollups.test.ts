import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql, type RawBuilder } from 'kysely';
import { violatedConstraint } from '../../db/database.ts';
import { grantTokens } from '../../db/money/grants.ts';
import { publishRates } from '../../db/money/rates.ts';
import { proveBooks } from '../../db/money/proof.ts';
import { settleTurn } from '../../db/turns/settle.ts';
import { setTestUsage } from '../../db/money/usage.ts';
import { updateProfile } from '../../db/people/users.ts';
import { atInstant } from '../support/clock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  accept,
  balanceOf,
  clock,
  createPerson,
  MODEL,
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
beforeEach(async () => {
  person = await createPerson(db.database);
});
afterAll(() => db.close());

const at = (text: string) => Date.parse(text);
const rollups = () =>
  rows(
    db.database.sql,
    sql<{
      month: string;
      day: string;
      version: number | null;
      turns: number;
      prompt: number;
      cached: number;
      completion: number;
      used: number;
    }>`
  select p.label as month, u.day::text, r.version, u.turns, u.prompt_tokens::float8 as prompt, u.cached_tokens::float8 as cached, u.completion_tokens::float8 as completion, u.used_tokens::float8 as used
  from usage_rollups u join periods p on p.id = u.period_id left join model_rates r on r.id = u.rate_id where p.account_id = ${person.accountId} order by u.day, r.version, p.label`,
  );
const mismatches = async () => (await proveBooks(db.database)).mismatches;

describe('what is booked stands in the rollup of its day', () => {
  test('on the account’s wall clock: 23:59:59.999 and 00:00:00.000 in Seoul are two days and, on the first, two months', async () => {
    for (const now of [
      '2026-11-30T23:59:59.999+09:00',
      '2026-12-01T00:00:00.000+09:00',
      '2026-12-01T23:59:59.999+09:00',
    ])
      await runTurn(db.database, person, { used: 10, now: at(now) });
    expect(await rollups()).toMatchObject([
      { month: '2026-11', day: '2026-11-30', turns: 1, used: 10 },
      { month: '2026-12', day: '2026-12-01', turns: 2, completion: 20, used: 20 },
    ]);
  });

  test('in the zone that is set when it is booked; what was booked before a change of zone stays where it was', async () => {
    const now = at('2026-11-15T08:00:00+09:00');
    await runTurn(db.database, person, { used: 10, now });
    await atInstant(now, () => updateProfile(db.database, { userId: person.userId, timeZone: 'America/New_York' }));
    await runTurn(db.database, person, { used: 20, now });
    expect(await rollups()).toMatchObject([
      { month: '2026-11', day: '2026-11-14', used: 20 },
      { month: '2026-11', day: '2026-11-15', used: 10 },
    ]);
    expect(await mismatches()).toBe(0);
  });

  test('apart by the version of the rate, with what was metered', async () => {
    const answered = async (model: typeof MODEL) => {
      const { turnId } = await accept(db.database, person);
      await reserve(db.database, turnId, { model });
      const { number } = await open(db.database, turnId, { model });
      const usage = { promptTokens: 30, cachedTokens: 10, completionTokens: 12, reasoningTokens: 5 };
      await settleTurn(db.database, {
        turnId,
        answer: await storedAnswer(store(db.database, turnId, number, { usage })),
      });
    };
    await answered(MODEL);
    const [dearer] = await publishRates(db.database, [
      { ...MODEL, rate: { input: 2000, cachedInput: 500, output: 4000 } },
    ]);
    await answered(dearer!);
    await answered(dearer!);
    expect(await rollups()).toMatchObject([
      { version: 1, turns: 1, prompt: 30, cached: 10, completion: 12, used: 42 },
      { version: dearer!.rate.version, turns: 2, prompt: 60, cached: 20, completion: 24, used: 2 * 93 },
    ]);
  });

  test('adjustments of both signs are in used and name no model; grants and refused turns leave no trace; the sum is the period’s used', async () => {
    const now = at('2026-11-15T12:00:00+09:00');
    await runTurn(db.database, person, { used: 700, now });
    await atInstant(now, async () => {
      await grantTokens(db.database, { userId: person.userId, tokens: 500, reason: 'r', key: 'k' });
      await setTestUsage(db.database, { accountId: person.accountId, percent: 50 });
      await setTestUsage(db.database, { accountId: person.accountId, percent: 10 });
    });
    const found = await rollups();
    expect(found).toMatchObject([
      { version: 1, turns: 1, used: 700 },
      { version: null, turns: 0, prompt: 0, completion: 0 },
    ]);
    expect(found.reduce((sum, { used }) => sum + used, 0)).toBe(
      (await balanceOf(db.database.sql, person.accountId)).used,
    );
  });

  test('also when 12 turns of one account settle at once, on a day that has no rollup yet', async () => {
    await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        runTurn(db.database, person, { used: i + 1, now: at('2026-11-15T12:00:00+09:00'), send: { askedOutput: 100 } }),
      ),
    );
    expect(await rollups()).toMatchObject([{ turns: 12, used: 78 }]);
    expect(await mismatches()).toBe(0);
  });
});

describe('reconcile proves the rollups', () => {
  test.each<[string, (period: RawBuilder<unknown>) => RawBuilder<unknown>]>([
    [
      'another sum',
      (period) => sql`update usage_rollups set used_tokens = used_tokens + 1 where period_id = ${period}`,
    ],
    ['another count of turns', (period) => sql`update usage_rollups set turns = turns + 1 where period_id = ${period}`],
    [
      'other prompt tokens',
      (period) => sql`update usage_rollups set prompt_tokens = prompt_tokens + 1 where period_id = ${period}`,
    ],
    ['another day', (period) => sql`update usage_rollups set day = day + 1 where period_id = ${period}`],
    ['a rollup that is gone', (period) => sql`delete from usage_rollups where period_id = ${period}`],
    [
      'a rollup of nothing',
      (period) => sql`insert into usage_rollups values (${period}, '2026-11-01', null, 0, 0, 0, 0, 7)`,
    ],
  ])('%s is found, and only there', async (_, plant) => {
    await runTurn(db.database, person);
    const before = await mismatches();
    await plant(sql`(select id from periods where account_id = ${person.accountId})`).execute(db.database.sql);
    expect(await mismatches()).toBe(before + 1);
  });

  test('the database refuses turns without a rate, a rate without turns, and a model that gives tokens back', async () => {
    await runTurn(db.database, person);
    const refusal = (change: RawBuilder<unknown>) =>
      sql`update usage_rollups u set ${change} from periods p where p.id = u.period_id and p.account_id = ${person.accountId}`
        .execute(db.database.sql)
        .then(() => 'accepted', violatedConstraint);
    expect(await refusal(sql`rate_id = null`)).toBe('usage_rollups_of_turns_name_a_rate');
    expect(await refusal(sql`turns = 0`)).toBe('usage_rollups_of_turns_name_a_rate');
    expect(await refusal(sql`used_tokens = 0`)).toBe('usage_rollups_only_adjustments_go_down');
    expect(await refusal(sql`used_tokens = 1`)).toBe('accepted');
  });
});
