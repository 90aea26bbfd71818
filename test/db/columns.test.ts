import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { columnsOf, type RowOf } from '../../db/columns.ts';
import { Period } from '../../db/entities/account.ts';
import { Hold } from '../../db/entities/hold.ts';
import { LedgerEntry } from '../../db/entities/ledger-entry.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { clock, createPerson, only, runTurn } from './fixture.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase({ now: clock });
});
afterAll(() => db.close());

test('a select list reads tokens and ids as numbers, instants as milliseconds and days as text, under the names asked for', async () => {
  const person = await createPerson(db.database);
  const turnId = await runTurn(db.database, person, { used: 11 });
  await sql`update holds set expires_at = 'infinity' where turn_id = ${turnId}`.execute(db.database.sql);

  const booked = columnsOf(LedgerEntry, 'e', {
    account: 'accountId',
    day: 'day',
    used: 'usedDelta',
    reverses: 'reversesId',
  });
  const held = columnsOf(Hold, 'h', ['turnId', 'rateId', 'state', 'expiresAt']);
  const period = columnsOf(Period, 'p', ['label', 'startsAt', 'alertArmed']);
  const row = await only(
    db.database.sql,
    sql<RowOf<typeof booked> & RowOf<typeof held> & RowOf<typeof period>>`
    select ${booked}, ${held}, ${period} from ledger_entries e join holds h on h.id = e.hold_id join periods p on p.id = e.period_id
    where e.turn_id = ${turnId}`,
  );
  const typed: { account: number; day: string; reverses: number | null; state: string; startsAt: number } = row;
  expect(typed).toEqual({
    account: person.accountId,
    day: '2026-11-15',
    used: 11,
    reverses: null,
    turnId,
    rateId: 1_000_000,
    state: 'settled',
    expiresAt: Infinity,
    label: '2026-11',
    startsAt: Date.parse('2026-11-01T00:00:00+09:00'),
    alertArmed: null,
  });
});

test('a column that the entity has not is refused, by the compiler already', () => {
  // @ts-expect-error: no such column.
  expect(() => columnsOf(Hold, 'h', ['colour'])).toThrow('Hold has no column colour');
  // @ts-expect-error: columns are named as the rows have them, periodId.
  expect(() => columnsOf(LedgerEntry, 'e', { whose: 'period_id' })).toThrow('LedgerEntry has no column period_id');
});
