import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { Tx } from '../../db/database.ts';
import { AuditEntry } from '../../db/entities/audit-entry.ts';
import { Conversation } from '../../db/entities/conversation.ts';
import { lockAccount } from '../../db/money/accounts.ts';
import { bookGrant } from '../../db/money/ledger.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createPerson, only, type Person } from './fixture.ts';

let db: TestDatabase;
let person: Person;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  person = await createPerson(db.database);
});

/** Writes a ledger entry by SQL and an audit entry by the unit of work; nobody flushes. */
async function grant(tx: Tx, target: `user:${string}` = `user:${person.userId}`): Promise<void> {
  const account = await lockAccount(tx, person.accountId);
  tx.em().create(AuditEntry, { action: 'tokens.grant', target, reason: 'both' });
  await bookGrant(tx, account, { tokens: 7, reason: 'both', key: 'k' });
}

function written() {
  return only(
    db.database.sql,
    sql<{ granted: number; audited: number }>`
    select (select count(*)::int from ledger_entries where account_id = ${person.accountId}) as granted,
      (select count(*)::int from audit_entries where target = ${`user:${person.userId}`}) as audited`,
  );
}

test('an entity and a ledger entry are committed together, the entity without being flushed by hand', async () => {
  await db.database.transaction(async (tx) => {
    await grant(tx);
    expect(await written()).toEqual({ granted: 0, audited: 0 });
  });
  expect(await written()).toEqual({ granted: 1, audited: 1 });
});

test.each<[string, (tx: Tx) => Promise<unknown>, RegExp]>([
  ['its work throws', async () => Promise.reject(new Error('planted')), /planted/],
  ['a statement is refused', (tx) => sql`select 1 / 0`.execute(tx), /division by zero/],
  ['a write is refused that nobody waited for', async (tx) => tx.write(sql`select 1 / 0`), /division by zero/],
])('neither is kept when %s', async (_, fail, reason) => {
  const failed = db.database.transaction(async (tx) => {
    await grant(tx);
    await tx.em().flush();
    await fail(tx);
  });
  await expect(failed).rejects.toThrow(reason);
  expect(await written()).toEqual({ granted: 0, audited: 0 });
});

test('neither is kept when the database refuses the entity, which is said by its constraint', async () => {
  const failed = db.database.transaction((tx) => grant(tx, 'user:no spaces'));
  await expect(failed).rejects.toThrow('audit_targets_are_kind_and_id');
  expect(await written()).toEqual({ granted: 0, audited: 0 });
});

test('statements and entities see what the other has written', async () => {
  await db.database.transaction(async (tx) => {
    const id = '00000000-0000-4000-8000-000000000001';
    await sql`insert into conversations (id, user_id, title) values (${id}, ${person.userId}, 'by SQL')`.execute(tx);
    const found = await tx.em().findOneOrFail(Conversation, { id });
    expect(found.title).toBe('by SQL');
    found.title = 'by its entity';
    await tx.em().flush();
    expect(await only(tx, sql`select title from conversations where id = ${id}`)).toEqual({ title: 'by its entity' });
    expect(tx.em()).toBe(tx.em());
  });
});
