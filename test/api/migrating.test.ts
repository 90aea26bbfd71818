import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { migrate } from '../../db/migrate.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

/** Takes an index away from `holds`, which every send writes: for a moment it wants the table for itself. */
const MIGRATION = '20261125-find-holds-by-account';
const UNDO = `
  create index holds_pending_of_account on holds (account_id);
  create index holds_pending_by_expiry on holds (expires_at);
  drop index holds_live_of_account;
  delete from schema_migrations where name = '${MIGRATION}'`;
/** Of this database only: other files wait for locks of their own on the same server. */
const WAITING_CHANGE = `select pid from pg_locks where not granted and mode = 'AccessExclusiveLock'
  and database = (select oid from pg_database where datname = current_database())`;
const WAITING_BEHIND_IT = `select pid from pg_locks where not granted and pg_blocking_pids(pid) && array(${WAITING_CHANGE})`;

let stack: TestStack;
let person: Person;
const open: Client[] = [];

beforeAll(async () => {
  stack = await startTestStack();
  person = await stack.person();
  await send();
});
afterAll(async () => {
  await Promise.all(open.map((client) => client.end()));
  await stack.close();
});

test('while somebody reads a table, its migration waits without holding up sends, and is applied when they have read', async () => {
  await (await connect()).query(UNDO);
  const reader = await startReading();
  const migrating = migrate(stack.db.url);
  const waits = await connect();
  for (const _ of [1, 2, 3]) {
    await until(() => isAny(waits, WAITING_CHANGE));
    // Who reads goes on reading: a send that waited for them would never be answered so.
    expect(await send()).toBe(200);
  }
  await reader.query('commit');
  expect(await migrating).toEqual([MIGRATION]);
  expect(await send()).toBe(200);
});

test('the same change without such a limit holds every send up', async () => {
  await (await connect()).query('create index holds_pending_of_account on holds (account_id)');
  const reader = await startReading();
  const changing = (await connect()).query('drop index holds_pending_of_account');
  const waits = await connect();
  await until(() => isAny(waits, WAITING_CHANGE));
  const sending = send();
  await until(() => isAny(waits, WAITING_BEHIND_IT));
  await reader.query('commit');
  await changing;
  // It was told to come again, if it has waited for too long on a slow machine.
  expect([200, 503]).toContain(await sending);
  expect(await send()).toBe(200);
});

test('who reads longer than the migration has patience makes it fail with a sentence, and nothing is changed', async () => {
  await (await connect()).query(UNDO);
  const reader = await startReading();
  await expect(migrate(stack.db.url, { patienceMs: 0 })).rejects.toThrow(`the migration ${MIGRATION} waits`);
  expect(await send()).toBe(200);
  await reader.query('commit');
  expect(await migrate(stack.db.url)).toEqual([MIGRATION]);
});

async function isAny(client: Client, rows: string): Promise<boolean> {
  return (await client.query(rows)).rowCount !== 0;
}

async function send(): Promise<number> {
  return (await person.call('POST', '/api/chat/send', { message: '안녕' })).status;
}

/** As a report does, in a transaction that takes its time. */
async function startReading(): Promise<Client> {
  const reader = await connect();
  await reader.query('begin');
  await reader.query('select count(*) from holds');
  return reader;
}

async function connect(): Promise<Client> {
  const client = new Client({ connectionString: stack.db.url });
  await client.connect();
  open.push(client);
  return client;
}
