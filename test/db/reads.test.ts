import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { countFeedback } from '../../db/conversations/feedback.ts';
import { isUnavailable } from '../../db/driver/availability.ts';
import { findSharedCopy, listShareLinks } from '../../db/sharing/share-links.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.close());

test('a read that takes too long ends after 5 s as unavailable, and its connection serves the next', async () => {
  const { database } = db;
  const backend = sql<{ pid: number; limit: string }>`select pg_backend_pid() as pid,
    current_setting('statement_timeout') as limit, ${1}::int`;
  const [usual] = (await backend.execute(database.sql)).rows;
  const error: unknown = await sql`select pg_sleep(${14})`.execute(database.reads).catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: '57014' });
  expect(isUnavailable(error)).toBe(true);
  const [read] = (await backend.execute(database.reads)).rows;
  expect([usual, read]).toEqual([
    { pid: expect.any(Number), limit: '15s', int4: 1 },
    { pid: usual?.pid, limit: '5s', int4: 1 },
  ]);
  // The limit goes with the read.
  expect((await backend.execute(database.sql)).rows).toEqual([usual]);
});

test('a read writes nothing', async () => {
  const { database } = db;
  await expect(sql`delete from refusals where count > ${1}`.execute(database.reads)).rejects.toMatchObject({
    code: '25006',
  });
  expect((await sql<{ n: number }>`select ${1}::int as n`.execute(database.reads)).rows).toEqual([{ n: 1 }]);
});

test('strangers who open links, lists of links and counts of ratings take none of the connections of turns', async () => {
  const database = {
    ...db.database,
    get sql(): never {
      throw new Error('a read that anybody may repeat takes a place among the reads');
    },
  };
  const mine = { conversationId: randomUUID(), userId: 1, limit: 5, cursor: null };
  expect(await findSharedCopy(database, Buffer.alloc(32))).toBeNull();
  expect(await countFeedback(database, { from: null, to: null })).toEqual([]);
  await expect(listShareLinks(database, mine)).rejects.toMatchObject({ code: 'not_found' });
});
