import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../db/database.ts';
import { eraseConversation } from '../../db/conversations/erase.ts';
import { grantTokens } from '../../db/money/grants.ts';
import { setTestUsage } from '../../db/money/usage.ts';
import { updateProfile } from '../../db/people/users.ts';
import { listDays, listModels } from '../../db/reports/history.ts';
import { findTitles, getReport, listReports } from '../../db/reports/person/reports.ts';
import type { PersonReport } from '../../domain/reports/person-report.ts';
import { atInstant } from '../support/clock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  accept,
  clock,
  createPerson,
  MODEL,
  open,
  reserve,
  runTurn,
  store,
  storedAnswer,
  type Person,
} from './fixture.ts';
import { FIRST_ACCOUNT, seedMonths } from './seed-months.ts';
import { settleTurn } from '../../db/turns/settle.ts';

let db: TestDatabase;
let database: Database;
beforeAll(async () => {
  db = await createTestDatabase({ now: clock });
  database = db.database;
});
afterAll(() => db.close());

const at = (text: string) => Date.parse(text);
const LATER = at('2027-06-01T12:00:00Z');
const reportOf = (accountId: number, label: string, now = LATER) =>
  atInstant(now, () => getReport(database, { accountId, label }));
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'answered',
    (error: unknown) => (error as { code: string }).code,
  );
const sum = <Row>(rows: readonly Row[], of: (row: Row) => number) => rows.reduce((all, row) => all + of(row), 0);

test('of 1,000 random accounts the report’s sums are the history’s and the ledger’s, by day, hour, model and in all', async () => {
  const ACCOUNTS = 1_000;
  await seedMonths(database, { accounts: ACCOUNTS, seed: 0.42 });
  const { rows } = await sql<{
    accountId: number;
    periodId: number;
    used: number;
    debited: number;
    turns: number;
    prompt: number;
    granted: number;
    reversed: number;
    total: number;
  }>`
    select p.account_id::float8 as "accountId", p.id::float8 as "periodId", coalesce(sum(e.used_delta), 0)::float8 as used,
      coalesce(sum(e.tokens) filter (where e.kind = 'debit'), 0)::float8 as debited, count(e.turn_id)::float8 as turns, coalesce(sum(e.prompt_tokens), 0)::float8 as prompt,
      coalesce(sum(e.tokens) filter (where e.kind = 'grant'), 0)::float8 as granted, coalesce(-sum(e.tokens) filter (where e.kind = 'reversal'), 0)::float8 as reversed,
      (p.allowance_tokens + (select coalesce(sum(purchased_delta), 0) from ledger_entries where account_id = p.account_id))::float8 as total
    from periods p left join ledger_entries e on e.period_id = p.id where p.account_id >= ${FIRST_ACCOUNT} and p.label = '2025-12' group by p.id`.execute(
    database.sql,
  );
  expect(rows).toHaveLength(ACCOUNTS);
  expect(sum(rows, ({ used }) => used)).toBeGreaterThan(1_000_000);
  const differing: unknown[] = [];
  const page = { limit: 100, cursor: null };
  for (let from = 0; from < rows.length; from += 20)
    await Promise.all(
      rows.slice(from, from + 20).map(async ({ accountId, periodId, ...ledger }) => {
        const report = await reportOf(accountId, '2025-12');
        const month = { label: '2025-12', periodId };
        const [days, models] = [
          await listDays(database, { month, ...page }),
          await listModels(database, { month, ...page }),
        ];
        const ofTurns = models.items.filter(({ model }) => model !== null);
        const sums = {
          used: [
            report.usage.usedTokens,
            sum(report.days, (day) => day.usedTokens),
            sum(days.items, (day) => day.usedTokens),
            sum(models.items, (one) => one.usedTokens),
          ],
          debited: [
            report.usage.debitedTokens,
            sum(report.days, (day) => day.debitedTokens),
            sum(report.hours, (hour) => hour.debitedTokens),
            sum(report.models, (one) => one.debitedTokens),
            sum(ofTurns, (one) => one.usedTokens),
            report.usage.usedTokens - report.usage.adjustedTokens,
          ],
          turns: [
            report.usage.turns,
            sum(report.days, (day) => day.turns),
            sum(report.hours, (hour) => hour.turns),
            sum(days.items, (day) => day.turns),
          ],
          prompt: [
            report.usage.promptTokens,
            sum(report.models, (one) => one.promptTokens),
            sum(models.items, (one) => one.promptTokens),
          ],
          granted: [report.booked.grantedTokens],
          reversed: [report.booked.reversedTokens],
          total: [report.available.totalTokens],
        };
        for (const [name, values] of Object.entries(sums))
          for (const value of values)
            if (value !== ledger[name as keyof typeof ledger]) differing.push({ accountId, name, values, ledger });
        if (report.costliest.length !== Math.min(10, ledger.turns))
          differing.push({ accountId, costliest: report.costliest });
        if (report.usage.reasoningTokens > report.usage.completionTokens)
          differing.push({ accountId, usage: report.usage });
      }),
    );
  expect(differing).toEqual([]);
});

/** Debits of one token at instants, as entries alone. */
async function seedDebits(person: Person, instants: readonly string[], label: string, span: [string, string]) {
  await database.transaction(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx);
    const period = await sql<{
      id: number;
    }>`insert into periods (account_id, label, starts_at, ends_at, allowance_tokens, used_tokens, spent_allowance_tokens)
      values (${person.accountId}, ${label}, ${span[0]}, ${span[1]}, 100000, ${instants.length}, ${instants.length}) returning id`.execute(
      tx,
    );
    const periodId = period.rows[0]!.id;
    for (const instant of instants)
      await sql`insert into ledger_entries (account_id, period_id, day, kind, turn_id, hold_id, rate_id, prompt_tokens, cached_tokens, completion_tokens, tokens,
          purchased_delta, debt_delta, spent_purchased_delta, spent_allowance_delta, overage_delta, used_delta, created_at)
        select ${person.accountId}, ${periodId}, (${instant}::timestamptz at time zone 'America/New_York')::date, 'debit', gen_random_uuid(), gen_random_uuid(), ${MODEL.rate.id}, 0, 0, 1, 1, 0, 0, 0, 1, 0, 1, ${instant}`.execute(
        tx,
      );
    await sql`insert into usage_rollups select period_id, day, rate_id, count(*), 0, 0, count(*), sum(used_delta) from ledger_entries where period_id = ${periodId} group by period_id, day, rate_id`.execute(
      tx,
    );
  });
}

test('a day of 25 hours has its hour twice, one of 23 lacks it, and both months have every day', async () => {
  const person = await createPerson(database, { timeZone: 'America/New_York' });
  // 1 November 2026: 01:30 EDT and 01:30 EST; 8 March 2026: 01:59 EST is followed by 03:00 EDT.
  await seedDebits(
    person,
    ['2026-11-01T05:30Z', '2026-11-01T06:30Z', '2026-11-02T04:59Z', '2026-11-30T23:00-05:00'],
    '2026-11',
    ['2026-11-01T04:00Z', '2026-12-01T05:00Z'],
  );
  await seedDebits(person, ['2026-03-08T06:59:59Z', '2026-03-08T07:00Z', '2026-03-09T03:59Z'], '2026-03', [
    '2026-03-01T05:00Z',
    '2026-04-01T04:00Z',
  ]);
  const cells = (report: PersonReport) => report.hours.map(({ weekday, hour, turns }) => [weekday, hour, turns]);
  const november = await reportOf(person.accountId, '2026-11');
  expect(cells(november)).toEqual([
    [1, 23, 1],
    [7, 1, 2],
    [7, 23, 1],
  ]);
  expect(november.days.map(({ day, turns }) => [day, turns])).toEqual([
    ['2026-11-01', 3],
    ['2026-11-30', 1],
  ]);
  expect(cells(await reportOf(person.accountId, '2026-03'))).toEqual([
    [7, 1, 1],
    [7, 3, 1],
    [7, 23, 1],
  ]);
});

test('what is stored never changes: not by the zone, nor by what is booked later, nor by hand', async () => {
  const person = await createPerson(database);
  const november = at('2026-11-20T12:00:00+09:00');
  await runTurn(database, person, { used: 700, now: november });
  await atInstant(november, () => setTestUsage(database, { accountId: person.accountId, percent: 95 }));
  await atInstant(november, () => grantTokens(database, { userId: person.userId, tokens: 500, reason: 'r', key: 'k' }));
  expect(await refusal(reportOf(person.accountId, '2026-11', at('2026-11-30T23:59:59.999+09:00')))).toBe('not_found');
  const made = await reportOf(person.accountId, '2026-11', at('2026-12-01T00:00:00+09:00'));
  expect(made).toMatchObject({
    usage: { turns: 1, debitedTokens: 700, usedTokens: 95_000, adjustedTokens: 94_300 },
    available: { purchasedTokens: 500, totalTokens: 100_500, usagePercent: 94.52 },
    booked: { grants: 1, grantedTokens: 500, adjustments: 1, reversals: 0 },
    // It stood at 95 % of 100,000 from the 20th on.
    limits: { daysAt90: Array.from({ length: 11 }, (_, i) => `2026-11-${20 + i}`), blockedTurns: 0 },
    before: null,
  });
  await atInstant(LATER, async () => {
    await updateProfile(database, { userId: person.userId, timeZone: 'America/New_York' });
    await grantTokens(database, { userId: person.userId, tokens: 900, reason: 'r', key: 'later' });
  });
  expect(await reportOf(person.accountId, '2026-11')).toEqual(made);
  const change = sql`update usage_reports set body = '{}' where account_id = ${person.accountId}`.execute(database.sql);
  await expect(change).rejects.toThrow('append-only');
});

test('made late it says the same as made at once: the balance is that of the period’s end', async () => {
  const [early, late] = [await createPerson(database), await createPerson(database)];
  for (const person of [early, late]) {
    await runTurn(database, person, { used: 700, now: at('2026-11-20T12:00:00+09:00') });
    await atInstant(at('2026-11-21T12:00:00+09:00'), () =>
      grantTokens(database, { userId: person.userId, tokens: 500, reason: 'r', key: 'k' }),
    );
  }
  const atOnce = await reportOf(early.accountId, '2026-11', at('2026-12-01T04:05:00+09:00'));
  for (const person of [early, late]) {
    await atInstant(at('2026-12-15T12:00:00+09:00'), () =>
      grantTokens(database, { userId: person.userId, tokens: 44_000, reason: 'r', key: 'l' }),
    );
    await runTurn(database, person, { used: 1_000, now: at('2027-01-20T12:00:00+09:00') });
  }
  const afterwards = await reportOf(late.accountId, '2026-11');
  const alike = ({ costliest: _, ...report }: PersonReport) => report;
  expect(alike(afterwards)).toEqual(alike(atOnce));
});

test('a turn of several calls counts once, and its title is there until it is erased', async () => {
  const person = await createPerson(database);
  const now = at('2026-11-20T12:00:00+09:00');
  const { turnId, conversationId } = await accept(database, person);
  await reserve(database, turnId, { now });
  await open(database, turnId, { now });
  const { number } = await open(database, turnId, { now, runId: 'run-1', temporalAttempt: 2 });
  const usage = { promptTokens: 30, cachedTokens: 10, completionTokens: 12, reasoningTokens: 5 };
  const answer = await storedAnswer(store(database, turnId, number, { usage, now }));
  for (let twice = 0; twice < 2; twice++) await atInstant(now, () => settleTurn(database, { turnId, answer }));
  const report = await reportOf(person.accountId, '2026-11');
  expect(report.usage).toMatchObject({
    turns: 1,
    debitedTokens: 42,
    promptTokens: 30,
    cachedTokens: 10,
    reasoningTokens: 5,
  });
  expect(report.costliest).toMatchObject([{ turnId, debitedTokens: 42 }]);
  const titles = () => findTitles(database, { userId: person.userId, turnIds: [turnId] });
  expect(await titles()).toEqual(new Map([[turnId, { conversationId, title: 'a question' }]]));
  expect(JSON.stringify(report)).not.toContain('a question');
  await eraseConversation(database, { conversationId, userId: person.userId });
  expect(await titles()).toEqual(new Map());
});

test('months without use have reports of nothing; what is not over, or was before the account, has none', async () => {
  const person = await createPerson(database);
  await sql`update accounts set created_at = '2026-08-31T23:00:00+09:00' where id = ${person.accountId}`.execute(
    database.sql,
  );
  await runTurn(database, person, { used: 300, now: at('2026-10-03T12:00:00+09:00') });
  await runTurn(database, person, { used: 100, now: at('2026-12-03T12:00:00+09:00') });
  const now = at('2027-01-15T12:00:00+09:00');
  const list = await atInstant(now, () =>
    listReports(database, { accountId: person.accountId, limit: 3, cursor: null }),
  );
  expect(list.items).toEqual([
    { label: '2026-12', turns: 1, usedTokens: 100 },
    { label: '2026-11', turns: 0, usedTokens: 0 },
    { label: '2026-10', turns: 1, usedTokens: 300 },
  ]);
  const rest = await atInstant(now, () =>
    listReports(database, { accountId: person.accountId, limit: 3, cursor: list.nextCursor }),
  );
  expect(rest).toEqual({
    items: ['2026-09', '2026-08'].map((label) => ({ label, turns: 0, usedTokens: 0 })),
    nextCursor: null,
  });
  for (const label of ['2027-01', '2027-02', '2026-07', '9999-12', 'x'])
    expect([label, await refusal(reportOf(person.accountId, label, now))]).toEqual([label, 'not_found']);
  const november = await reportOf(person.accountId, '2026-11', now);
  expect(november).toMatchObject({
    usage: { turns: 0, usedTokens: 0, meanTokens: null },
    available: { totalTokens: 100_000, usagePercent: 0 },
    before: { label: '2026-10', turns: 1, debitedTokens: 300, sameDays: { days: 30, debitedTokens: 0, before: 300 } },
    days: [],
    hours: [],
    advice: [],
    history: null,
  });
  expect(await reportOf(person.accountId, '2026-08', now)).toMatchObject({ before: null });
  expect(await reportOf(person.accountId, '2026-09', now)).toMatchObject({ before: { label: '2026-08', turns: 0 } });
});
