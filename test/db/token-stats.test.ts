import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { grantTokens } from '../../db/money/grants.ts';
import { readTokenStats } from '../../db/reports/token-stats.ts';
import { readUsage, setTestUsage } from '../../db/money/usage.ts';
import { atInstant } from '../support/clock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { clock, createPerson, newId, NOW, runTurn } from './fixture.ts';

let db: TestDatabase;
// The figures are of all accounts, so each test has a database of its own.
beforeEach(async () => {
  await db?.close();
  db = await createTestDatabase({ now: clock });
});
afterAll(() => db.close());

const stats = (now = NOW) => atInstant(now, () => readTokenStats(db.database));
const at = async (percent: number, change: { allowance?: number } = {}) => {
  const person = await createPerson(db.database, change);
  await setTestUsage(db.database, { accountId: person.accountId, percent });
  return person;
};

test('without users every figure is 0', async () => {
  expect(await stats()).toEqual({
    overview: { totalUsers: 0, activeUsers: 0, totalUsedTokens: 0, totalPurchasedTokens: 0, averageUsedTokens: 0 },
    distribution: { under50: 0, under80: 0, under90: 0, under95: 0, over95: 0 },
    topUsers: [],
    asOf: NOW,
  });
});

test('the shares are half-open: on its lower bound a user is in the next one', async () => {
  for (const percent of [0, 49.99, 50, 79.99, 80, 89.99, 90, 94.99, 95, 105]) await at(percent, { allowance: 10_000 });
  expect((await stats()).distribution).toEqual({ under50: 2, under80: 2, under90: 2, under95: 2, over95: 2 });
});

test('overview: all users, those who used something, sums, and the average over all, rounded', async () => {
  const [one, two] = [await createPerson(db.database), await createPerson(db.database)];
  await createPerson(db.database);
  await grantTokens(db.database, { userId: one.userId, tokens: 5_000, reason: 'r', key: newId() });
  await runTurn(db.database, one, { used: 1_000 });
  await runTurn(db.database, two, { used: 111 });
  expect((await stats()).overview).toEqual({
    totalUsers: 3,
    activeUsers: 2,
    totalUsedTokens: 1_111,
    totalPurchasedTokens: 4_000,
    averageUsedTokens: 370,
  });
});

test('an account whose stored period has ended counts as used 0, to the millisecond; before its first touch too', async () => {
  const person = await at(90);
  await createPerson(db.database);
  const { resetsAt } = await readUsage(db.database, { accountId: person.accountId });
  expect(await stats(resetsAt - 1)).toMatchObject({
    overview: { activeUsers: 1, totalUsedTokens: 90_000 },
    distribution: { under50: 1, under95: 1 },
  });
  const after = await stats(resetsAt);
  expect(after).toMatchObject({
    overview: { totalUsers: 2, activeUsers: 0, totalUsedTokens: 0 },
    distribution: { under50: 2 },
  });
  expect(after.topUsers[0]).toMatchObject({ usedTokens: 0, totalAvailable: 100_000, usagePercent: 0, level: 'NORMAL' });
});

test('a top user’s figures are those that they are shown themselves', async () => {
  const person = await createPerson(db.database);
  await sql`update users set email = 'a@b.example' where id = ${person.userId}`.execute(db.database.sql);
  await grantTokens(db.database, { userId: person.userId, tokens: 7_000, reason: 'r', key: newId() });
  await runTurn(db.database, person, { used: 99_123 });
  const { usedTokens, purchasedTokens, totalAvailable, remainingTokens, usagePercent, level } = await readUsage(
    db.database,
    { accountId: person.accountId },
  );
  expect((await stats()).topUsers).toEqual([
    {
      userId: person.userId,
      email: 'a@b.example',
      usedTokens,
      purchasedTokens,
      totalAvailable,
      remainingTokens,
      usagePercent,
      level,
    },
  ]);
});

test('top users: 100 at most, most used first, equal ones by their ids', async () => {
  const sorted = [];
  for (let i = 0; i < 102; i++) sorted.push({ ...(await createPerson(db.database)), used: i % 3 });
  await sql`insert into periods (account_id, label, starts_at, ends_at, allowance_tokens, used_tokens, spent_allowance_tokens)
    select id, '2026-11', '2026-11-01T00:00+09', '2026-12-01T00:00+09', 100, (id - ${sorted[0]!.accountId}) % 3, (id - ${sorted[0]!.accountId}) % 3 from accounts`.execute(
    db.database.sql,
  );
  sorted.sort((a, b) => b.used - a.used || a.userId - b.userId);
  expect((await stats()).topUsers.map(({ userId, usedTokens }) => [userId, usedTokens])).toEqual(
    sorted.slice(0, 100).map(({ userId, used }) => [userId, used]),
  );
});
