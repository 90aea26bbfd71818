import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { Sql } from '../../db/database.ts';
import { acceptTurn } from '../../db/turns/accept.ts';
import { openAttempt } from '../../db/turns/attempts.ts';
import { grantTokens } from '../../db/money/grants.ts';
import { settleTurn } from '../../db/turns/settle.ts';
import { findTurn, reopenTurn, unbindTurn } from '../../db/turns/turns.ts';
import type { TurnState } from '../../domain/turn.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  accept,
  attemptsOf,
  context,
  createPerson,
  debitsOf,
  failTurn,
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

const fail = (turnId: string, runId?: string) => failTurn(db.database, turnId, runId);
const send = (change: Parameters<typeof request>[1]) => acceptTurn(db.database, request(person, change));
const stateOf = async (turnId: string) => (await findTurn(db.database, { turnId, userId: null }))?.state;
const setAllowance = (tokens: number) =>
  sql`update accounts set monthly_allowance_tokens = ${tokens} where id = ${person.accountId}`.execute(db.database.sql);

/** Makes a turn with the id and brings it to the state, as a run would. */
const PREPARE_TURN: Record<TurnState, (turnId: string) => Promise<void>> = {
  accepted: async (turnId) => void (await send({ turnId })),
  running: async (turnId) => {
    await send({ turnId });
    await reserve(db.database, turnId);
    await open(db.database, turnId);
  },
  completed: async (turnId) => {
    await PREPARE_TURN.running(turnId);
    const answer = await storedAnswer(store(db.database, turnId, 1));
    await settleTurn(db.database, { turnId, answer });
  },
  stopped: async (turnId) => {
    await PREPARE_TURN.running(turnId);
    const answer = await storedAnswer(store(db.database, turnId, 1, { outcome: 'stopped', finishReason: null }));
    await settleTurn(db.database, { turnId, answer });
  },
  failed: async (turnId) => {
    await PREPARE_TURN.running(turnId);
    await fail(turnId);
  },
  refused: async (turnId) => {
    await setAllowance(0);
    await send({ turnId });
    await reserve(db.database, turnId);
    await sql`update periods set allowance_tokens = 100000 where account_id = ${person.accountId}`.execute(
      db.database.sql,
    );
  },
};

describe('sending again (policy 7), at the database', () => {
  test.each([
    ['accepted', 'join', 'joined', 'turn_not_failed'],
    ['running', 'join', 'turn_not_failed', 'turn_not_failed'],
    ['completed', 'stored', 'turn_not_failed', 'turn_not_failed'],
    ['stopped', 'stored', 'turn_not_failed', 'turn_not_failed'],
    ['failed', 'stored', 'accepted', 'accepted'],
    ['refused', 'judge_anew', 'accepted', 'turn_not_failed'],
  ] as const)('%s: same body %s; retry: %s; replay: %s', async (state, sameBody, retry, replay) => {
    const turnId = newId();
    await PREPARE_TURN[state](turnId);
    expect(await stateOf(turnId)).toBe(state);
    const before = await attemptsOf(db.database.sql, turnId);
    // `judge_anew` changes the turn, so the other columns are tried first.
    for (const [reason, expected] of [
      ['replay', replay],
      ['retry', retry],
    ] as const) {
      const run = reopenTurn(db.database, { turnId, userId: reason === 'retry' ? person.userId : null, reason });
      if (expected === 'turn_not_failed')
        await expect(run).rejects.toMatchObject({ code: 'turn_not_failed', details: { state } });
      else if (expected === 'joined')
        expect(await run).toEqual(await findTurn(db.database, { turnId, userId: person.userId }));
      else {
        expect(await run).toMatchObject({ turnId, state: 'accepted', error: null, endedAt: null });
        if (state === 'failed') await fail(turnId, `run of the ${reason}`);
        else await unbindTurn(db.database, { turnId });
      }
    }
    if (state !== 'refused') {
      await expect(send({ turnId, message: 'another body' })).rejects.toMatchObject({
        code: 'idempotency_conflict',
        details: { turnId },
      });
    }
    const again = await send({ turnId });
    expect(again.decision).toBe(sameBody);
    if (state === 'completed') expect(again.turn).toMatchObject({ content: 'an answer', usage: { debitedTokens: 11 } });
    if (state === 'failed') expect(again.turn).toMatchObject({ error: 'model_timeout' });
    expect(await attemptsOf(db.database.sql, turnId)).toEqual(before);
  });

  test('a refused turn judged anew takes the new body, the next sequence number, and runs', async () => {
    const { turnId, conversationId, sequence } = await accept(db.database, person, { idempotencyKey: 'key' });
    await setAllowance(0);
    expect(await reserve(db.database, turnId)).toEqual({ kind: 'ended', state: 'refused' });
    const other = await send({ idempotencyKey: 'key', message: 'something else entirely', askedOutput: 40 });
    expect(other).toMatchObject({
      decision: 'judge_anew',
      turn: { turnId, conversationId, sequence: sequence + 1, state: 'accepted', askedOutput: 40, error: null },
    });
    expect(await reserve(db.database, turnId)).toEqual({ kind: 'ended', state: 'refused' }); // today's figures
    await grantTokens(db.database, { userId: person.userId, tokens: 10_000, reason: 'r', key: 'g' });
    expect(await send({ idempotencyKey: 'key', message: 'a third' })).toMatchObject({
      decision: 'judge_anew',
      turn: { sequence: 3 },
    });
    expect(await reserve(db.database, turnId)).toMatchObject({ kind: 'held' });
    // A turn that was admitted is bound.
    await expect(send({ idempotencyKey: 'key', message: 'a fourth' })).rejects.toMatchObject({
      code: 'idempotency_conflict',
    });
    expect(await send({ idempotencyKey: 'key', message: 'a third' })).toMatchObject({ decision: 'join' });
  });

  test('a refused turn may be sent into another conversation of its person, but not into a stranger’s', async () => {
    const turnId = newId();
    await PREPARE_TURN.refused(turnId);
    const other = await accept(db.database, person);
    await fail(other.turnId);
    const stranger = await accept(db.database, await createPerson(db.database));
    await expect(send({ turnId, conversationId: stranger.conversationId })).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(await send({ turnId, conversationId: other.conversationId })).toMatchObject({
      decision: 'judge_anew',
      turn: { conversationId: other.conversationId },
    });
  });

  test('conversation_busy binds nothing: the same id may carry another body afterwards', async () => {
    const running = await accept(db.database, person);
    const turnId = newId();
    await expect(send({ turnId, conversationId: running.conversationId })).rejects.toMatchObject({
      code: 'conversation_busy',
      details: { retryAfter: 5 },
    });
    expect(await findTurn(db.database, { turnId, userId: null })).toBeNull();
    await fail(running.turnId);
    expect(await send({ turnId, conversationId: running.conversationId, message: 'changed' })).toMatchObject({
      decision: 'new',
      turn: { sequence: 2 },
    });
  });

  test('a refused turn judged anew hears conversation_busy while another runs there, and stays refused', async () => {
    const turnId = newId();
    await PREPARE_TURN.refused(turnId);
    const { conversationId } = (await findTurn(db.database, { turnId, userId: null }))!;
    await accept(db.database, person, { conversationId, message: 'next' });
    await expect(send({ turnId })).rejects.toMatchObject({ code: 'conversation_busy' });
    expect(await stateOf(turnId)).toBe('refused');
  });
});

describe('keys and ids', () => {
  test('the key finds its turn; with the same turn id too; a disagreement is invalid_request', async () => {
    const turnId = newId();
    await send({ turnId, idempotencyKey: 'k' });
    expect(await send({ idempotencyKey: 'k' })).toMatchObject({ decision: 'join', turn: { turnId } });
    expect(await send({ turnId, idempotencyKey: 'k' })).toMatchObject({ decision: 'join', turn: { turnId } });
    await expect(send({ turnId: newId(), idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(send({ turnId, idempotencyKey: 'another' })).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test('a key is unique per account: another account’s same key is its own', async () => {
    const mine = await send({ idempotencyKey: 'k' });
    const other = await acceptTurn(db.database, request(await createPerson(db.database), { idempotencyKey: 'k' }));
    expect(other.decision).toBe('new');
    expect(other.turn.turnId).not.toBe(mine.turn.turnId);
  });

  test('another account’s turn id is idempotency_conflict, as for a wrong body, in whatever state', async () => {
    const turnId = newId();
    await PREPARE_TURN.refused(turnId);
    const stranger = await createPerson(db.database);
    await expect(acceptTurn(db.database, request(stranger, { turnId }))).rejects.toMatchObject({
      code: 'idempotency_conflict',
      details: { turnId },
    });
    expect(await findTurn(db.database, { turnId, userId: stranger.userId })).toBeNull();
    await expect(reopenTurn(db.database, { turnId, userId: stranger.userId, reason: 'retry' })).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  test('a conversation that is another’s or nobody’s is not_found, and nothing is written', async () => {
    const stranger = await accept(db.database, await createPerson(db.database));
    for (const conversationId of [stranger.conversationId, newId()])
      await expect(send({ conversationId })).rejects.toMatchObject({ code: 'not_found' });
    expect(await rows(db.database.sql, sql`select 1 from turns where user_id = ${person.userId}`)).toEqual([]);
  });

  test('the question is committed with its turn before anything runs (G25), in the order of the conversation', async () => {
    const first = await send({ message: 'first' });
    expect(
      await rows(db.database.sql, sql`select question, state, sequence from turns where id = ${first.turn.turnId}`),
    ).toEqual([{ question: 'first', state: 'accepted', sequence: 1 }]);
    await fail(first.turn.turnId);
    expect((await send({ message: 'second', conversationId: first.turn.conversationId })).turn.sequence).toBe(2);
  });
});

describe('a reset in the Temporal UI (a reserve by a new run)', () => {
  const reset = (turnId: string) => reserve(db.database, turnId, { runId: 'reset', isReset: true });

  test.each(['completed', 'stopped'] as const)(
    'of a %s turn ends at once with the same answer: no hold, no model call, no second debit',
    async (state) => {
      const turnId = newId();
      await PREPARE_TURN[state](turnId);
      expect(await reset(turnId)).toEqual({ kind: 'ended', state });
      expect(await openAttempt(db.database, turnId, context({ runId: 'reset' }))).toEqual({ kind: 'ended', state });
      expect(await attemptsOf(db.database.sql, turnId)).toHaveLength(1);
      expect(await holdsOf(db.database.sql, turnId)).toHaveLength(1);
      expect(await debitsOf(db.database.sql, turnId)).toHaveLength(1);
    },
  );

  test('of a failed turn runs it again, its sequence number kept', async () => {
    const turnId = newId();
    await PREPARE_TURN.failed(turnId);
    expect(await reset(turnId)).toMatchObject({ kind: 'held' });
    expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({
      state: 'accepted',
      sequence: 1,
      error: null,
    });
    expect(await open(db.database, turnId, { runId: 'reset' })).toMatchObject({ number: 2, restarted: 'replay' });
  });

  test('of a refused turn judges it anew, at the next sequence number', async () => {
    const turnId = newId();
    await PREPARE_TURN.refused(turnId);
    expect(await reset(turnId)).toMatchObject({ kind: 'held' });
    expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({ state: 'accepted', sequence: 2 });
  });

  test('of a failed turn while another runs in its conversation ends failed conversation_busy and leaves the turn as it was', async () => {
    const turnId = newId();
    await PREPARE_TURN.failed(turnId);
    const { conversationId } = (await findTurn(db.database, { turnId, userId: null }))!;
    await accept(db.database, person, { conversationId, message: 'next' });
    expect(await reset(turnId)).toEqual({ kind: 'failed', code: 'conversation_busy' });
    expect(await openAttempt(db.database, turnId, context({ runId: 'reset' }))).toEqual({
      kind: 'failed',
      code: 'conversation_busy',
    });
    expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({
      state: 'failed',
      error: 'model_timeout',
    });
  });

  test('of a failed turn that finds no room stays failed with TOKEN_EXHAUSTED', async () => {
    const turnId = newId();
    await PREPARE_TURN.failed(turnId);
    await sql`update periods set allowance_tokens = 0 where account_id = ${person.accountId}`.execute(db.database.sql);
    expect(await reset(turnId)).toEqual({ kind: 'failed', code: 'TOKEN_EXHAUSTED' });
    expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({
      state: 'failed',
      error: 'TOKEN_EXHAUSTED',
    });
  });

  test('of an unknown turn is not_found', async () => {
    await expect(reset(newId())).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('a retry that finds no room', () => {
  test('ends failed with TOKEN_EXHAUSTED, also when only other holds take the room', async () => {
    const turnId = newId();
    await PREPARE_TURN.failed(turnId);
    await accept(db.database, person).then((other) => reserve(db.database, other.turnId));
    await sql`update periods set allowance_tokens = 2100 where account_id = ${person.accountId}`.execute(
      db.database.sql,
    );
    await reopenTurn(db.database, { turnId, userId: person.userId, reason: 'retry' });
    expect(await reserve(db.database, turnId, { runId: 'run-2', isReset: true })).toEqual({
      kind: 'failed',
      code: 'TOKEN_EXHAUSTED',
    });
    // Control: a turn never admitted is refused with tokens_held by the same figures.
    const fresh = await accept(db.database, person);
    expect(await reserve(db.database, fresh.turnId)).toEqual({ kind: 'ended', state: 'refused' });
    expect(await findTurn(db.database, { turnId: fresh.turnId, userId: null })).toMatchObject({ error: 'tokens_held' });
  });

  test('a question too long for the model fails with context_length, admitted before or not', async () => {
    const { turnId } = await accept(db.database, person, { message: 'word '.repeat(50) });
    const model = { ...context().findModel('m')!, contextWindow: 300 };
    expect(await reserve(db.database, turnId, { model })).toEqual({ kind: 'failed', code: 'context_length' });
    expect(
      await reserve(db.database, (await accept(db.database, person, { message: 'short' })).turnId, { model }),
    ).toMatchObject({ kind: 'held' });
  });

  test('a model gone from the catalogue fails with model_rejected', async () => {
    const { turnId } = await accept(db.database, person);
    expect(await reserve(db.database, turnId, { model: null })).toEqual({ kind: 'failed', code: 'model_rejected' });
  });
});

describe('a start that definitely failed', () => {
  test('unbinds a new turn: refused as unavailable, so the key may carry another body', async () => {
    const { turnId } = await accept(db.database, person);
    await unbindTurn(db.database, { turnId });
    expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({
      state: 'refused',
      error: 'unavailable',
    });
    expect(await send({ turnId, message: 'changed' })).toMatchObject({ decision: 'judge_anew' });
  });

  test('puts a retried turn back to failed', async () => {
    const turnId = newId();
    await PREPARE_TURN.failed(turnId);
    await reopenTurn(db.database, { turnId, userId: person.userId, reason: 'retry' });
    await unbindTurn(db.database, { turnId });
    expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({
      state: 'failed',
      error: 'interrupted',
    });
  });

  test.each(['running', 'completed', 'stopped', 'failed'] as const)(
    'does nothing to a %s turn: a worker had it after all',
    async (state) => {
      const turnId = newId();
      await PREPARE_TURN[state](turnId);
      const before = await findTurn(db.database, { turnId, userId: null });
      await unbindTurn(db.database, { turnId });
      expect(await findTurn(db.database, { turnId, userId: null })).toEqual(before);
    },
  );

  test('does nothing to an accepted turn that has its hold', async () => {
    const { turnId } = await accept(db.database, person);
    await reserve(db.database, turnId);
    await unbindTurn(db.database, { turnId });
    expect(await stateOf(turnId)).toBe('accepted');
    expect(await holdsOf(db.database.sql, turnId)).toMatchObject([{ state: 'pending' }]);
  });
});

test('a settled turn frees its conversation for the next question', async () => {
  const turnId = await runTurn(db.database, person);
  const { conversationId } = (await findTurn(db.database, { turnId, userId: null }))!;
  expect(await send({ conversationId, message: 'next' })).toMatchObject({ decision: 'new', turn: { sequence: 2 } });
});

test('an id and a key that another send of the same question binds at that very moment are no mistake: it is joined', async () => {
  const wanted = request(person, { turnId: newId(), idempotencyKey: 'both' });
  let raced: Promise<unknown> | null = null;
  const executor = db.database.sql.getExecutor();
  const racing: Sql = {
    clock: () => db.database.sql.clock(),
    getExecutor: () =>
      new Proxy(executor, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name);
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) => {
            const answer: unknown = Reflect.apply(value, target, args);
            if (name !== 'executeQuery') return answer;
            // The other comes right after our first look.
            return Promise.resolve(answer).then(async (found) => {
              await (raced ??= acceptTurn(db.database, wanted));
              return found;
            });
          };
        },
      }),
  };
  expect(await acceptTurn({ ...db.database, sql: racing }, wanted)).toMatchObject({
    decision: 'join',
    turn: { turnId: wanted.turnId },
  });
  await expect(raced).resolves.toMatchObject({ decision: 'new' });
});
