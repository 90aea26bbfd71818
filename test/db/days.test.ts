import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { Client } from 'pg';
import { HOT_ACCOUNT, seedLedger } from '../../bench/seed-ledger.ts';
import { foldDays } from '../../db/reports/days/fold-days.ts';
import { foldPeople } from '../../db/reports/days/fold-people.ts';
import { readDays, readFailedDays, readToday, type DayRange, type ModelDay } from '../../db/reports/days/read-days.ts';
import { readPeople } from '../../db/reports/days/read-people.ts';
import { endTurn } from '../../db/turns/end.ts';
import { lockTurn } from '../../db/turns/row.ts';
import { dayLater } from '../../domain/day-figures.ts';
import { setTestUsage } from '../../db/money/usage.ts';
import { atInstant } from '../support/clock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { explainGeneric, explainRun, recordStatements } from '../support/plans.ts';
import { bookLate, differingPeople } from './ledger-people.ts';
import { accept, clock, createPerson, MODEL, NOW, only, rows, runTurn } from './fixture.ts';

const ROWS = 6_000;
let db: TestDatabase;
let admin: Client;
beforeAll(async () => {
  db = await createTestDatabase({ now: clock });
  admin = new Client({ connectionString: db.url });
  await admin.connect();
  await seedLedger(admin, { rows: ROWS, accounts: 150, months: 3, now: NOW });
  for (const table of ['users', 'accounts', 'periods', 'ledger_entries'])
    await sql`select setval(pg_get_serial_sequence(${table}, 'id'), 1000000)`.execute(db.database.sql);
});
afterAll(async () => {
  await admin.end();
  await db.close();
});

const LATEST = '2026-11-15';
/** Ranges by chance, and those that end at an edge. */
const ranges = (): DayRange[] => [
  { from: LATEST, to: LATEST },
  { from: '2026-08-01', to: '2026-12-31' },
  ...Array.from({ length: 12 }, () => {
    const from = dayLater('2026-09-01', Math.floor(Math.random() * 75));
    return { from, to: dayLater(from, Math.floor(Math.random() * 40)) };
  }),
];

const FIGURES =
  sql.raw(`count(*)::float8 as turns, sum(prompt_tokens)::float8 as "promptTokens", sum(cached_tokens)::float8 as "cachedTokens",
  sum(completion_tokens)::float8 as "completionTokens", sum(tokens)::float8 as "usedTokens"`);

/** By the ledger alone. */
async function ledgerDays({ from, to }: DayRange): Promise<ModelDay[]> {
  return rows(
    db.database.sql,
    sql<ModelDay>`select day::text, r.model, ${FIGURES} from ledger_entries e join model_rates r on r.id = e.rate_id
      where kind = 'debit' and day between ${from}::date and ${to}::date group by day, r.model order by day, r.model`,
  );
}

async function differences(): Promise<DayRange[]> {
  const found: DayRange[] = [];
  for (const range of ranges()) {
    const [{ used }, booked] = [await readDays(db.database, range), await ledgerDays(range)];
    if (JSON.stringify(used.map(sorted)) !== JSON.stringify(booked.map(sorted))) found.push(range);
  }
  return found;
}
const sorted = (day: object) => Object.fromEntries(Object.entries(day).sort());

const longAgo = () =>
  admin.query(`begin; set local session_replication_role = replica;
    update ledger_entries set created_at = created_at - interval '1 hour' where created_at > now() - interval '30 minutes'; commit`);
const folded = () =>
  only(db.database.sql, sql<{ turns: number }>`select coalesce(sum(turns), 0)::float8 as turns from usage_days`);

test('the figures of days are the ledger’s sums: before entries are added up, while they are, by two at once, and with what was booked since', async () => {
  expect(await differences()).toEqual([]);
  let steps = 0;
  const broken = foldDays(db.database, {
    pageSize: 700,
    onStep() {
      steps += 1;
      if (steps === 3) throw new Error('the worker leaves');
    },
  });
  await expect(broken).rejects.toThrow('the worker leaves');
  expect((await folded()).turns).toBe(2_100);
  expect(await differences()).toEqual([]);
  const [one, two] = await Promise.all([
    foldDays(db.database, { pageSize: 500 }),
    foldDays(db.database, { pageSize: 900 }),
  ]);
  expect(one + two).toBe(ROWS - 2_100);
  expect(await differences()).toEqual([]);

  const person = await createPerson(db.database);
  for (const [i, firstDeltaMs] of [120, 130, 900, null].entries())
    await runTurn(db.database, person, { used: 10 + i, now: NOW, firstDeltaMs });
  await setTestUsage(db.database, { accountId: person.accountId, percent: 20 });
  // They are young: another may be committed with a lower number.
  expect(await foldDays(db.database)).toBe(0);
  expect(await differences()).toEqual([]);
  const late = await readDays(db.database, { from: LATEST, to: LATEST });
  const begun = [
    { day: LATEST, model: MODEL.name, belowMs: 150, turns: 2 },
    { day: LATEST, model: MODEL.name, belowMs: 1_000, turns: 1 },
  ];
  const inOrder = ({ firstDeltas }: typeof late) => firstDeltas.toSorted((a, b) => a.belowMs - b.belowMs);
  expect(inOrder(late)).toEqual(begun);
  await longAgo();
  expect(await foldDays(db.database)).toBe(5);
  expect(await folded()).toEqual({ turns: ROWS + 4 });
  expect(await differences()).toEqual([]);
  const kept = await readDays(db.database, { from: LATEST, to: LATEST });
  expect(inOrder(kept)).toEqual(begun);

  // Control: a day that says one token more is found out.
  await admin.query(`update usage_days set used_tokens = used_tokens + 1 where day = '${LATEST}'`);
  expect(await differences()).not.toEqual([]);
  await admin.query(`update usage_days set used_tokens = used_tokens - 1 where day = '${LATEST}'`);
});

const differing = () => differingPeople(db.database, ranges().slice(0, 5));
const through = async () =>
  (await only(db.database.sql, sql<{ day: string | null }>`select through_day::text as day from usage_person_marks`))
    .day;

test('people are the ledger’s: before days are added up, while they are, by two at once, again, and when a day that was over gets an entry', async () => {
  expect(await differing()).toEqual([]);
  let steps = 0;
  const broken = foldPeople(db.database, {
    accountsAtOnce: 70,
    onStep() {
      steps += 1;
      if (steps === 4) throw new Error('the worker leaves');
    },
  });
  await expect(broken).rejects.toThrow('the worker leaves');
  // The first month is whole, and of the second the first accounts are added up.
  expect(await through()).toBe('2026-09-30');
  expect(await differing()).toEqual([]);
  await Promise.all([foldPeople(db.database, { accountsAtOnce: 40 }), foldPeople(db.database, { accountsAtOnce: 60 })]);
  // Noon in Seoul: in the westernmost zone the 14th is not over.
  expect(await through()).toBe('2026-11-13');
  expect(await differing()).toEqual([]);
  expect(await foldPeople(db.database)).toBe(0);
  const { top } = await readPeople(db.database, { from: '2026-09-01', to: LATEST, since: '2026-06-20', top: 1 });
  expect(top).toMatchObject([{ userId: HOT_ACCOUNT, email: 'user1@example.com' }]);
  // Control: what is added up is what is read.
  const wrong = (by: number) =>
    admin.query(
      'update usage_person_months set through_tokens[cardinality(days)] = through_tokens[cardinality(days)] + $1 where account_id = $2',
      [by, HOT_ACCOUNT],
    );
  await wrong(1);
  expect(await differing()).not.toEqual([]);
  await wrong(-1);

  // Settled while a clock was wrong: of one who has days around it, and of one who is new. They count at once, and
  // still do when the mark is set back, and when the days from there on are added up again.
  await foldDays(db.database);
  const person = await createPerson(db.database);
  await runTurn(db.database, person, { used: 9, now: NOW });
  await bookLate(admin, HOT_ACCOUNT, '2026-10-20');
  await bookLate(admin, person.accountId, '2026-11-02');
  expect(await differing()).toEqual([]);
  await longAgo();
  await foldDays(db.database);
  expect(await through()).toBe('2026-10-19');
  expect(await differing()).toEqual([]);
  await foldPeople(db.database, { accountsAtOnce: 50 });
  expect(await through()).toBe('2026-11-13');
  expect(await differing()).toEqual([]);

  // Every day of later months, one after the other, adds to what stands there.
  for (const now of ['2026-11-20', '2026-11-21', '2026-12-03'].map((day) => Date.parse(`${day}T12:00:00+09:00`))) {
    await runTurn(db.database, person, { used: 7, now });
    await atInstant(now, () => foldPeople(db.database));
    expect(await differing()).toEqual([]);
  }
});

test('failures are counted on the asking admin’s day, and a turn that stands failed no more is none', async () => {
  const person = await createPerson(db.database);
  const turns = [await accept(db.database, person), await accept(db.database, person)];
  const fail = (turnId: string) =>
    db.database.transaction(async (tx) => {
      const row = await lockTurn(tx, turnId);
      await endTurn(tx, row!, { outcome: 'failed', code: 'interrupted' }, null);
    });
  for (const { turnId } of turns) await fail(turnId);
  await admin.query(`update turns set created_at = '2026-11-14T20:00:00Z' where id = any($1)`, [
    turns.map(({ turnId }) => turnId),
  ]);
  const days = (timeZone: string) => readFailedDays(db.database, { from: '2026-11-14', to: '2026-11-15', timeZone });
  expect(await days('Asia/Seoul')).toEqual([{ day: '2026-11-15', model: MODEL.name, failures: 2 }]);
  expect(await days('America/New_York')).toEqual([{ day: '2026-11-14', model: MODEL.name, failures: 2 }]);
  await admin.query(
    `begin; set local session_replication_role = replica; update turns set state = 'stopped' where id = '${turns[0]!.turnId}'; commit`,
  );
  expect(await days('Asia/Seoul')).toMatchObject([{ failures: 1 }]);
  expect(await readToday(db.database, person.accountId)).toEqual({ timeZone: 'Asia/Seoul', today: LATEST });
});

test('the ledger is read behind the mark alone, by values and as prepared', async () => {
  const { database, statements } = recordStatements(db.database);
  await readDays(database, { from: '2026-09-01', to: LATEST });
  const [statement] = statements;
  for (const accesses of [await explainRun(db.database.sql, statement!), await explainGeneric(db.url, statement!)])
    expect(
      accesses.filter(({ table, scans, rows: read }) => table === 'ledger_entries' && (scans || read > 10)),
    ).toEqual([]);
  const people = recordStatements(db.database);
  await foldDays(db.database);
  await foldPeople(db.database);
  await readPeople(people.database, { from: '2026-09-10', to: '2026-11-10', since: '2026-08-01', top: 0 });
  const read = (await explainRun(db.database.sql, people.statements[0]!)).filter(({ rows: seen }) => seen > 0);
  const tables = new Set(read.map(({ table }) => table));
  // Their days are over: a row a person, model and month is read, and none of a day.
  expect([tables.has('usage_person_months'), tables.has('usage_rollups')]).toEqual([true, false]);
  // Control: once the mark is forgotten, it is all read again.
  await admin.query('begin; update usage_day_marks set through_id = 0');
  const { rows: plan } = await admin.query<{ 'QUERY PLAN': string }>(
    'explain (analyze) select l.id from usage_day_marks m cross join lateral (select id from ledger_entries where id > m.through_id order by id limit 200000) l',
  );
  await admin.query('rollback');
  expect(plan.map((line) => line['QUERY PLAN']).join('\n')).toMatch(/rows=60\d\d\.00/);
});
