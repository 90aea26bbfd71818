import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { listUsers, selectUsers } from '../../db/reports/admin-users.ts';
import { acceptTurn } from '../../db/turns/accept.ts';
import { openAttempt } from '../../db/turns/attempts.ts';
import { listAudit } from '../../db/audit.ts';
import { releaseTurn } from '../../db/turns/end.ts';
import { settleTurn } from '../../db/turns/settle.ts';
import { resumeUser, suspendUser } from '../../db/people/suspension.ts';
import { findTurn, reopenTurn } from '../../db/turns/turns.ts';
import { createUser } from '../../db/people/users.ts';
import { CLI_ACTOR } from '../../domain/audit.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { lockRows } from '../support/lock.ts';
import { until } from '../support/until.ts';
import {
  accept,
  attemptsOf,
  context,
  createPerson,
  debitsOf,
  holdsOf,
  newId,
  open,
  request,
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

const change = () => ({ userId: person.userId, reason: 'spam', actor: CLI_ACTOR });
const suspend = () => suspendUser(db.database, change());
const resume = () => resumeUser(db.database, change());
const turnOf = (turnId: string) => findTurn(db.database, { turnId, userId: null });
const fail = (turnId: string) =>
  releaseTurn(db.database, {
    turnId,
    runId: 'run-1',
    reason: { as: 'failed', code: 'model_timeout' },
    scheduledAt: Date.now() + 60_000,
  });

async function failedTurn(): Promise<string> {
  const { turnId } = await accept(db.database, person);
  await reserve(db.database, turnId);
  await fail(turnId);
  return turnId;
}

describe('reserving for a suspended account', () => {
  test('refuses a turn that was never admitted, which binds nothing: the same id may carry another body once resumed', async () => {
    const { turnId } = await accept(db.database, person);
    expect(await suspend()).toEqual({ stopping: [] });
    expect(await reserve(db.database, turnId)).toEqual({ kind: 'ended', state: 'refused' });
    expect(await turnOf(turnId)).toMatchObject({ state: 'refused', error: 'account_suspended' });
    expect(await holdsOf(db.database.sql, turnId)).toEqual([]);
    await resume();
    expect(await acceptTurn(db.database, request(person, { turnId, message: 'another' }))).toMatchObject({
      decision: 'judge_anew',
    });
    expect(await reserve(db.database, turnId)).toMatchObject({ kind: 'held' });
  });

  test.each(['retry', 'replay'] as const)(
    'ends a turn whose %s came just before as failed, to be run again once resumed',
    async (reason) => {
      const turnId = await failedTurn();
      await reopenTurn(db.database, { turnId, userId: null, reason });
      await suspend();
      expect(await reserve(db.database, turnId, { runId: 'run-2', isReset: true })).toEqual({
        kind: 'failed',
        code: 'account_suspended',
      });
      expect(await turnOf(turnId)).toMatchObject({ state: 'failed', error: 'account_suspended' });
      await resume();
      await reopenTurn(db.database, { turnId, userId: null, reason });
      expect(await reserve(db.database, turnId, { runId: 'run-3' })).toMatchObject({ kind: 'held' });
    },
  );

  test('leaves a failed turn whose run was reset as it was, with its own cause', async () => {
    const turnId = await failedTurn();
    await suspend();
    expect(await reserve(db.database, turnId, { runId: 'reset', isReset: true })).toEqual({
      kind: 'failed',
      code: 'account_suspended',
    });
    expect(await openAttempt(db.database, turnId, context({ runId: 'reset' }))).toEqual({
      kind: 'failed',
      code: 'account_suspended',
    });
    expect(await turnOf(turnId)).toMatchObject({ state: 'failed', error: 'model_timeout' });
  });

  test('leaves a refused turn whose run was reset refused', async () => {
    const { turnId } = await accept(db.database, person);
    await suspend();
    await reserve(db.database, turnId);
    expect(await reserve(db.database, turnId, { runId: 'reset', isReset: true })).toEqual({
      kind: 'ended',
      state: 'refused',
    });
  });

  test('answers the ending of an answered turn, and settles an answer that is stored', async () => {
    const answered = await runTurn(db.database, person);
    const { turnId } = await accept(db.database, person);
    await reserve(db.database, turnId);
    await open(db.database, turnId);
    const answer = await storedAnswer(store(db.database, turnId, 1));
    await suspend();
    expect(await reserve(db.database, answered, { runId: 'reset', isReset: true })).toEqual({
      kind: 'ended',
      state: 'completed',
    });
    expect(await reserve(db.database, turnId, { runId: 'reset', isReset: true })).toMatchObject({ kind: 'answered' });
    await settleTurn(db.database, { turnId, answer });
    expect(await debitsOf(db.database.sql, turnId)).toHaveLength(1);
  });
});

describe('suspending while turns run', () => {
  test('asks those that have their hold to stop; their next attempt does not call the model', async () => {
    const { turnId } = await accept(db.database, person);
    await reserve(db.database, turnId);
    await open(db.database, turnId);
    const waiting = await accept(db.database, person);
    expect(await suspend()).toEqual({ stopping: [turnId] });
    expect((await turnOf(turnId))?.stopRequestedAt).not.toBeNull();
    expect((await turnOf(waiting.turnId))?.stopRequestedAt).toBeNull();
    expect(await openAttempt(db.database, turnId, context())).toEqual({ kind: 'ended', state: 'stopped' });
    expect(await attemptsOf(db.database.sql, turnId)).toHaveLength(1);
  });

  test('settles what had been answered when the stop was seen', async () => {
    const { turnId } = await accept(db.database, person);
    await reserve(db.database, turnId);
    await open(db.database, turnId);
    await suspend();
    const answer = await storedAnswer(store(db.database, turnId, 1, { outcome: 'stopped', finishReason: null }));
    await settleTurn(db.database, { turnId, answer });
    expect(await debitsOf(db.database.sql, turnId)).toMatchObject([{ tokens: 11 }]);
  });

  test('a reserve that waits for the lock behind the suspension sees it: read before the wait, it would be admitted', async () => {
    const { turnId } = await accept(db.database, person);
    const lock = await lockRows(db.url, 'select 1 from accounts where id = $1', [person.accountId]);
    const suspending = suspend();
    await until(() => blocked(1));
    const reserving = reserve(db.database, turnId);
    await until(() => blocked(2));
    await lock.release();
    expect(await suspending).toEqual({ stopping: [] });
    expect(await reserving).toEqual({ kind: 'ended', state: 'refused' });
  });

  test('whichever comes first, no turn is admitted without being asked to stop', async () => {
    const outcomes = new Set<string>();
    for (let round = 0; round < 20; round += 1) {
      const { turnId } = await accept(db.database, person);
      const [reserved, { stopping }] = await Promise.all([reserve(db.database, turnId), suspend()]);
      expect(reserved.kind === 'held').toBe(stopping.includes(turnId));
      outcomes.add(reserved.kind);
      await fail(turnId);
      await resume();
    }
    expect(outcomes.size).toBeGreaterThan(0);
  });
});

test('a retry or replay of a suspended account is refused before anything changes', async () => {
  const turnId = await failedTurn();
  await suspend();
  for (const reason of ['retry', 'replay'] as const) {
    await expect(reopenTurn(db.database, { turnId, userId: null, reason })).rejects.toMatchObject({
      code: 'account_suspended',
    });
  }
  expect(await turnOf(turnId)).toMatchObject({ state: 'failed', error: 'model_timeout' });
  const answered = await accept(db.database, person).then(() => newId());
  await expect(reopenTurn(db.database, { turnId: answered, userId: null, reason: 'replay' })).rejects.toMatchObject({
    code: 'not_found',
  });
});

test('suspending twice keeps the first instant; each is an entry of the audit log', async () => {
  await suspend();
  const [first] = await rows(
    db.database.sql,
    sql<{ at: Date }>`select suspended_at as at from accounts where id = ${person.accountId}`,
  );
  await suspend();
  expect(
    await rows(db.database.sql, sql`select suspended_at as at from accounts where id = ${person.accountId}`),
  ).toEqual([first]);
  await resume();
  const { items } = await listAudit(db.database, {
    filter: { target: `user:${person.userId}` },
    limit: 10,
    cursor: null,
  });
  expect(items.map(({ action, before, after }) => [action, before, after])).toEqual([
    ['user.resume', { suspended: true }, { suspended: false }],
    ['user.suspend', { suspended: true }, { suspended: true, stoppedTurns: 0 }],
    ['user.suspend', { suspended: false }, { suspended: true, stoppedTurns: 0 }],
  ]);
});

test('an unknown user is not_found, and nothing is audited', async () => {
  await expect(suspendUser(db.database, { ...change(), userId: 999_999 })).rejects.toMatchObject({ code: 'not_found' });
  expect((await listAudit(db.database, { filter: { target: 'user:999999' }, limit: 10, cursor: null })).items).toEqual(
    [],
  );
});

describe('finding people', () => {
  test('by the beginning of their e-mail in any case, by id, by suspension, page by page', async () => {
    const made = [];
    for (const email of ['Kim.A@find.example', 'kim.b@find.example', 'kim_c@find.example', 'lee@find.example'])
      made.push((await createUser(db.database, { email, role: 'user' })).userId);
    const idsOf = async (filter: object, limit = 10, cursor: string | null = null) => {
      const { items, nextCursor } = await listUsers(db.database, { filter, limit, cursor });
      return { ids: items.map(({ userId }) => userId), nextCursor };
    };
    expect((await idsOf({ email: 'KIM' })).ids).toEqual(made.slice(0, 3));
    expect((await idsOf({ email: 'kim_' })).ids).toEqual([made[2]]);
    expect((await idsOf({ email: '%' })).ids).toEqual([]);
    expect((await idsOf({ userId: made[3] })).ids).toEqual([made[3]]);
    const { ids, nextCursor } = await idsOf({ email: 'kim' }, 2);
    expect([ids, (await idsOf({ email: 'kim' }, 2, nextCursor)).ids]).toEqual([made.slice(0, 2), made.slice(2, 3)]);
    await suspend();
    expect((await idsOf({ suspended: true })).ids).toContain(person.userId);
    expect((await idsOf({ suspended: false, userId: person.userId })).ids).toEqual([]);
    await resume();
  });

  test('uses an index for each, with 30,000 people in the table', async () => {
    await sql`insert into users (id, email) select n, md5(n::text) || '@many.example' from generate_series(100000, 129999) n`.execute(
      db.database.sql,
    );
    await sql`insert into accounts (id, user_id) select n, n from generate_series(100000, 129999) n`.execute(
      db.database.sql,
    );
    await sql`analyze users, accounts`.execute(db.database.sql);
    const planOf = async (query: ReturnType<typeof selectUsers>) =>
      JSON.stringify(await rows(db.database.sql, sql`explain ${query}`));
    // Nobody has a period here, and of an empty table nothing is looked up.
    const reads = /Seq Scan on (users|accounts)/;
    for (const list of [
      {},
      { filter: { email: 'abcd' } },
      { filter: { userId: 100_007 } },
      { filter: { suspended: true } },
      { filter: { who: '100007' } },
      { filter: { who: 'abcd' } },
      { order: 'email' },
      { order: '-lastSeen' },
    ] as const)
      expect([
        list,
        await planOf(selectUsers(db.database.reads, { filter: {}, limit: 50, cursor: null, ...list })),
      ]).toEqual([list, expect.not.stringMatching(reads)]);
    // Control: no index serves a search for a part that is not a beginning.
    expect(await planOf(sql`select id from users where email like '%abcd%'`)).toContain('Seq Scan');
  });
});

async function blocked(count: number): Promise<boolean> {
  const [row] = await rows(
    db.database.sql,
    sql<{ count: number }>`select count(*)::int as count from pg_stat_activity
    where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0`,
  );
  return row?.count === count;
}
