import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { listAudit, writeAudit, type NewAuditEntry } from '../../db/audit.ts';
import { violatedConstraint } from '../../db/database.ts';
import { AUDIT_ACTIONS, CLI_ACTOR } from '../../domain/audit.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createPerson, rows } from './fixture.ts';

let db: TestDatabase;
let adminId: number;
let otherId: number;
beforeAll(async () => {
  db = await createTestDatabase();
  adminId = (await createPerson(db.database, { role: 'admin' })).userId;
  otherId = (await createPerson(db.database, { role: 'admin' })).userId;
});
afterAll(() => db.close());

const record = (change: Partial<NewAuditEntry> = {}) =>
  db.database.transaction((tx) =>
    writeAudit(tx, {
      actor: { adminId, requestId: 'request-1' },
      action: 'user.suspend',
      target: 'user:7',
      reason: 'spam',
      before: { suspended: false },
      after: { suspended: true },
      ...change,
    }),
  );
const list = (filter: object, page: { limit?: number; cursor?: string | null } = {}) =>
  listAudit(db.database, { filter, limit: page.limit ?? 50, cursor: page.cursor ?? null });
const refusal = (statement: { execute(on: typeof db.database.sql): Promise<unknown> }) =>
  statement.execute(db.database.sql).then(
    () => 'accepted',
    (error: unknown) => violatedConstraint(error) ?? error,
  );

test('an entry says who, what, to which target, why, before, after, by which request and when', async () => {
  const id = await record();
  expect((await list({ target: 'user:7' })).items).toEqual([
    {
      id,
      adminId,
      action: 'user.suspend',
      target: 'user:7',
      reason: 'spam',
      before: { suspended: false },
      after: { suspended: true },
      requestId: 'request-1',
      createdAt: expect.any(Number),
    },
  ]);
});

describe('the audit log is append-only', () => {
  test.each([
    ['update', sql`update audit_entries set reason = 'another'`],
    ['delete', sql`delete from audit_entries`],
    ['truncate', sql`truncate audit_entries`],
    ['truncate of the users it names', sql`truncate users cascade`],
  ])('%s is refused', async (_, statement) => {
    await record();
    const before = await rows(db.database.sql, sql`select * from audit_entries order by id`);
    expect(await refusal(statement)).toMatch(/^(audit|ledger)_is_append_only$/);
    expect(await rows(db.database.sql, sql`select * from audit_entries order by id`)).toEqual(before);
  });
});

test('an entry is gone with the transaction of what it records', async () => {
  const failing = db.database.transaction(async (tx) => {
    await writeAudit(tx, { actor: CLI_ACTOR, action: 'tokens.grant', target: 'user:999', reason: 'gone' });
    throw new Error('the action failed');
  });
  await expect(failing).rejects.toThrow('the action failed');
  expect((await list({ target: 'user:999' })).items).toEqual([]);
});

describe('the database refuses a bad entry', () => {
  const insert = (change: Record<string, unknown>) => {
    const entry = { admin_id: adminId, action: 'user.suspend', target: 'user:1', request_id: 'r', ...change };
    return refusal(
      sql`insert into audit_entries (${sql.join(Object.keys(entry).map((name) => sql.ref(name)))}) values (${sql.join(Object.values(entry))})`,
    );
  };

  test.each([...AUDIT_ACTIONS])('control: %s passes', async (action) => {
    expect(await insert({ action })).toBe('accepted');
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['an action that is a sentence', { action: 'suspended the user' }, 'audit_actions_are_object_and_verb'],
    ['a target that quotes an e-mail', { target: 'user:a@b.example' }, 'audit_targets_are_kind_and_id'],
    ['a target without a kind', { target: ':7' }, 'audit_targets_are_kind_and_id'],
    ['an admin without a request', { request_id: null }, 'audit_names_the_request_of_an_admin'],
    ['a request without an admin', { admin_id: null }, 'audit_names_the_request_of_an_admin'],
  ])('%s', async (_, change, constraint) => {
    expect(await insert(change)).toBe(constraint);
  });
});

test('lists newest first, by admin, action and target, page by page to the end', async () => {
  const target = 'turn:0198c0de-0000-7000-8000-000000000000';
  const ids: number[] = [];
  for (let i = 0; i < 5; i += 1)
    ids.unshift(
      await record({
        target,
        action: i % 2 === 0 ? 'turn.replay' : 'turn.read_content',
        actor: { adminId: i < 2 ? adminId : otherId, requestId: `r${i}` },
      }),
    );
  const seen: number[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await list({ target }, { limit: 2, cursor: cursor ?? null });
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  expect(seen).toEqual(ids);
  expect((await list({ target, action: 'turn.replay' })).items.map(({ id }) => id)).toEqual([ids[0], ids[2], ids[4]]);
  expect((await list({ target, adminId })).items.map(({ id }) => id)).toEqual([ids[3], ids[4]]);
  expect((await list({ adminId: otherId, action: 'turn.read_content', target })).items.map(({ id }) => id)).toEqual([
    ids[1],
  ]);
  expect((await list({ target: 'turn:unknown' })).items).toEqual([]);
});

test.each(['x', 'WzEuNV0', Buffer.from('["a"]').toString('base64url'), Buffer.from('[1e300]').toString('base64url')])(
  'the cursor %s is refused',
  async (cursor) => {
    await expect(list({}, { cursor })).rejects.toMatchObject({ code: 'invalid_request', details: { field: 'cursor' } });
  },
);
