import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isDecided } from '../../api/turns/answer.ts';
import { TurnProgress } from '../../api/turns/progress.ts';
import { accept, createPerson } from '../db/fixture.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openStage, type Stage } from './stage.ts';

let db: TestDatabase;
let stage: Stage;
beforeAll(async () => {
  [db, stage] = await Promise.all([createTestDatabase({ poolMax: 2 }), openStage()]);
});
afterAll(() => Promise.all([db.close(), stage.close()]));

test('a row that was written here is taken once and not read, unless an earlier report is still to be looked into', async () => {
  const turn = await accept(db.database, await createPerson(db.database));
  const progress = new TurnProgress({ database: db.database, feed: stage.feed }, turn.turnId, turn);
  const waiting = { withinMs: 10_000, gone: new AbortController().signal };
  // Before messages arrive a later one may be missed.
  stage.feed.announceWritten(turn);
  expect(progress.takeKnown()).toBeNull();
  const watch = stage.feed.watch(turn.turnId, { onChanged: () => {} });
  expect(await watch.ready).toBe(true);
  // PostgreSQL would say that it is not decided.
  const held = { ...turn, admittedAt: 1 };
  const decided = progress.until(isDecided, waiting);
  stage.feed.announceWritten(held);
  expect(await decided).toBe(held);
  expect([progress.takeKnown(), progress.takeKnown()]).toEqual([held, null]);
  stage.feed.announceWritten(held);
  stage.feed.announce(turn.turnId, 'changed');
  expect(progress.takeKnown()).toBeNull();
  stage.feed.announce(turn.turnId, 'changed');
  stage.feed.announceWritten(held);
  expect(progress.takeKnown()).toBeNull();
  stage.feed.announceWritten(held);
  expect(progress.takeKnown()).toBe(held);
  watch.close();
  progress.close();
});
