import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { Sql } from '../../db/database.ts';
import { openAttempt, storeAnswer, type AnswerToStore } from '../../db/turns/attempts.ts';
import { openFirstAttempt, storeAnswerAtOnce } from '../../db/turns/first-attempt.ts';
import { reopenTurn, requestStop } from '../../db/turns/turns.ts';
import { attemptTimeoutMs, HOLD_OUTLIVES_MS } from '../../domain/attempt-limits.ts';
import { atInstant } from '../support/clock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';
import {
  accept,
  answerOf,
  attemptsOf,
  clock,
  context,
  createPerson,
  failTurn,
  holdsOf,
  NOW,
  only,
  reserve,
} from './fixture.ts';

/** The first attempt of a turn opens by one statement (G37), which leaves alone what it may not take. */
let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase({ now: clock, lockWithinMs: 14_000 });
});
afterAll(() => db.close());

async function admitted(): Promise<{ turnId: string; userId: number; accountId: number }> {
  const person = await createPerson(db.database);
  const { turnId } = await accept(db.database, person);
  expect(await reserve(db.database, turnId)).toMatchObject({ kind: 'held' });
  return { ...person, turnId };
}

const openFirst = (turnId: string, change: Parameters<typeof context>[0] = {}) =>
  openFirstAttempt(db.database, turnId, context(change));

const stateOf = async (turnId: string) => ({
  turn: await only(db.database.sql, sql`select to_jsonb(t) as row from turns t where id = ${turnId}`),
  holds: await only(
    db.database.sql,
    sql`select jsonb_agg(h order by id) as rows from holds h where turn_id = ${turnId}`,
  ),
  attempts: await attemptsOf(db.database.sql, turnId),
});

const HOLD_MS = attemptTimeoutMs(2_048) + HOLD_OUTLIVES_MS;

test('it opens as a transaction would: attempt 1, turn running, hold renewed for the time that Temporal gives', async () => {
  const { turnId } = await admitted();
  const opened = await atInstant(NOW + 30_000, () => openFirst(turnId, { limitMs: 50_000 }));
  expect(opened).toMatchObject({ kind: 'opened', number: 1, isLast: false, restarted: null });
  expect(opened?.turn).toMatchObject({ id: turnId, question: 'a question' });
  const hold = await only(
    db.database.sql,
    sql<object>`select id, tokens::float8 as tokens, prompt_tokens::float8 as "promptTokens", output_limit as "outputLimit",
      (extract(epoch from expires_at) * 1000)::float8 as until from holds where turn_id = ${turnId}`,
  );
  const { id, tokens, promptTokens, outputLimit } = opened?.hold ?? {};
  expect(hold).toEqual({
    id,
    tokens,
    promptTokens,
    outputLimit,
    until: NOW + 30_000 + 50_000 + HOLD_OUTLIVES_MS,
  });
  expect(await stateOf(turnId)).toMatchObject({
    turn: { row: { state: 'running', attempt: 1, run_id: 'run-1' } },
    attempts: [{ number: 1, state: 'open', runId: 'run-1' }],
  });
});

/** What happens to a turn between its admission and its first task; `opens`: whether the transaction then opens one. */
const CASES: Record<
  string,
  {
    how: (turn: { turnId: string; userId: number }) => Promise<unknown>;
    as?: Parameters<typeof context>[0] & { now?: number };
  }
> = {
  'a stop was asked for': { how: (turn) => requestStop(db.database, turn) },
  'it has ended': { how: ({ turnId }) => failTurn(db.database, turnId) },
  'it was retried, and nobody has admitted it': {
    how: async ({ turnId, userId }) => {
      await failTurn(db.database, turnId);
      await reopenTurn(db.database, { turnId, userId, reason: 'retry' });
    },
  },
  'another run has admitted it': {
    how: ({ turnId }) => reserve(db.database, turnId, { runId: 'run-2', isReset: true }),
  },
  'it is another run’s': { how: async () => {}, as: { runId: 'run-2' } },
  'it has had an attempt': { how: ({ turnId }) => openFirst(turnId) },
  'its hold has expired': { how: async () => {}, as: { now: NOW + HOLD_MS + 1 } },
  'its hold has less than a minute to live': { how: async () => {}, as: { now: NOW + HOLD_MS - 59_000 } },
};

test.each(Object.entries(CASES))(
  'it opens none and changes nothing when %s',
  async (_name, { how, as: { now, ...as } = {} }) => {
    const turn = await admitted();
    await how(turn);
    const before = await stateOf(turn.turnId);
    expect(await atInstant(now, () => openFirst(turn.turnId, as))).toBeNull();
    expect(await stateOf(turn.turnId)).toEqual(before);
  },
);

test('a stop or another admission that it has to wait for counts, and so does a lock that nobody gives back', async () => {
  const write = {
    stop: (turnId: string) => sql`update turns set stop_requested_at = now() where id = ${turnId}`,
    expiry: (turnId: string) => sql`update holds set state = 'expired', ended_at = now() where turn_id = ${turnId}`,
    nothing: (turnId: string) =>
      sql`update accounts set purchased_tokens = purchased_tokens where id = (select account_id from turns where id = ${turnId})`,
  };
  for (const [what, statement] of Object.entries(write)) {
    const { turnId, accountId } = await admitted();
    const opening = await db.database.transaction(async (tx) => {
      await sql`select 1 from accounts where id = ${accountId} for no key update`.execute(tx);
      await statement(turnId).execute(tx);
      const waits = openFirst(turnId);
      await until(() => waiting(db.database.sql));
      return { waits };
    });
    expect([what, (await opening.waits) === null]).toEqual([what, what !== 'nothing']);
    expect(await attemptsOf(db.database.sql, turnId)).toHaveLength(what === 'nothing' ? 1 : 0);
  }
  const impatient = await createTestDatabase({ now: clock, lockWithinMs: 50 });
  try {
    const person = await createPerson(impatient.database);
    const { turnId } = await accept(impatient.database, person);
    await reserve(impatient.database, turnId);
    await impatient.database.transaction(async (tx) => {
      await sql`select 1 from accounts where id = ${person.accountId} for no key update`.execute(tx);
      expect(await openFirstAttempt(impatient.database, turnId, context())).toBeNull();
    });
  } finally {
    await impatient.close();
  }
});

describe('an answer is stored by one statement', () => {
  const storeAtOnce = (turnId: string, change: Partial<AnswerToStore> = {}) =>
    storeAnswerAtOnce(db.database, answerOf(turnId, 1, change));

  async function answering(): Promise<Awaited<ReturnType<typeof admitted>>> {
    const turn = await admitted();
    expect(await openFirst(turn.turnId)).toMatchObject({ kind: 'opened' });
    return turn;
  }

  test('as the transaction stores it, whatever there is to store', async () => {
    const full = {
      outcome: 'stopped',
      text: 'an answer\0',
      textTokens: 4,
      usage: { promptTokens: 7, cachedTokens: 2, completionTokens: 5, reasoningTokens: 1 },
      estimated: true,
      figures: { promptTokens: 9, completionTokens: null },
      finishReason: 'length',
      finishWord: 'max_tokens',
      finishUnknown: true,
      streamEntries: 3,
      providerRequestId: 'req-1',
      firstDeltaMs: 12,
    } as unknown as Partial<AnswerToStore>;
    for (const change of [{}, full]) {
      const [one, other] = [await answering(), await answering()];
      expect(await storeAtOnce(one.turnId, change)).toBe(true);
      // One that is stopped meanwhile is left to the transaction, which stores it all the same.
      await sql`update attempts set state = 'stopped' where turn_id = ${other.turnId}`.execute(db.database.sql);
      expect(await storeAtOnce(other.turnId, change)).toBe(false);
      expect(await storeAnswer(db.database, answerOf(other.turnId, 1, change))).toMatchObject({ kind: 'answered' });
      const [stored, expected] = [await stateOf(one.turnId), await stateOf(other.turnId)];
      const plain = (state: typeof stored) =>
        JSON.parse(
          JSON.stringify(state, (name, value: unknown) => (/_at$|At$|id$|Id$|^state$/.test(name) ? undefined : value)),
        ) as object;
      expect(plain(stored)).toEqual(plain(expected));
      expect(stored).toMatchObject({
        turn: { row: { state: 'running', answer_attempt: 1 } },
        holds: { rows: [{ state: 'pending', expires_at: 'infinity' }] },
        attempts: [{ state: change === full ? 'stopped' : 'answered' }],
      });
    }
  });

  const STORES: Record<string, (turn: { turnId: string; userId: number }) => Promise<unknown>> = {
    'another attempt has begun': ({ turnId }) => openAttempt(db.database, turnId, context()),
    'its answer is stored': ({ turnId }) => storeAtOnce(turnId),
    'it has ended': ({ turnId }) => failTurn(db.database, turnId),
    'its hold is gone': ({ turnId }) =>
      sql`update holds set state = 'expired', ended_at = now() where turn_id = ${turnId}`.execute(db.database.sql),
    'its hold has less than a minute to live': ({ turnId }) =>
      sql`update holds set expires_at = ${new Date(NOW + 59_000)} where turn_id = ${turnId}`.execute(db.database.sql),
  };

  test.each(Object.entries(STORES))('none, and nothing is changed, when %s', async (_name, how) => {
    const turn = await answering();
    await how(turn);
    const before = await stateOf(turn.turnId);
    expect(await storeAtOnce(turn.turnId)).toBe(false);
    expect(await stateOf(turn.turnId)).toEqual(before);
  });

  test('once, of ten that store it at once; and none where it waits for whoever ends the turn', async () => {
    const { turnId } = await answering();
    const stored = await Promise.all(Array.from({ length: 10 }, () => storeAtOnce(turnId)));
    expect(stored.filter(Boolean)).toHaveLength(1);
    const other = await answering();
    const { storing } = await db.database.transaction(async (tx) => {
      await sql`select 1 from accounts where id = ${other.accountId} for no key update`.execute(tx);
      await sql`update holds set state = 'expired', ended_at = now() where turn_id = ${other.turnId}`.execute(tx);
      const waits = storeAtOnce(other.turnId);
      await until(() => waiting(db.database.sql));
      return { storing: waits };
    });
    expect(await storing).toBe(false);
  });
});

async function waiting(on: Sql): Promise<boolean> {
  const { count } = await only(
    on,
    sql<{ count: number }>`select count(*)::int as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return count > 0;
}

test('of ten that open it at once one does, whichever way; the others open attempts after it', async () => {
  const { turnId } = await admitted();
  const first = await Promise.all(Array.from({ length: 10 }, () => openFirst(turnId)));
  expect(first.filter((opened) => opened !== null)).toHaveLength(1);
  const other = await admitted();
  const opened = await Promise.all(Array.from({ length: 4 }, () => openAttempt(db.database, other.turnId, context())));
  expect(opened.map((one) => (one?.kind === 'opened' ? one.number : null)).sort()).toEqual([1, 2, 3, 4]);
  expect(await holdsOf(db.database.sql, other.turnId)).toMatchObject([{ state: 'pending' }]);
});
