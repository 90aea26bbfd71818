import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { checkUsage, type UsageCheck } from '../../db/alerts/check-usage.ts';
import { grantTokens } from '../../db/money/grants.ts';
import { resetAllowance } from '../../db/money/reset-allowance.ts';
import { setTestUsage } from '../../db/money/usage.ts';
import { updateProfile } from '../../db/people/users.ts';
import { readAccountTip } from '../../db/reports/account-events.ts';
import { atInstant } from '../support/clock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { clock, createPerson, newId, NOW, rows, runTurn, type Person } from './fixture.ts';

let db: TestDatabase;
let person: Person;
beforeAll(async () => {
  db = await createTestDatabase({ poolMax: 20, now: clock });
});
afterAll(() => db.close());
beforeEach(async () => {
  person = await createPerson(db.database);
});

const HOUR = 3_600_000;
/** Mail leads out of here; who has an address gets it. */
const outward = { email: true, webhook: true };
const DECEMBER = Date.parse('2026-12-01T00:00:00+09:00');
const putAt = (percent: number, now = NOW) =>
  atInstant(now, () => setTestUsage(db.database, { accountId: person.accountId, percent }));
const check = (now = NOW): Promise<UsageCheck> =>
  atInstant(now, () =>
    checkUsage(db.database, { accountId: person.accountId, purchaseUrl: 'https://shop.example/buy', outward }),
  );
const alerts = () =>
  rows(
    db.database.sql,
    sql<{
      level: string;
      nth: number;
      label: string;
    }>`select level, nth, p.label from alerts a join periods p on p.id = a.period_id
  where a.account_id = ${person.accountId} order by a.id`,
  );
const notifications = () =>
  rows(
    db.database.sql,
    sql<{ level: string; title: string; body: string; channel: string; state: string; readAt: Date | null }>`
  select n.level, n.title, n.body, d.channel, d.state, n.read_at as "readAt" from notifications n join deliveries d on d.notification_id = n.id where n.user_id = ${person.userId} order by n.id`,
  );

test.each([
  [79, 'below', undefined],
  [80, 'below', undefined],
  [89.99, 'below', undefined],
  [90, 'sent', 'WARNING'],
  [95, 'sent', 'CRITICAL'],
  [105, 'sent', 'CRITICAL'],
] as const)('at %d %% a check is %s, level %s', async (percent, outcome, level) => {
  await putAt(percent);
  expect(await check()).toMatchObject({ outcome, usagePercent: percent, ...(level === undefined ? {} : { level }) });
  expect(await alerts()).toEqual(level === undefined ? [] : [{ level, nth: 1, label: '2026-11' }]);
});

test('BLOCKED for lack of room below 105 % counts as CRITICAL', async () => {
  await runTurn(db.database, person, { used: 104_700 });
  expect(await check()).toMatchObject({ outcome: 'sent', level: 'CRITICAL', usagePercent: 104.7 });
});

test('what is not shown in the app is no place in the account’s events', async () => {
  await putAt(92);
  const sent = await check();
  await sql`insert into notifications (user_id, kind, key, title, body, purchase_url, created_at)
    values (${person.userId}, 'endpoint.test', 'one', '', '', '', now())`.execute(db.database.sql);
  expect(await readAccountTip(db.database.sql, person)).toMatchObject({
    notificationId: sent.outcome === 'sent' ? sent.notificationId : null,
  });
});

describe('at most one per account, period, level and 24 hours (G20)', () => {
  test('20 runs that race send once', async () => {
    await putAt(92);
    const outcomes = (await Promise.all(Array.from({ length: 20 }, () => check())))
      .map(({ outcome }) => outcome)
      .sort();
    expect(outcomes).toEqual(['sent', ...Array.from({ length: 19 }, () => 'sent_before')].sort());
    expect(await alerts()).toHaveLength(1);
    expect(await notifications()).toHaveLength(1);
  });

  test('the database refuses a second row of one place, whoever writes it', async () => {
    await putAt(92);
    await check();
    const again = sql`insert into alerts (account_id, period_id, level, nth, used_tokens, total_tokens, created_at)
      select account_id, period_id, level, nth, used_tokens, total_tokens, now() from alerts where account_id = ${person.accountId}`;
    await expect(again.execute(db.database.sql)).rejects.toMatchObject({ constraint: 'alerts_one_a_level_and_time' });
  });

  test('24 hours later, still there, again; not a millisecond earlier', async () => {
    await putAt(92);
    await check();
    expect((await check(NOW + 24 * HOUR - 1)).outcome).toBe('sent_before');
    expect((await check(NOW + 24 * HOUR)).outcome).toBe('sent');
    expect((await check(NOW + 47 * HOUR)).outcome).toBe('sent_before');
    expect((await check(NOW + 48 * HOUR)).outcome).toBe('sent');
    expect((await alerts()).map(({ nth }) => nth)).toEqual([1, 2, 3]);
  });

  test('below 90 % after those 24 hours nothing is sent', async () => {
    await putAt(92);
    await check();
    await grantTokens(db.database, { userId: person.userId, tokens: 50_000, reason: 'r', key: newId() });
    expect(await check(NOW + 24 * HOUR)).toEqual({ outcome: 'below', usagePercent: 61.33 });
    expect(await alerts()).toHaveLength(1);
  });

  test('a WARNING never holds back a CRITICAL within the hour, and a level come back to within 24 hours is quiet', async () => {
    await putAt(92);
    await check();
    await putAt(96);
    expect(await check(NOW + HOUR)).toMatchObject({ outcome: 'sent', level: 'CRITICAL' });
    await putAt(92);
    expect(await check(NOW + 2 * HOUR)).toMatchObject({ outcome: 'sent_before', level: 'WARNING' });
    await putAt(99);
    expect(await check(NOW + 3 * HOUR)).toMatchObject({ outcome: 'sent_before', level: 'CRITICAL' });
    expect((await check(NOW + 25 * HOUR)).outcome).toBe('sent');
    expect(await alerts()).toEqual([
      { level: 'WARNING', nth: 1, label: '2026-11' },
      { level: 'CRITICAL', nth: 1, label: '2026-11' },
      { level: 'CRITICAL', nth: 2, label: '2026-11' },
    ]);
  });

  test('a new period starts afresh, also a minute after the last alert', async () => {
    await putAt(92, DECEMBER - 60_000);
    expect((await check(DECEMBER - 60_000)).outcome).toBe('sent');
    expect(await check(DECEMBER)).toEqual({ outcome: 'below', usagePercent: 0 });
    await putAt(92, DECEMBER);
    expect((await check(DECEMBER)).outcome).toBe('sent');
    expect((await alerts()).map(({ nth, label }) => [nth, label])).toEqual([
      [1, '2026-11'],
      [1, '2026-12'],
    ]);
  });
});

describe('the reset', () => {
  const kinds = () =>
    rows(
      db.database.sql,
      sql<{ kind: string; channels: string }>`select kind, string_agg(d.channel, ',' order by d.channel) as channels
      from notifications n join deliveries d on d.notification_id = n.id where user_id = ${person.userId} group by n.id, kind order by n.id`,
    );
  const reset = () =>
    atInstant(DECEMBER, () =>
      resetAllowance(db.database, { accountId: person.accountId, firedFor: DECEMBER, outward }),
    );
  beforeEach(() =>
    sql`insert into addresses (user_id, email, verified_at) values (${person.userId}, 'p@example.com', now())`.execute(
      db.database.sql,
    ),
  );

  test('is told once, by mail, to who was warned in the period before, whoever opened the new one', async () => {
    await putAt(92);
    await check();
    expect([await reset(), await reset()]).toMatchObject([
      { outcome: 'reset', deliveryIds: [expect.any(String)] },
      { outcome: 'already_reset', deliveryIds: [] },
    ]);
    expect(await kinds()).toEqual([
      { kind: 'usage.alert', channels: 'email,in_app' },
      { kind: 'usage.reset', channels: 'email' },
    ]);
  });

  test('is not told to who was not', async () => {
    await putAt(50);
    expect(await reset()).toMatchObject({ outcome: 'reset', deliveryIds: [] });
    expect(await kinds()).toEqual([]);
  });
});

describe('the notification', () => {
  test('is in the account’s language, unread, delivered in the app', async () => {
    await putAt(92.5);
    await check();
    expect(await notifications()).toEqual([
      {
        level: 'WARNING',
        title: '토큰의 92.5%를 사용했습니다',
        channel: 'in_app',
        state: 'delivered',
        readAt: null,
        body: '이번 달 토큰의 92.5%를 사용했습니다. 남은 토큰은 7,500개입니다. 12월 1일 0시(서울)에 초기화됩니다. 토큰 구매: https://shop.example/buy',
      },
    ]);
  });

  test('tells the reset, fixed in Seoul, on the clock of where its reader is now', async () => {
    await updateProfile(db.database, { userId: person.userId, timeZone: 'America/New_York', locale: 'en' });
    await putAt(105);
    await check();
    expect((await notifications())[0]?.body).toBe(
      'You have used 105% of this month’s tokens. No tokens are left; the allowance resets on Nov 30 at 10:00 AM (New York time). Buy tokens: https://shop.example/buy',
    );
  });
});
