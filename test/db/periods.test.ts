import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { resetAllowance } from '../../db/money/reset-allowance.ts';
import { readUsage } from '../../db/money/usage.ts';
import { updateProfile } from '../../db/people/users.ts';
import { atInstant } from '../support/clock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { clock, createPerson, rows, runTurn, type Person } from './fixture.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase({ poolMax: 20, now: clock });
});
afterAll(() => db.close());

const at = (text: string) => Date.parse(text);
const HOUR = 3_600_000;
const usageOf = ({ accountId }: Person, now: number) => atInstant(now, () => readUsage(db.database, { accountId }));
const fire = ({ accountId }: Person, firedFor: number, now = firedFor) =>
  atInstant(now, () => resetAllowance(db.database, { accountId, firedFor, outward: { email: true, webhook: true } }));
const moveTo = ({ userId }: Person, timeZone: string, now: number) =>
  atInstant(now, () => updateProfile(db.database, { userId, timeZone }));
const periodsOf = ({ accountId }: Person) =>
  rows(
    db.database.sql,
    sql<{ label: string; ends: string; used: number }>`
  select label, to_char(ends_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') as ends, used_tokens::int as used from periods where account_id = ${accountId} order by starts_at`,
  );

describe('in each zone the last millisecond of a month is the old period and the next the new one', () => {
  test.each([
    ['Asia/Seoul', '2027-02', '2027-02-28T15:00:00Z', 28],
    ['Asia/Seoul', '2028-02', '2028-02-29T15:00:00Z', 29],
    ['Asia/Seoul', '2026-11', '2026-11-30T15:00:00Z', 30],
    ['Asia/Seoul', '2026-12', '2026-12-31T15:00:00Z', 31],
    // The clocks there go back an hour at 02:00 of that first day.
    ['America/New_York', '2026-10', '2026-11-01T04:00:00Z', 31],
    ['America/New_York', '2026-11', '2026-12-01T05:00:00Z', 30 + 1 / 24],
    // The clocks go forward an hour on 4 October.
    ['Australia/Sydney', '2026-10', '2026-10-31T13:00:00Z', 31 - 1 / 24],
    ['Asia/Kathmandu', '2026-11', '2026-11-30T18:15:00Z', 30],
    // The clocks go back an hour on the night before the first.
    ['Africa/Cairo', '2024-10', '2024-10-31T22:00:00Z', 31 + 1 / 24],
  ])('%s, %s ends %s', async (timeZone, label, end, days) => {
    const person = await createPerson(db.database, { timeZone });
    const before = await usageOf(person, at(end) - 1);
    expect([before.period.label, before.resetsAt]).toEqual([label, at(end)]);
    expect((before.period.endsAt - before.period.startsAt) / (24 * HOUR)).toBeCloseTo(days, 6);
    await runTurn(db.database, person, { used: 1_234, now: at(end) - 1 });
    expect((await usageOf(person, at(end) - 1)).usedTokens).toBe(1_234);
    const after = await usageOf(person, at(end));
    expect([after.usedTokens, after.period.startsAt, after.period.label > label]).toEqual([0, at(end), true]);
  });
});

describe('a zone changed on the last or first day gives nobody a second allowance and takes none away', () => {
  test.each([
    [
      'Seoul → New York on the last evening',
      'Asia/Seoul',
      'America/New_York',
      '2026-11-30T23:00:00+09:00',
      ['2026-11-30T15:00Z', '2027-01-01T05:00Z'],
    ],
    [
      'Seoul → New York on the first morning',
      'Asia/Seoul',
      'America/New_York',
      '2026-12-01T01:00:00+09:00',
      ['2026-11-30T15:00Z', '2026-12-31T15:00Z'],
    ],
    [
      'New York → Seoul on the last evening, where it is December already',
      'America/New_York',
      'Asia/Seoul',
      '2026-11-30T23:00:00-05:00',
      ['2026-12-01T05:00Z', '2026-12-31T15:00Z'],
    ],
    [
      'New York → Seoul on the first morning',
      'America/New_York',
      'Asia/Seoul',
      '2026-12-01T01:00:00-05:00',
      ['2026-12-01T05:00Z', '2027-01-01T05:00Z'],
    ],
  ])('%s', async (_, from, to, when, ends) => {
    const person = await createPerson(db.database, { timeZone: from });
    await runTurn(db.database, person, { used: 50, now: at('2026-11-20T12:00:00Z') });
    await moveTo(person, to, at(when));
    for (const hours of [0, 1, 6, 12, 24, 30]) await usageOf(person, at(when) + hours * HOUR);
    expect((await periodsOf(person)).map(({ label, ends: end }) => [label, end])).toEqual([
      ['2026-11', ends[0]],
      ['2026-12', ends[1]],
    ]);
  });

  test('there and back within the last hour changes nothing', async () => {
    const person = await createPerson(db.database);
    const when = at('2026-11-30T23:30:00+09:00');
    await usageOf(person, when);
    await moveTo(person, 'Pacific/Kiritimati', when);
    await moveTo(person, 'Etc/GMT+12', when + 1);
    await moveTo(person, 'Asia/Seoul', when + 2);
    await usageOf(person, at('2026-12-01T00:00:00+09:00'));
    expect((await periodsOf(person)).map(({ label, ends }) => [label, ends])).toEqual([
      ['2026-11', '2026-11-30T15:00Z'],
      ['2026-12', '2026-12-31T15:00Z'],
    ]);
  });
});

describe('the first touch and the schedule', () => {
  test('race harmlessly: one period, one of them opened it, nobody failed', async () => {
    for (let round = 0; round < 5; round++) {
      const person = await createPerson(db.database);
      await runTurn(db.database, person, { used: 500, now: at('2026-11-20T12:00:00Z') });
      const now = at('2026-12-01T04:05:00+09:00');
      const touches = Array.from({ length: 6 }, (_, i) => (i % 2 === 0 ? fire(person, now) : usageOf(person, now)));
      const done = await Promise.all(touches);
      const outcomes = done.flatMap((one) => ('outcome' in one ? [one.outcome] : []));
      expect(outcomes.filter((outcome) => outcome === 'reset').length).toBeLessThanOrEqual(1);
      expect(outcomes.every((outcome) => outcome === 'reset' || outcome === 'already_reset')).toBe(true);
      expect(await periodsOf(person)).toMatchObject([
        { label: '2026-11', used: 500 },
        { label: '2026-12', used: 0 },
      ]);
    }
  });

  test('a firing says what the closed period used; twice is harmless', async () => {
    const person = await createPerson(db.database);
    await runTurn(db.database, person, { used: 500, now: at('2026-11-20T12:00:00Z') });
    const firing = at('2026-12-01T04:05:00+09:00');
    expect(await fire(person, firing)).toEqual({
      outcome: 'reset',
      period: '2026-12',
      closedUsedTokens: 500,
      deliveryIds: [],
      idle: false,
    });
    expect(await fire(person, firing)).toEqual({
      outcome: 'already_reset',
      period: '2026-12',
      closedUsedTokens: 500,
      deliveryIds: [],
      idle: false,
    });
  });

  test('a firing that finds the closed period unused has no more work, unless the open one was used', async () => {
    const person = await createPerson(db.database);
    await usageOf(person, at('2026-11-20T12:00:00Z'));
    expect(await fire(person, at('2026-12-01T04:05:00+09:00'))).toMatchObject({ outcome: 'reset', idle: true });
    await runTurn(db.database, person, { used: 5, now: at('2026-12-02T12:00:00Z') });
    expect(await fire(person, at('2026-12-03T04:05:00+09:00'))).toMatchObject({
      outcome: 'already_reset',
      closedUsedTokens: 0,
      idle: false,
    });
  });

  test('three missed months by backfill, in order and then all over again: the past ones do nothing, the present one resets once', async () => {
    const person = await createPerson(db.database);
    await runTurn(db.database, person, { used: 500, now: at('2026-08-20T12:00:00Z') });
    const now = at('2026-11-15T12:00:00+09:00');
    const backfill = async () => {
      const outcomes: string[] = [];
      for (const month of ['2026-09', '2026-10', '2026-11'])
        outcomes.push((await fire(person, at(`${month}-01T04:05:00+09:00`), now)).outcome);
      return outcomes;
    };
    expect(await backfill()).toEqual(['past_month', 'past_month', 'reset']);
    expect(await backfill()).toEqual(['past_month', 'past_month', 'already_reset']);
    expect((await periodsOf(person)).map(({ label }) => label)).toEqual(['2026-08', '2026-11']);
  });
});
