import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { failAttempt, openAttempt } from '../../db/turns/attempts.ts';
import { releaseTurn } from '../../db/turns/end.ts';
import { publishRates } from '../../db/money/rates.ts';
import { findUnsettledAnswer } from '../../db/turns/reconcile.ts';
import { reserveTurn } from '../../db/turns/reserve.ts';
import { settleTurn } from '../../db/turns/settle.ts';
import { findTurn, reopenTurn, requestStop } from '../../db/turns/turns.ts';
import { atInstant } from '../support/clock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  accept,
  attemptsOf,
  balanceOf,
  clock,
  context,
  createPerson,
  debitsOf,
  holdsOf,
  MODEL,
  NOW,
  open,
  reserve,
  rows,
  store,
  storedAnswer,
  type Person,
} from './fixture.ts';

let db: TestDatabase;
let person: Person;
beforeAll(async () => {
  db = await createTestDatabase({ now: clock });
});
afterAll(() => db.close());

const USAGE = { promptTokens: 30, cachedTokens: 10, completionTokens: 12, reasoningTokens: 5 };

/** Makes a turn with an attempt under way. */
async function begin(change: Parameters<typeof accept>[2] = {}) {
  person = await createPerson(db.database);
  const { turnId } = await accept(db.database, person, change);
  const reserved = await reserve(db.database, turnId);
  expect(reserved.kind).toBe('held');
  const { number, hold } = await open(db.database, turnId);
  return { turnId, number, hold };
}

async function charged(turnId: string): Promise<{ used: number; debits: number[]; holds: string[] }> {
  const { used } = await balanceOf(db.database.sql, person.accountId);
  return {
    used,
    debits: (await debitsOf(db.database.sql, turnId)).map(({ tokens }) => tokens),
    holds: (await holdsOf(db.database.sql, turnId)).map(({ state }) => state),
  };
}

const release = (
  turnId: string,
  reason: Parameters<typeof releaseTurn>[1]['reason'],
  runId = 'run-1',
  scheduledAt = Date.now(),
) => releaseTurn(db.database, { turnId, runId, reason, scheduledAt });

describe('what each ending costs (policy 6, G11)', () => {
  test('refused: nothing, and no hold', async () => {
    person = await createPerson(db.database, { allowance: 100 });
    const { turnId } = await accept(db.database, person);
    expect(await reserve(db.database, turnId)).toEqual({ kind: 'ended', state: 'refused' });
    expect(await charged(turnId)).toEqual({ used: 0, debits: [], holds: [] });
    expect(await findTurn(db.database, { turnId, userId: person.userId })).toMatchObject({
      state: 'refused',
      error: 'TOKEN_EXHAUSTED',
      usage: null,
    });
  });

  test.each(['model_unavailable', 'content_filtered', 'interrupted'] as const)(
    'failed %s: nothing; the provider’s cost stays on the attempt',
    async (code) => {
      const { turnId, number } = await begin();
      await failAttempt(db.database, {
        turnId,
        attempt: number,
        code,
        usage: USAGE,
        provider: { status: 503, code: 'overloaded', requestId: 'req_1' },
      });
      expect(
        await rows(
          db.database.sql,
          sql`select provider_status, provider_code, provider_request_id from attempts where turn_id = ${turnId}`,
        ),
      ).toEqual([{ provider_status: 503, provider_code: 'overloaded', provider_request_id: 'req_1' }]);
      expect(await release(turnId, { as: 'failed', code })).toEqual({ kind: 'failed', code });
      expect(await charged(turnId)).toEqual({ used: 0, debits: [], holds: ['released'] });
      expect(await attemptsOf(db.database.sql, turnId)).toMatchObject([
        { state: 'failed', promptTokens: 30, completionTokens: 12, code },
      ]);
      expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({
        state: 'failed',
        error: code,
        usage: null,
      });
    },
  );

  test('lost attempts: nothing, however many; the answering one alone is charged', async () => {
    const { turnId } = await begin();
    await open(db.database, turnId);
    const { number } = await open(db.database, turnId);
    expect(number).toBe(3);
    const answer = await storedAnswer(store(db.database, turnId, 3, { usage: USAGE }));
    await settleTurn(db.database, { turnId, answer });
    expect(await charged(turnId)).toEqual({ used: 42, debits: [42], holds: ['settled'] });
    expect((await attemptsOf(db.database.sql, turnId)).map(({ state }) => state)).toEqual(['lost', 'lost', 'answered']);
  });

  test('stopped before the first delta: nothing, and the turn says 0', async () => {
    const { turnId } = await begin();
    await requestStop(db.database, { turnId, userId: person.userId });
    expect(await release(turnId, { as: 'stopped' })).toEqual({ kind: 'ended', state: 'stopped' });
    expect(await charged(turnId)).toEqual({ used: 0, debits: [], holds: ['released'] });
    expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({
      state: 'stopped',
      content: null,
      usage: { totalTokens: 0, debitedTokens: 0 },
    });
  });

  test('stopped with its worker lost: nothing; what the lost worker reports afterwards stays on the attempt', async () => {
    const { turnId, number } = await begin();
    await requestStop(db.database, { turnId, userId: person.userId });
    await release(turnId, { as: 'stopped' });
    expect(await store(db.database, turnId, number, { usage: USAGE, outcome: 'stopped' })).toEqual({
      kind: 'ended',
      state: 'stopped',
    });
    expect(await charged(turnId)).toEqual({ used: 0, debits: [], holds: ['released'] });
    expect(await attemptsOf(db.database.sql, turnId)).toMatchObject([
      { state: 'stopped', promptTokens: 30, completionTokens: 12 },
    ]);
    expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({ state: 'stopped', content: null });
  });

  test('stopped after the first delta: the provider’s usage when it came', async () => {
    const { turnId, number } = await begin();
    const answer = await storedAnswer(
      store(db.database, turnId, number, { usage: USAGE, outcome: 'stopped', finishReason: null }),
    );
    expect(await settleTurn(db.database, { turnId, answer })).toMatchObject({ state: 'stopped' });
    expect(await charged(turnId)).toEqual({ used: 42, debits: [42], holds: ['settled'] });
    expect(await debitsOf(db.database.sql, turnId)).toMatchObject([{ estimated: false }]);
  });

  test('stopped after the first delta without usage: the raw tokenizer count, flagged estimated', async () => {
    const { turnId, number, hold } = await begin({ message: 'ten words of a question that is asked right here' });
    expect(hold.promptTokens).toBe(10 + 4 + 3); // not × 1.1 + 16
    const counted = { promptTokens: hold.promptTokens, cachedTokens: 0, completionTokens: 4, reasoningTokens: 0 };
    const answer = await storedAnswer(
      store(db.database, turnId, number, { usage: counted, estimated: true, outcome: 'stopped', finishReason: null }),
    );
    await settleTurn(db.database, { turnId, answer });
    expect(await debitsOf(db.database.sql, turnId)).toMatchObject([{ tokens: 21, estimated: true, overHold: false }]);
  });

  test.each(['stop', 'length'] as const)(
    'completed (%s): the provider’s usage, by the rate that the hold fixed',
    async (finishReason) => {
      person = await createPerson(db.database);
      const { turnId } = await accept(db.database, person);
      const [model] = await publishRates(db.database, [
        { ...MODEL, rate: { input: 2000, cachedInput: 500, output: 4000 } },
      ]);
      await reserve(db.database, turnId, { model: model! });
      // The catalogue's rate changes under the live hold.
      const [cheaper] = await publishRates(db.database, [{ ...MODEL, rate: { input: 1, cachedInput: 1, output: 1 } }]);
      const { number } = await open(db.database, turnId, { model: cheaper! });
      const answer = await storedAnswer(store(db.database, turnId, number, { usage: USAGE, finishReason }));
      expect(await settleTurn(db.database, { turnId, answer })).toMatchObject({ state: 'completed' });
      expect(await charged(turnId)).toMatchObject({ used: 40 + 5 + 48, debits: [93] });
      expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({
        state: 'completed',
        content: 'an answer',
        finishReason,
        usage: { promptTokens: 30, completionTokens: 12, totalTokens: 42, debitedTokens: 93, estimated: false },
      });
    },
  );

  test('an estimate is capped at the hold; a provider’s figure beyond it is recorded whole and flagged over_hold', async () => {
    for (const [estimated, tokens] of [
      [true, null],
      [false, 10_000],
    ] as const) {
      const { turnId, number, hold } = await begin();
      const usage = { promptTokens: 0, cachedTokens: 0, completionTokens: 10_000, reasoningTokens: 0 };
      const answer = await storedAnswer(store(db.database, turnId, number, { usage, estimated }));
      await settleTurn(db.database, { turnId, answer });
      expect(await debitsOf(db.database.sql, turnId)).toEqual([
        { tokens: tokens ?? hold.tokens, estimated, overHold: !estimated, ceilingMoved: false, label: '2026-11' },
      ]);
    }
  });

  test('a replay that succeeds: as completed, once; the failed run before cost nothing', async () => {
    const { turnId } = await begin();
    await release(turnId, { as: 'failed', code: 'model_timeout' });
    await reopenTurn(db.database, { turnId, userId: null, reason: 'replay' });
    expect(await reserve(db.database, turnId, { runId: 'run-2', isReset: true })).toMatchObject({ kind: 'held' });
    const second = await open(db.database, turnId, { runId: 'run-2' });
    expect(second).toMatchObject({ number: 2, restarted: 'replay' });
    const answer = await storedAnswer(store(db.database, turnId, 2, { usage: USAGE }));
    await settleTurn(db.database, { turnId, answer });
    expect(await charged(turnId)).toEqual({ used: 42, debits: [42], holds: ['released', 'settled'] });
    expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({
      state: 'completed',
      attempt: 2,
      error: null,
    });
  });

  test('usage of nothing: the turn ends without a ledger entry instead of waiting for ever', async () => {
    const { turnId, number } = await begin();
    const answer = await storedAnswer(
      store(db.database, turnId, number, {
        usage: { promptTokens: 0, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 },
      }),
    );
    expect(await settleTurn(db.database, { turnId, answer })).toMatchObject({ state: 'completed' });
    expect(await charged(turnId)).toEqual({ used: 0, debits: [], holds: ['settled'] });
  });
});

describe('exactly once (G8, G10)', () => {
  test('settled twice, and 10 times at once: one debit, the same result', async () => {
    const { turnId, number } = await begin();
    const answer = await storedAnswer(store(db.database, turnId, number, { usage: USAGE }));
    const settle = () => settleTurn(db.database, { turnId, answer });
    const results = await Promise.all(Array.from({ length: 10 }, settle));
    results.push(await settle());
    const turn = expect.objectContaining({ turnId, state: 'completed', content: 'an answer' }) as object;
    expect(results[0]).toEqual({ state: 'completed', arm: ['reset'], topUp: null, turn });
    expect(results).toEqual(Array(11).fill(results[0]));
    expect(await charged(turnId)).toEqual({ used: 42, debits: [42], holds: ['settled'] });
  });

  test('the outcome is an input: settle books the figures it is given, not what an attempt row says later (G9)', async () => {
    const { turnId, number } = await begin();
    const answer = await storedAnswer(store(db.database, turnId, number, { usage: USAGE }));
    await sql`update attempts set prompt_tokens = 9999 where turn_id = ${turnId}`.execute(db.database.sql);
    await settleTurn(db.database, { turnId, answer });
    expect(await charged(turnId)).toMatchObject({ debits: [42] });
  });

  test('without a stored answer nothing settles', async () => {
    const { turnId, number } = await begin();
    const answer = {
      attempt: number,
      outcome: 'completed' as const,
      promptTokens: 1,
      cachedTokens: 0,
      completionTokens: 1,
      estimated: false,
    };
    await expect(settleTurn(db.database, { turnId, answer })).rejects.toThrow('cannot settle');
    expect(await charged(turnId)).toEqual({ used: 0, debits: [], holds: ['pending'] });
  });

  test('an answer stored twice is stored once, and both callers get it', async () => {
    const { turnId, number } = await begin();
    const first = await store(db.database, turnId, number, { usage: USAGE });
    expect(
      await store(db.database, turnId, number, { usage: { ...USAGE, promptTokens: 99 }, text: 'another' }),
    ).toEqual(first);
    expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({
      content: 'an answer',
      state: 'running',
    });
  });

  test('an answer with what PostgreSQL cannot hold (NUL, half a surrogate pair) is stored with the replacement character', async () => {
    const { turnId, number } = await begin();
    await storedAnswer(store(db.database, turnId, number, { text: 'a\0b\uD83Dc 😀' }));
    expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({ content: 'a\uFFFDb\uFFFDc 😀' });
  });

  test.each(['settled', 'released', 'expired'] as const)(
    'a hold that is %s never moves again, nor is it pending again',
    async (state) => {
      const { turnId } = await begin();
      await sql`update holds set state = ${state}, ended_at = now() where turn_id = ${turnId}`.execute(db.database.sql);
      for (const other of ['settled', 'released', 'expired', 'pending'].filter((to) => to !== state)) {
        await expect(
          sql`update holds set state = ${other}, ended_at = ${other === 'pending' ? null : new Date()} where turn_id = ${turnId}`.execute(
            db.database.sql,
          ),
        ).rejects.toMatchObject({ constraint: 'holds_move_once' });
      }
    },
  );

  test('releasing or failing a completed turn changes nothing', async () => {
    const { turnId, number } = await begin();
    const answer = await storedAnswer(store(db.database, turnId, number, { usage: USAGE }));
    await settleTurn(db.database, { turnId, answer });
    expect(await release(turnId, { as: 'failed', code: 'interrupted' })).toEqual({ kind: 'ended', state: 'completed' });
    await failAttempt(db.database, { turnId, attempt: number, code: 'interrupted', usage: null });
    expect(await charged(turnId)).toEqual({ used: 42, debits: [42], holds: ['settled'] });
    expect(await attemptsOf(db.database.sql, turnId)).toMatchObject([{ state: 'answered', promptTokens: 30 }]);
  });

  test('a release that finds a stored answer hands it back to be settled', async () => {
    const { turnId, number } = await begin();
    const answer = await storedAnswer(store(db.database, turnId, number, { usage: USAGE }));
    expect(await release(turnId, { as: 'failed', code: 'interrupted' })).toEqual({ kind: 'answered', answer });
    expect(await findUnsettledAnswer(db.database, turnId)).toEqual(answer);
    await settleTurn(db.database, { turnId, answer });
    expect(await findUnsettledAnswer(db.database, turnId)).toBeNull();
  });
});

describe('fencing', () => {
  test('an older attempt that still lives cannot store its answer; its usage stays on its row', async () => {
    const { turnId, number } = await begin();
    const second = await open(db.database, turnId);
    expect(second).toMatchObject({ number: number + 1, restarted: 'retry' });
    expect(await store(db.database, turnId, number, { usage: USAGE })).toBeNull();
    expect(await attemptsOf(db.database.sql, turnId)).toMatchObject([
      { state: 'lost', promptTokens: 30 },
      { state: 'open' },
    ]);
    await storedAnswer(store(db.database, turnId, second.number)); // control: the newest can
  });

  test('an older attempt that fails late keeps its cost and does not fail the turn', async () => {
    const { turnId, number } = await begin();
    await open(db.database, turnId);
    await failAttempt(db.database, { turnId, attempt: number, code: 'model_timeout', usage: USAGE });
    expect(await attemptsOf(db.database.sql, turnId)).toMatchObject([
      { state: 'lost', promptTokens: 30, completionTokens: 12 },
      { state: 'open' },
    ]);
    expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({ state: 'running' });
  });

  test('an answer under a hold that expired is dropped; the next attempt is admitted again under a second hold', async () => {
    const { turnId, number, hold } = await begin();
    const late = NOW + 60_000 + 100 * hold.outputLimit + 120_000;
    expect(await store(db.database, turnId, number, { usage: USAGE, now: late })).toBeNull();
    const again = await open(db.database, turnId, { now: late });
    expect(again.number).toBe(2);
    expect(await holdsOf(db.database.sql, turnId)).toMatchObject([
      { state: 'expired', ordinal: 1 },
      { state: 'pending', ordinal: 2, runId: 'run-1' },
    ]);
    await storedAnswer(store(db.database, turnId, 2, { now: late + 1 }));
  });

  test('a millisecond before its expiry an answer is stored, and from then on its hold does not expire', async () => {
    const { turnId, number, hold } = await begin();
    const expiry = NOW + 60_000 + 100 * hold.outputLimit + 120_000;
    const answer = await storedAnswer(store(db.database, turnId, number, { usage: USAGE, now: expiry - 1 }));
    expect(await reserve(db.database, turnId, { now: expiry + 86_400_000, runId: 'run-9' })).toEqual({
      kind: 'answered',
      answer,
    });
    await atInstant(expiry + 86_400_000, () => settleTurn(db.database, { turnId, answer }));
    expect(await charged(turnId)).toMatchObject({ debits: [42], holds: ['settled'] });
  });

  test('a stored answer’s hold takes its room for as long as it waits for settle; an unanswered one only until its expiry', async () => {
    for (const answered of [true, false]) {
      person = await createPerson(db.database, { allowance: 1_000 }); // ceiling 1,050, all of it held
      const { turnId } = await accept(db.database, person);
      await reserve(db.database, turnId);
      const { number } = await open(db.database, turnId);
      if (answered) await storedAnswer(store(db.database, turnId, number));
      const other = await accept(db.database, person);
      const later = await reserve(db.database, other.turnId, { now: NOW + 86_400_000 });
      expect(later).toMatchObject(answered ? { kind: 'ended', state: 'refused' } : { kind: 'held' });
    }
  });

  test('re-admission that finds no room fails the turn with TOKEN_EXHAUSTED, never refused', async () => {
    const { turnId } = await begin();
    await sql`update accounts set monthly_allowance_tokens = 0 where id = ${person.accountId}`.execute(db.database.sql);
    const nextMonth = Date.parse('2026-12-01T00:00:00+09:00');
    expect(await atInstant(nextMonth, () => openAttempt(db.database, turnId, context()))).toEqual({
      kind: 'failed',
      code: 'TOKEN_EXHAUSTED',
    });
    expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({
      state: 'failed',
      error: 'TOKEN_EXHAUSTED',
    });
  });

  test('a new run releases the earlier run’s hold before it measures the room, and fences its attempt', async () => {
    person = await createPerson(db.database, { allowance: 1_000 }); // ceiling 1,050: two holds of 1,050 do not fit
    const { turnId } = await accept(db.database, person);
    await reserve(db.database, turnId);
    await open(db.database, turnId);
    expect(await reserve(db.database, turnId, { runId: 'run-2', isReset: true })).toMatchObject({ kind: 'held' });
    expect(await holdsOf(db.database.sql, turnId)).toMatchObject([
      { state: 'released', runId: 'run-1', tokens: 1_050 },
      { state: 'pending', runId: 'run-2', tokens: 1_050 },
    ]);
    expect(await store(db.database, turnId, 1, { usage: USAGE })).toBeNull();
    const second = await open(db.database, turnId, { runId: 'run-2' });
    await storedAnswer(store(db.database, turnId, second.number));
  });

  test('a late release of a run that is gone leaves the newer run’s claim alone', async () => {
    const { turnId } = await begin();
    const scheduledAt = Date.now() - 60_000;
    await reserve(db.database, turnId, { runId: 'run-2', isReset: true });
    // A run that has held the turn comes too late, whatever the clocks say. A run that never held it comes too late
    // when it was scheduled before the claim.
    for (const [runId, at] of [
      ['run-1', scheduledAt],
      ['run-1', Date.now() + 60_000],
      ['run-0', scheduledAt],
    ] as const) {
      expect(await release(turnId, { as: 'failed', code: 'model_timeout' }, runId, at)).toBeNull();
    }
    expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({ state: 'accepted' });
    // Control: the newer run itself may release it.
    expect(await release(turnId, { as: 'failed', code: 'model_timeout' }, 'run-2', scheduledAt)).toEqual({
      kind: 'failed',
      code: 'model_timeout',
    });
  });

  test('a release told again after the person’s retry does not end what the retry began', async () => {
    const { turnId } = await begin();
    await release(turnId, { as: 'failed', code: 'model_timeout' });
    await reopenTurn(db.database, { turnId, userId: person.userId, reason: 'retry' });
    // The worker died before it could report the release, so another worker gets the same one.
    expect(await release(turnId, { as: 'failed', code: 'model_timeout' })).toBeNull();
    expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({ state: 'accepted' });
    // Control: a run that never got a hold may end it.
    expect(await release(turnId, { as: 'failed', code: 'interrupted' }, 'run-2')).toEqual({
      kind: 'failed',
      code: 'interrupted',
    });
  });

  test('an older attempt that sees a stop leaves the turn to the newest', async () => {
    const { turnId, number } = await begin();
    const second = await open(db.database, turnId);
    const stop = (attempt: number) =>
      releaseTurn(db.database, { turnId, runId: 'run-1', attempt, reason: { as: 'stopped' }, scheduledAt: Date.now() });
    expect(await stop(number)).toBeNull();
    await storedAnswer(store(db.database, turnId, second.number, { outcome: 'stopped' }));
    expect(await stop(second.number)).toMatchObject({ kind: 'answered', answer: { outcome: 'stopped' } });
  });

  test('a run has four attempts; the fifth is not opened, and the turn fails interrupted', async () => {
    const { turnId } = await begin();
    const numbers = [
      await open(db.database, turnId),
      await open(db.database, turnId),
      await open(db.database, turnId),
    ].map(({ number, isLast }) => [number, isLast]);
    expect(numbers).toEqual([
      [2, false],
      [3, false],
      [4, true],
    ]);
    expect(await openAttempt(db.database, turnId, context())).toEqual({ kind: 'failed', code: 'interrupted' });
    expect(await attemptsOf(db.database.sql, turnId)).toMatchObject([
      { state: 'lost' },
      { state: 'lost' },
      { state: 'lost' },
      { state: 'lost' },
    ]);
    expect(await charged(turnId)).toMatchObject({ used: 0, debits: [], holds: ['released'] });
    // Another run has four attempts of its own.
    await reopenTurn(db.database, { turnId, userId: person.userId, reason: 'retry' });
    expect(await open(db.database, turnId, { runId: 'run-2' })).toMatchObject({ number: 5, isLast: false });
  });

  test('an attempt renews its hold, so that a later attempt never outlives it', async () => {
    const { turnId, hold } = await begin();
    const expiry = NOW + 60_000 + 100 * hold.outputLimit + 120_000;
    expect((await open(db.database, turnId, { now: expiry - 1 })).hold.id).toBe(hold.id);
    expect((await open(db.database, turnId, { now: expiry + 1 })).hold.id).toBe(hold.id);
    expect(await holdsOf(db.database.sql, turnId)).toHaveLength(1);
  });
});

describe('stop is a fact before it is a message', () => {
  test('before the first workflow task: no hold, no attempt, stopped', async () => {
    person = await createPerson(db.database);
    const { turnId } = await accept(db.database, person);
    expect(await requestStop(db.database, { turnId, userId: person.userId })).toMatchObject({ state: 'accepted' });
    expect(await reserve(db.database, turnId)).toEqual({ kind: 'ended', state: 'stopped' });
    expect(await holdsOf(db.database.sql, turnId)).toEqual([]);
  });

  test('between reserve and the attempt: no model call', async () => {
    person = await createPerson(db.database);
    const { turnId } = await accept(db.database, person);
    await reserve(db.database, turnId);
    await requestStop(db.database, { turnId, userId: person.userId });
    expect(await openAttempt(db.database, turnId, context())).toEqual({ kind: 'ended', state: 'stopped' });
    expect(await attemptsOf(db.database.sql, turnId)).toEqual([]);
    expect(await holdsOf(db.database.sql, turnId)).toMatchObject([{ state: 'released' }]);
  });

  test('a run reset and cancelled before it began leaves a failed turn failed, to be run again', async () => {
    const { turnId } = await begin();
    await release(turnId, { as: 'failed', code: 'model_timeout' });
    expect(
      await reserveTurn(db.database, turnId, { cancelled: true, isReset: false }, context({ runId: 'run-2' })),
    ).toEqual({
      kind: 'failed',
      code: 'model_timeout',
    });
    expect(await holdsOf(db.database.sql, turnId)).toMatchObject([{ state: 'released' }]);
    // Control: a turn that is not cancelled runs.
    expect(
      await reserveTurn(db.database, turnId, { cancelled: false, isReset: true }, context({ runId: 'run-2' })),
    ).toMatchObject({ kind: 'held' });
  });

  test('a workflow cancelled before it began ends its turn', async () => {
    person = await createPerson(db.database);
    const { turnId } = await accept(db.database, person);
    expect(await reserveTurn(db.database, turnId, { cancelled: true, isReset: false }, context())).toEqual({
      kind: 'ended',
      state: 'stopped',
    });
  });

  test('an answer stored before the stop is seen is completed and charged whole', async () => {
    const { turnId, number } = await begin();
    const answer = await storedAnswer(store(db.database, turnId, number, { usage: USAGE }));
    await requestStop(db.database, { turnId, userId: person.userId });
    expect(await reserveTurn(db.database, turnId, { cancelled: true, isReset: false }, context())).toEqual({
      kind: 'answered',
      answer,
    });
    expect(await release(turnId, { as: 'stopped' })).toEqual({ kind: 'answered', answer });
    expect(await settleTurn(db.database, { turnId, answer })).toMatchObject({ state: 'completed' });
  });

  test('belongs to the run it was asked of: a turn that failed before it was seen runs again without it', async () => {
    const { turnId } = await begin();
    await requestStop(db.database, { turnId, userId: person.userId });
    await release(turnId, { as: 'failed', code: 'model_timeout' });
    expect(await reopenTurn(db.database, { turnId, userId: person.userId, reason: 'retry' })).toMatchObject({
      stopRequestedAt: null,
    });
    expect(await reserve(db.database, turnId, { runId: 'run-2', isReset: true })).toMatchObject({ kind: 'held' });
  });

  test('asked for twice it keeps the first time; on an ended turn it tells the ending; a stranger’s turn is not found', async () => {
    const { turnId } = await begin();
    const first = await requestStop(db.database, { turnId, userId: person.userId });
    expect(await requestStop(db.database, { turnId, userId: person.userId })).toEqual(first);
    await expect(requestStop(db.database, { turnId, userId: person.userId + 1 })).rejects.toMatchObject({
      code: 'not_found',
    });
    await release(turnId, { as: 'stopped' });
    expect(await requestStop(db.database, { turnId, userId: person.userId })).toMatchObject({ state: 'stopped' });
  });
});
