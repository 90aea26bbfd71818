import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { isUnavailable } from '../../db/driver/availability.ts';
import { openDatabase, type Database } from '../../db/database.ts';
import { failureOfSent, OutcomeUnknown } from '../../db/driver/outcome.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { COMMIT, openProxy, through, type Proxy } from '../support/proxy.ts';

let db: TestDatabase;
let proxy: Proxy;
let database: Database;
beforeAll(async () => {
  db = await createTestDatabase();
  proxy = await openProxy(db.url);
  database = await openDatabase({ url: through(proxy, db.url), poolMax: 2 });
  await sql`create table notes (text text)`.execute(database.sql);
});
afterAll(async () => {
  await database.close();
  await proxy.close();
  await db.close();
});

const notes = async (text: string) =>
  (await sql`select 1 from notes where text = ${text}`.execute(db.database.sql)).rows.length;

test.each<[string, string, (text: string) => Promise<unknown>]>([
  [
    'a transaction',
    COMMIT,
    (text) =>
      database.transaction((tx) => {
        tx.write(sql`insert into notes values (${text})`);
        return Promise.resolve();
      }),
  ],
  ['a write that stands alone', 'alone', (text) => sql`insert into notes values (${text})`.execute(database.sql)],
])('%s whose COMMIT is not answered has an unknown outcome, and counts as unavailable', async (_, word, write) => {
  const text = `alone at ${Date.now()}`;
  const lost = proxy.loseAnswerTo(word);
  const error: unknown = await write(text).catch((thrown: unknown) => thrown);
  await lost;
  await proxy.heal();
  expect(error).toBeInstanceOf(OutcomeUnknown);
  expect(isUnavailable(error)).toBe(true);
  expect(await notes(text)).toBe(1);
});

test('what was never sent, read or refused is known: it was not done', async () => {
  const text = `control at ${Date.now()}`;
  const read = proxy.loseAnswerTo(text);
  await expect(sql`select ${text}::text`.execute(database.sql)).rejects.not.toBeInstanceOf(OutcomeUnknown);
  await read;
  await expect(sql`insert into notes values (${text})`.execute(database.sql)).rejects.not.toBeInstanceOf(
    OutcomeUnknown,
  );
  await proxy.heal();
  // The connection is lost before the transaction comes to its commit.
  const cut = database.transaction(async (tx) => {
    await sql`insert into notes values (${text})`.execute(tx);
    await proxy.cut();
    await sql`select 1`.execute(tx);
  });
  await expect(cut).rejects.not.toBeInstanceOf(OutcomeUnknown);
  await proxy.heal();
  expect(await notes(text)).toBe(0);
});

test.each([
  ['57P01', true],
  ['08006', true],
  ['57014', false],
  ['55P03', false],
  ['25006', false],
  ['23505', false],
])('SQL state %s leaves the outcome of what was sent unknown: %s', (code, is) => {
  expect(failureOfSent(Object.assign(new Error('said'), { code })) instanceof OutcomeUnknown).toBe(is);
});
