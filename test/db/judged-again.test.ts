import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { grantTokens } from '../../db/money/grants.ts';
import { openAttempt } from '../../db/turns/attempts.ts';
import { releaseTurn } from '../../db/turns/end.ts';
import { findTurn, reopenTurn } from '../../db/turns/turns.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { accept, context, createPerson, open, reserve, type Person } from './fixture.ts';

let db: TestDatabase;
let person: Person;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  person = await createPerson(db.database);
});

const release = (turnId: string, runId: string | null, scheduledAt = Date.now()) =>
  releaseTurn(db.database, { turnId, runId, reason: { as: 'failed', code: 'interrupted' }, scheduledAt });
const read = (turnId: string) => findTurn(db.database, { turnId, userId: null });
const grant = () => grantTokens(db.database, { userId: person.userId, tokens: 50_000, reason: 'r', key: 'between' });
const setAllowance = (tokens: number) =>
  sql`update accounts set monthly_allowance_tokens = ${tokens} where id = ${person.accountId}`.execute(db.database.sql);

/** Each ends a turn by the run `judge`, and says what that run answered. */
const ENDINGS = {
  async 'refused with TOKEN_EXHAUSTED'() {
    await setAllowance(0);
    const { turnId } = await accept(db.database, person);
    return { turnId, told: await reserve(db.database, turnId, { runId: 'judge' }) };
  },
  async 'refused with tokens_held'() {
    await setAllowance(2_100);
    await reserve(db.database, (await accept(db.database, person)).turnId, { runId: 'other' });
    const { turnId } = await accept(db.database, person);
    const told = await reserve(db.database, turnId, { runId: 'judge' });
    expect(await read(turnId)).toMatchObject({ error: 'tokens_held' });
    return { turnId, told };
  },
  async 'failed, as a retry without room'() {
    const { turnId } = await accept(db.database, person);
    await reserve(db.database, turnId, { runId: 'first' });
    await release(turnId, 'first');
    await sql`update periods set allowance_tokens = 0 where account_id = ${person.accountId}`.execute(db.database.sql);
    await reopenTurn(db.database, { turnId, userId: person.userId, reason: 'retry' });
    return { turnId, told: await reserve(db.database, turnId, { runId: 'judge' }) };
  },
  async 'released by a run that never held it'() {
    const { turnId } = await accept(db.database, person);
    return { turnId, told: await release(turnId, 'judge') };
  },
  async 'released by the run that held it'() {
    const { turnId } = await accept(db.database, person);
    await reserve(db.database, turnId, { runId: 'judge' });
    await open(db.database, turnId, { runId: 'judge' });
    return { turnId, told: await release(turnId, 'judge') };
  },
  async 'ended by reconcile for the run that is gone'() {
    const { turnId } = await accept(db.database, person);
    await reserve(db.database, turnId, { runId: 'judge' });
    return { turnId, told: await release(turnId, null) };
  },
};

describe('a turn judged again after its ending (policy 13)', () => {
  test.each(Object.entries(ENDINGS))(
    '%s: keeps its ending, whatever was granted; a reset opens it, and no run that was started late',
    async (_, end) => {
      const { turnId, told } = await end();
      const before = await read(turnId);
      expect(before).toMatchObject({ state: told?.kind === 'failed' ? 'failed' : 'refused', runId: 'judge' });
      await grant();
      expect(await reserve(db.database, turnId, { runId: 'judge' })).toEqual(told);
      // A run without an admission is told nothing when it comes to an attempt: it never does.
      expect([null, told]).toContainEqual(await openAttempt(db.database, turnId, context({ runId: 'judge' })));
      expect(await read(turnId)).toEqual(before);
      // A start that was sent before, and arrives only now.
      expect(await reserve(db.database, turnId, { runId: 'late' })).toEqual(told);
      expect(await read(turnId)).toEqual(before);
      // Control: a reset is let through.
      expect(await reserve(db.database, turnId, { runId: 'reset', isReset: true })).toMatchObject({ kind: 'held' });
    },
  );

  test('a release told again by a run that never held the turn leaves what a retry has begun alone', async () => {
    const { turnId } = await accept(db.database, person);
    await release(turnId, 'judge');
    await reopenTurn(db.database, { turnId, userId: person.userId, reason: 'retry' });
    expect(await release(turnId, 'judge')).toBeNull();
    expect(await read(turnId)).toMatchObject({ state: 'accepted' });
    // Control: the retry's own run may end it.
    expect(await release(turnId, 'run of the retry')).toEqual({ kind: 'failed', code: 'interrupted' });
  });

  test('the run takes up what was sent again meanwhile, and holds it', async () => {
    const { turnId } = await ENDINGS['failed, as a retry without room']();
    await grant();
    await reopenTurn(db.database, { turnId, userId: person.userId, reason: 'retry' });
    expect(await reserve(db.database, turnId, { runId: 'judge' })).toMatchObject({ kind: 'held' });
  });
});
