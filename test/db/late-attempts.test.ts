import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { adoptAttempt, openAttempt } from '../../db/turns/attempts.ts';
import { releaseTurn } from '../../db/turns/end.ts';
import { findTurn, reopenTurn, requestStop } from '../../db/turns/turns.ts';
import { atInstant } from '../support/clock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  accept,
  attemptsOf,
  clock,
  context,
  createPerson,
  holdsOf,
  NOW,
  only,
  open,
  reserve,
  store,
  type Person,
} from './fixture.ts';

/** A worker that slept wakes up with tasks that Temporal has given to others since (G37). */
let db: TestDatabase;
let person: Person;
beforeAll(async () => {
  db = await createTestDatabase({ now: clock });
});
afterAll(() => db.close());

/** A turn whose second task has opened its attempt; the first may or may not have opened one before. */
async function taken(firstOpened: boolean): Promise<string> {
  person = await createPerson(db.database);
  const { turnId } = await accept(db.database, person);
  await reserve(db.database, turnId);
  if (firstOpened) await open(db.database, turnId, { temporalAttempt: 1 });
  await open(db.database, turnId, { temporalAttempt: 2 });
  return turnId;
}

const all = async (turnId: string) => ({
  turn: await findTurn(db.database, { turnId, userId: null }),
  attempts: await attemptsOf(db.database.sql, turnId),
  holds: await holdsOf(db.database.sql, turnId),
});

const late = (turnId: string, { now, ...change }: Parameters<typeof context>[0] & { now?: number } = {}) =>
  atInstant(now, () => openAttempt(db.database, turnId, context({ temporalAttempt: 1, ...change })));

test.each([true, false])(
  'a task that was given out again opens no attempt, and changes nothing (it had opened one: %s)',
  async (firstOpened) => {
    const turnId = await taken(firstOpened);
    const before = await all(turnId);
    expect(await late(turnId)).toBeNull();
    expect(await all(turnId)).toEqual(before);
    // Control: the same task again (its COMMIT's answer was lost) and the next one open.
    await open(db.database, turnId, { temporalAttempt: 2 });
    await open(db.database, turnId, { temporalAttempt: 3 });
  },
);

test('it neither stops, nor refuses, nor ends the turn, whatever it finds there', async () => {
  const turnId = await taken(true);
  await open(db.database, turnId, { temporalAttempt: 3 });
  const last = await open(db.database, turnId, { temporalAttempt: 4 });
  expect(last).toMatchObject({ number: 4, isLast: true });
  const before = await all(turnId);
  // Its run's attempts are used up; its hold has expired, and there is no room for another.
  expect(await late(turnId)).toBeNull();
  await sql`update accounts set monthly_allowance_tokens = 0 where id = ${person.accountId}`.execute(db.database.sql);
  expect(await late(turnId, { now: Date.parse('2027-01-01T00:00:00+09:00') })).toBeNull();
  expect(await all(turnId)).toEqual(before);
  await requestStop(db.database, { turnId, userId: person.userId });
  expect(await late(turnId)).toBeNull();
  expect(await all(turnId)).toMatchObject({ turn: { state: 'running' }, holds: [{ state: 'pending' }] });
  expect(await store(db.database, turnId, last.number, { outcome: 'stopped' })).toMatchObject({ kind: 'answered' });
});

test('a task of a run that another has followed takes nothing from it, before its first attempt and after', async () => {
  person = await createPerson(db.database);
  const { turnId } = await accept(db.database, person);
  await reserve(db.database, turnId);
  await reserve(db.database, turnId, { runId: 'run-2', isReset: true });
  const before = await all(turnId);
  expect(await late(turnId)).toBeNull();
  expect(await all(turnId)).toEqual(before);
  const second = await open(db.database, turnId, { runId: 'run-2' });
  // Numbers are compared within a run only: a new one begins at 1.
  expect(await late(turnId, { temporalAttempt: 9 })).toBeNull();
  expect(await store(db.database, turnId, second.number)).toMatchObject({ kind: 'answered' });
});

test('nor does it begin the turn of a person’s retry, or one that a newer run has failed', async () => {
  person = await createPerson(db.database);
  const { turnId } = await accept(db.database, person);
  await reserve(db.database, turnId);
  const fail = (runId: string) =>
    releaseTurn(db.database, {
      turnId,
      runId,
      reason: { as: 'failed', code: 'model_timeout' },
      scheduledAt: Date.now(),
    });
  await fail('run-1');
  await reopenTurn(db.database, { turnId, userId: person.userId, reason: 'retry' });
  expect(await late(turnId)).toBeNull();
  await reserve(db.database, turnId, { runId: 'run-2', isReset: true });
  await fail('run-2');
  expect(await late(turnId)).toBeNull();
  expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({ state: 'failed' });
  // Control: a reset behind its hold has held nothing, and is admitted.
  await open(db.database, turnId, { runId: 'run-3' });
});

test('the database itself refuses such an attempt, and takes one of another run and one whose number nobody noted', async () => {
  const turnId = await taken(true);
  const insert = (number: number, runId: string, temporalAttempt: number | null) =>
    sql`insert into attempts (turn_id, number, run_id, hold_id, temporal_attempt)
      select ${turnId}, ${number}, ${runId}, id, ${temporalAttempt}::integer from holds where turn_id = ${turnId}`.execute(
      db.database.sql,
    );
  await expect(insert(3, 'run-1', 1)).rejects.toMatchObject({ constraint: 'attempts_open_in_order' });
  await insert(3, 'run-2', 1);
  await insert(4, 'run-1', null);
  await insert(5, 'run-1', 2);
});

describe('an attempt whose call still streams in the process that its task is given to again', () => {
  const adopt = (
    turnId: string,
    attempt: number,
    { now, ...change }: Parameters<typeof context>[0] & { now?: number } = {},
  ) => atInstant(now, () => adoptAttempt(db.database, { turnId, attempt }, context({ temporalAttempt: 2, ...change })));

  async function streaming(): Promise<{ turnId: string; number: number }> {
    person = await createPerson(db.database);
    const { turnId } = await accept(db.database, person);
    await reserve(db.database, turnId);
    const { number } = await open(db.database, turnId);
    return { turnId, number };
  }

  test('is handed on: no other opens, the hold is renewed, and no earlier task takes the turn', async () => {
    const { turnId, number } = await streaming();
    const soon = NOW + 60_000;
    const expiry = () =>
      only(
        db.database.sql,
        sql<{
          at: number;
        }>`select (extract(epoch from expires_at) * 1000)::float8 as at from holds where turn_id = ${turnId}`,
      );
    const { at } = await expiry();
    expect(await adopt(turnId, number, { temporalAttempt: 3, now: soon })).toEqual({ isStopRequested: false });
    expect((await expiry()).at).toBe(at + 60_000);
    expect(await attemptsOf(db.database.sql, turnId)).toMatchObject([{ number: 1, state: 'open' }]);
    expect(await late(turnId, { temporalAttempt: 2 })).toBeNull();
    expect(await adopt(turnId, number, { temporalAttempt: 2 })).toBeNull();
    expect(await store(db.database, turnId, number)).toMatchObject({ kind: 'answered' });
  });

  test('tells of a stop whose message may have been missed', async () => {
    const { turnId, number } = await streaming();
    await requestStop(db.database, { turnId, userId: person.userId });
    expect(await adopt(turnId, number)).toEqual({ isStopRequested: true });
  });

  test('is not when it can bring no answer: fenced, answered, its hold over, its turn ended, or another run’s', async () => {
    const fenced = await streaming();
    await open(db.database, fenced.turnId, { temporalAttempt: 2 });
    expect(await adopt(fenced.turnId, fenced.number)).toBeNull();
    const answered = await streaming();
    await store(db.database, answered.turnId, answered.number);
    expect(await adopt(answered.turnId, answered.number)).toBeNull();
    const expired = await streaming();
    expect(await adopt(expired.turnId, expired.number, { now: NOW + 86_400_000 })).toBeNull();
    const ended = await streaming();
    await releaseTurn(db.database, { ...ended, runId: 'run-1', reason: { as: 'stopped' }, scheduledAt: Date.now() });
    expect(await adopt(ended.turnId, ended.number)).toBeNull();
    const reset = await streaming();
    expect(await adopt(reset.turnId, reset.number, { runId: 'run-2' })).toBeNull();
    await reserve(db.database, reset.turnId, { runId: 'run-2', isReset: true });
    expect(await adopt(reset.turnId, reset.number)).toBeNull();
  });
});
