import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { Database } from '../../db/database.ts';
import { lockAccount } from '../../db/money/accounts.ts';
import { countRefusal } from '../../db/money/refusals.ts';
import { updateProfile } from '../../db/people/users.ts';
import { listDays } from '../../db/reports/history.ts';
import { readClosedPeriod } from '../../db/reports/person/closed-period.ts';
import { getReport, listReports } from '../../db/reports/person/reports.ts';
import { buildReport } from '../../domain/reports/build-report.ts';
import { atInstant } from '../support/clock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { clock, createPerson, rows, runTurn, type Person } from './fixture.ts';

let db: TestDatabase;
let database: Database;
beforeAll(async () => {
  db = await createTestDatabase({ now: clock });
  database = db.database;
});
afterAll(() => db.close());

const at = (text: string) => Date.parse(text);
const HOUR = 3_600_000;

/** Where people live, and when they move. */
const JOURNEYS: Readonly<Record<string, { from: string; moves: readonly (readonly [string, string])[] }>> = {
  'west, in the middle': { from: 'Asia/Seoul', moves: [['2026-11-20T03:00Z', 'America/New_York']] },
  'east, in the middle': { from: 'America/New_York', moves: [['2026-11-20T03:00Z', 'Asia/Seoul']] },
  'there and back in one month': {
    from: 'Asia/Seoul',
    moves: [
      ['2026-11-10T03:00Z', 'America/New_York'],
      ['2026-11-28T03:00Z', 'Asia/Seoul'],
    ],
  },
  'in the last hour of the month, west': { from: 'Asia/Seoul', moves: [['2026-11-30T14:59Z', 'America/New_York']] },
  'in the last hour of the month, east': {
    from: 'America/New_York',
    moves: [['2026-12-01T04:59Z', 'Pacific/Kiritimati']],
  },
  // Their clock goes from 1 December back to 29 November.
  'in the first minute of the month, over the date line': {
    from: 'Pacific/Kiritimati',
    moves: [['2026-11-30T10:00:30Z', 'Pacific/Pago_Pago']],
  },
  // They never have a 15 November.
  'over the date line, without one day': {
    from: 'Pacific/Pago_Pago',
    moves: [['2026-11-15T10:59Z', 'Pacific/Kiritimati']],
  },
};

/** Instants around the ends of months of both ends of the world, and others between. */
const BOOKED = [
  ...['2026-10-30T09', '2026-10-31T10', '2026-10-31T15', '2026-11-01T05', '2026-11-01T06', '2026-11-01T11'],
  ...['2026-11-15T10', '2026-11-15T11', '2026-11-20T02', '2026-11-20T04', '2026-11-28T04'],
  ...['2026-11-30T09', '2026-11-30T10', '2026-11-30T15', '2026-12-01T04', '2026-12-01T05', '2026-12-01T11'],
  ...['2026-12-31T10', '2026-12-31T15', '2027-01-01T05', '2027-01-01T12'],
].map((hour, n) => at(`${hour}:${n % 2 === 0 ? '00' : '59'}:45Z`));

interface Booked {
  readonly instant: number;
  readonly zone: string;
}

/** Whoever goes the journey: a turn of 7 tokens and a refusal at each instant. @returns what they did. */
async function travel(person: Person, { from, moves }: (typeof JOURNEYS)[string]): Promise<Booked[]> {
  const booked: Booked[] = [];
  let zone = from;
  const left = [...moves];
  for (const instant of BOOKED) {
    for (let next = left[0]; next !== undefined && at(next[0]) <= instant; next = left[0]) {
      const [when, timeZone] = next;
      await atInstant(at(when), () => updateProfile(database, { userId: person.userId, timeZone }));
      zone = timeZone;
      left.shift();
    }
    const turnId = await runTurn(database, person, { used: 7, now: instant });
    await dateEntry(turnId, instant);
    await atInstant(instant, () =>
      database.locking(person, async (tx) => tx.write(countRefusal(await lockAccount(tx, person.accountId)))),
    );
    booked.push({ instant, zone });
  }
  return booked;
}

/** An entry has PostgreSQL's own time, whatever time the test says that it is. */
async function dateEntry(turnId: string, instant: number): Promise<void> {
  await database.transaction(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx);
    await sql`update ledger_entries set created_at = ${new Date(instant)} where turn_id = ${turnId}`.execute(tx);
  });
}

/** What the clock of a zone shows, by the runtime's own calendar. */
function shown({ instant, zone }: Booked): { day: string; cell: string } {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    weekday: 'long',
    hour: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(instant);
  const of = (type: string) => parts.find((part) => part.type === type)?.value ?? '';
  const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
  return {
    day: `${of('year')}-${of('month')}-${of('day')}`,
    cell: `${weekdays.indexOf(of('weekday')) + 1} ${Number(of('hour'))}`,
  };
}

function counted(keys: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    [...Map.groupBy(keys, (key) => key)].map(([key, all]) => [key, all.length] as const).sort(),
  );
}

test('whoever moves in a month has each turn, hour, day and refusal in one report, as their clock showed it then', async () => {
  for (const [name, journey] of Object.entries(JOURNEYS)) {
    const person = await createPerson(database, { timeZone: journey.from });
    const { accountId, userId } = person;
    await sql`update accounts set created_at = '2026-10-20T00:00Z' where id = ${accountId}`.execute(database.sql);
    const booked = await travel(person, journey);
    const periods = await rows(
      database.sql,
      sql<{
        id: number;
        label: string;
        startsAt: number;
        endsAt: number;
        used: number;
      }>`select id::float8 as id, label, used_tokens::float8 as used,
        extract(epoch from starts_at)::float8 * 1000 as "startsAt", extract(epoch from ends_at)::float8 * 1000 as "endsAt"
      from periods where account_id = ${accountId} order by starts_at`,
    );
    const labels = periods.map(({ label }) => label);
    expect([name, ...labels]).toEqual([name, '2026-10', '2026-11', '2026-12', '2027-01']);
    for (const [n, { startsAt }] of periods.entries()) if (n > 0) expect(startsAt).toBe(periods[n - 1]?.endsAt);
    // A move after all of them changes no month that was, whether or not its report is made by then.
    await atInstant(at('2027-02-05T00:00Z'), () => getReport(database, { accountId, label: '2026-11' }));
    await atInstant(at('2027-02-05T01:00Z'), () => updateProfile(database, { userId, timeZone: 'Asia/Kathmandu' }));
    const seen: string[] = [];
    for (const { id, label, startsAt, endsAt, used } of periods) {
      const mine = booked.filter(({ instant }) => instant >= startsAt && instant < endsAt);
      const report = await atInstant(at('2027-02-05T02:00Z'), () => getReport(database, { accountId, label }));
      const days = counted(mine.map((one) => shown(one).day));
      const told = {
        used: report.usage.usedTokens,
        turns: report.usage.turns,
        blocked: report.limits.blockedTurns,
        zone: report.timeZone,
        days: Object.fromEntries(report.days.map(({ day, turns }) => [day, turns])),
        hours: Object.fromEntries(
          report.hours.map(({ weekday, hour, turns }) => [`${weekday} ${hour}`, turns] as const).sort(),
        ),
      };
      const lastMove = journey.moves.findLast(([when]) => at(when) <= endsAt);
      expect([name, label, told]).toEqual([
        name,
        label,
        {
          used: mine.length * 7,
          turns: mine.length,
          blocked: mine.length,
          zone: lastMove?.[1] ?? journey.from,
          days,
          hours: counted(mine.map((one) => shown(one).cell)),
        },
      ]);
      expect(used).toBe(told.used);
      const history = await listDays(database, { month: { label, periodId: id }, limit: 100, cursor: null });
      expect(Object.fromEntries(history.items.map(({ day, turns }) => [day, turns]))).toEqual(days);
      seen.push(...mine.map(({ instant }) => String(instant)));
      const month = { accountId, label, timeZone: report.timeZone, periodId: id };
      expect(buildReport(await readClosedPeriod(database.reads, month))).toEqual(report);
    }
    expect(seen).toEqual(BOOKED.map(String));
  }
});

test('an account’s first month is that of the clock on which it was made', async () => {
  const cases = [
    { from: 'Asia/Seoul', createdAt: '2026-10-31T15:30Z', to: 'America/New_York', first: '2026-11' },
    { from: 'America/New_York', createdAt: '2026-11-01T03:30Z', to: 'Asia/Seoul', first: '2026-10' },
  ];
  for (const { from, createdAt, to, first } of cases) {
    const { accountId, userId } = await createPerson(database, { timeZone: from });
    await sql`update accounts set created_at = ${createdAt} where id = ${accountId}`.execute(database.sql);
    await atInstant(at(createdAt) + 24 * HOUR, () => updateProfile(database, { userId, timeZone: to }));
    const { items } = await atInstant(at('2027-01-05T00:00Z'), () =>
      listReports(database, { accountId, limit: 10, cursor: null }),
    );
    expect([from, items.at(-1)?.label]).toEqual([from, first]);
    const before = first === '2026-11' ? '2026-10' : '2026-09';
    const refused = await atInstant(at('2027-01-05T00:00Z'), () =>
      getReport(database, { accountId, label: before }).catch((error: unknown) => (error as { code: string }).code),
    );
    expect(refused).toBe('not_found');
  }
});
