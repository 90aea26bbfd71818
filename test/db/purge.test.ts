import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { createConversation } from '../../db/conversations/conversations.ts';
import { purgeRefused } from '../../db/turns/purge.ts';
import { lockRows } from '../support/lock.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { accept, createPerson, reserve, rows, type Person } from './fixture.ts';

let db: TestDatabase;
let person: Person;
beforeAll(async () => {
  db = await createTestDatabase();
  person = await createPerson(db.database, { allowance: 100 });
});
afterAll(() => db.close());

async function refused(days: number, conversationId?: string): Promise<{ turnId: string; conversationId: string }> {
  const turn = await accept(db.database, person, conversationId === undefined ? {} : { conversationId });
  expect(await reserve(db.database, turn.turnId)).toEqual({ kind: 'ended', state: 'refused' });
  await sql`update turns set created_at = now() - ${days} * interval '1 day', ended_at = now() - ${days} * interval '1 day' where id = ${turn.turnId}`.execute(
    db.database.sql,
  );
  return turn;
}

async function left(): Promise<string[]> {
  const found = await rows(
    db.database.sql,
    sql<{ id: string }>`select id from turns union all select id from conversations`,
  );
  return found.map(({ id }) => id).sort();
}

test('refused questions go after 7 days, with conversations that hold nothing else; what is locked waits for nobody', async () => {
  const old = [await refused(8), await refused(9), await refused(10)];
  const young = await refused(6);
  const { conversationId: made } = await createConversation(db.database, { userId: person.userId, title: null });
  const inMade = await refused(8, made);
  const shared = await refused(8);
  const beside = await refused(1, shared.conversationId);
  const locked = await refused(8);
  const lock = await lockRows(db.url, 'select 1 from turns where id = $1', [locked.turnId]);
  expect(await purgeRefused(db.database, { atOnce: 2 })).toEqual({ turns: old.length + 2, conversations: old.length });
  await lock.release();
  const stay = [
    ...[young, locked].flatMap(({ turnId, conversationId }) => [turnId, conversationId]),
    made,
    beside.turnId,
    shared.conversationId,
  ];
  expect(await left()).toEqual(stay.sort());
  expect((await left()).includes(inMade.turnId)).toBe(false);
  expect(await purgeRefused(db.database)).toEqual({ turns: 1, conversations: 1 });
});
