import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { releaseTurn } from '../../db/turns/end.ts';
import { migrate } from '../../db/migrate.ts';
import { expireHolds, findQuietTurns, findUnsettledAnswer, type QuietTurn } from '../../db/turns/reconcile.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { accept, createPerson, holdsOf, newId, open, reserve, store, type Person } from './fixture.ts';

let db: TestDatabase;
let person: Person;
beforeAll(async () => {
  db = await createTestDatabase();
  person = await createPerson(db.database);
});
afterAll(() => db.close());

const quieten = (turnId: string, minutes: number) =>
  sql`update turns set touched_at = now() - ${minutes} * interval '1 minute' where id = ${turnId}`.execute(
    db.database.sql,
  );
async function quiet(change: Partial<Parameters<typeof findQuietTurns>[1]> = {}): Promise<QuietTurn[]> {
  const found: QuietTurn[] = [];
  for await (const turn of findQuietTurns(db.database, { quietMs: 5 * 60_000, ...change })) found.push(turn);
  return found;
}

describe('quiet turns', () => {
  test('are the live ones that nothing touched for longer than the limit, longest first, with what reconcile decides by', async () => {
    const [never, held, answered, fresh, over] = await Promise.all(
      Array.from({ length: 5 }, () => accept(db.database, person, { askedOutput: 100 })),
    );
    await reserve(db.database, held!.turnId);
    await reserve(db.database, answered!.turnId);
    const { number } = await open(db.database, answered!.turnId);
    await store(db.database, answered!.turnId, number);
    await releaseTurn(db.database, {
      turnId: over!.turnId,
      runId: 'x',
      reason: { as: 'stopped' },
      scheduledAt: Date.now(),
    });
    await quieten(never!.turnId, 6);
    await quieten(held!.turnId, 8);
    await quieten(answered!.turnId, 7);
    await quieten(fresh!.turnId, 4);
    await quieten(over!.turnId, 60);
    expect((await quiet()).map(({ turn, neverStarted, hasAnswer }) => [turn.turnId, neverStarted, hasAnswer])).toEqual([
      [held!.turnId, false, false],
      [answered!.turnId, false, true],
      [never!.turnId, true, false],
    ]);
    expect((await quiet())[0]!.quietForMs).toBeGreaterThanOrEqual(8 * 60_000);
    expect((await quiet({ quietMs: 3 * 60_000 })).map(({ turn }) => turn.turnId)).toContain(fresh!.turnId);
    expect(await findUnsettledAnswer(db.database, answered!.turnId)).toMatchObject({
      attempt: 1,
      outcome: 'completed',
      promptTokens: 9,
      completionTokens: 2,
      estimated: false,
    });
    expect(await findUnsettledAnswer(db.database, held!.turnId)).toBeNull();
    expect(await findUnsettledAnswer(db.database, newId())).toBeNull();
  });

  test('are all of them, however many make a page, each once, also those touched at the same moment', async () => {
    const turns = await Promise.all(Array.from({ length: 5 }, () => accept(db.database, person, { askedOutput: 100 })));
    const ids = turns.map(({ turnId }) => turnId);
    await sql`update turns set touched_at = now() - interval '9 hours' where id in (${sql.join(ids)})`.execute(
      db.database.sql,
    );
    const eightHours = 8 * 60 * 60_000;
    for (const pageSize of [1, 2, 5, 500]) {
      const found = (await quiet({ quietMs: eightHours, pageSize })).map(({ turn }) => turn.turnId);
      expect(found).toEqual(ids.toSorted());
    }
    // One that is mended while the list is read does not move the others.
    const seen: string[] = [];
    for await (const { turn } of findQuietTurns(db.database, { quietMs: eightHours, pageSize: 2 })) {
      seen.push(turn.turnId);
      await quieten(turn.turnId, 0);
    }
    expect(seen).toEqual(ids.toSorted());
  });

  test('a turn reopened and not reserved yet counts as never started', async () => {
    const { turnId } = await accept(db.database, person);
    await reserve(db.database, turnId);
    await releaseTurn(db.database, {
      turnId,
      runId: 'run-1',
      reason: { as: 'failed', code: 'interrupted' },
      scheduledAt: Date.now(),
    });
    await sql`update turns set state = 'accepted', ended_at = null, admitted_at = null, touched_at = now() - interval '1 day' where id = ${turnId}`.execute(
      db.database.sql,
    );
    expect((await quiet()).find(({ turn }) => turn.turnId === turnId)).toMatchObject({ neverStarted: true });
  });
});

describe('holds past their expiry', () => {
  test('of a turn that is over are marked expired; a live turn’s, an unexpired one and a waiting answer’s are left (G5)', async () => {
    const plant = async (change: { state: 'failed' | 'running'; expires: string }) => {
      const { turnId } = await accept(db.database, person, { askedOutput: 10 });
      await reserve(db.database, turnId);
      if (change.state === 'failed')
        await sql`update turns set state = 'failed', error_code = 'interrupted', ended_at = now() where id = ${turnId}`.execute(
          db.database.sql,
        );
      await sql`update holds set expires_at = ${change.expires}::timestamptz where turn_id = ${turnId}`.execute(
        db.database.sql,
      );
      return turnId;
    };
    const leaked = await plant({ state: 'failed', expires: '2020-01-01' });
    const others = [
      await plant({ state: 'failed', expires: '2999-01-01' }),
      await plant({ state: 'running', expires: '2020-01-01' }),
      await plant({ state: 'running', expires: 'infinity' }),
    ];
    expect(await expireHolds(db.database)).toBe(1);
    expect(await holdsOf(db.database.sql, leaked)).toMatchObject([{ state: 'expired' }]);
    for (const turnId of others) expect(await holdsOf(db.database.sql, turnId)).toMatchObject([{ state: 'pending' }]);
    expect(await expireHolds(db.database)).toBe(0);
  });
});

test('migrations that are applied are not applied again, by several at once neither', async () => {
  expect(await Promise.all([migrate(db.url), migrate(db.url), migrate(db.url)])).toEqual([[], [], []]);
});
