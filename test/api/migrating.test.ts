import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { migrate } from '../../db/migrate.ts';
import { DeadlinePassed, within } from '../../platform/deadline.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

/** Takes an index away from `holds`, which every send writes: for a moment it wants the table for itself. */
const MIGRATION = '20261125-find-holds-by-account';
const UNDO = `
  create index holds_pending_of_account on holds (account_id);
  create index holds_pending_by_expiry on holds (expires_at);
  drop index holds_live_of_account;
  delete from schema_migrations where name = '${MIGRATION}'`;
/** Longer than a send takes on a busy machine, and many times what a migration waits at once. */
const STUCK_MS = 4_000;

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
  const isWaiting = async () => (await waits.query('select 1 from pg_locks where not granted')).rowCount !== 0;
  for (const _ of [1, 2, 3]) {
    await until(isWaiting);
    expect(await within(STUCK_MS, send())).toBe(200);
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
  await until(async () => (await waits.query('select 1 from pg_locks where not granted')).rowCount !== 0);
  const sending = send();
  await expect(within(STUCK_MS, sending)).rejects.toThrow(DeadlinePassed);
  await reader.query('commit');
  await changing;
  expect(await sending).toBe(200);
});

test('who reads longer than the migration has patience makes it fail with a sentence, and nothing is changed', async () => {
  await (await connect()).query(UNDO);
  const reader = await startReading();
  await expect(migrate(stack.db.url, { patienceMs: 0 })).rejects.toThrow(`the migration ${MIGRATION} waits`);
  expect(await send()).toBe(200);
  await reader.query('commit');
  expect(await migrate(stack.db.url)).toEqual([MIGRATION]);
});

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
