import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { writeAudit } from '../../db/audit.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let admin: Person;
beforeAll(async () => {
  stack = await startTestStack({}, { works: false });
  admin = await stack.person('admin');
});
afterAll(() => stack.close());

test('an admin reads the audit log by filter and page', async () => {
  const entry = {
    actor: { adminId: admin.userId, requestId: 'r' },
    reason: 'why',
    before: null,
    after: { tokens: 5 },
  } as const;
  for (const action of ['tokens.grant', 'user.suspend', 'tokens.grant'] as const)
    await stack.db.database.transaction((tx) => writeAudit(tx, { ...entry, action, target: 'user:1' }));
  const { status, body } = await admin.call(
    'GET',
    `/api/admin/audit?action=tokens.grant&target=user:1&adminId=${admin.userId}&limit=1`,
  );
  expect(status).toBe(200);
  expect(body.items).toEqual([
    {
      id: 3,
      adminId: admin.userId,
      admin: { userId: admin.userId, email: null, name: null, emailLookAlikes: [] },
      about: expect.objectContaining({ userId: 1 }),
      action: 'tokens.grant',
      target: 'user:1',
      reason: 'why',
      before: null,
      after: { tokens: 5 },
      requestId: 'r',
      createdAt: expect.stringMatching(/Z$/),
    },
  ]);
  const next = await admin.call('GET', `/api/admin/audit?action=tokens.grant&limit=1&cursor=${body.nextCursor}`);
  expect([next.body.items[0].id, next.body.nextCursor]).toEqual([1, null]);
});

test('nobody else does, whatever they ask for', async () => {
  const person = await stack.person();
  for (const path of ['/api/admin/audit', '/api/admin/audit?limit=0', '/api/admin/nothing'])
    expect((await person.call('GET', path)).body.code).toBe('forbidden');
});

test.each([
  ['action=user.delete', 'action'],
  ['adminId=0', 'adminId'],
  ['adminId=x', 'adminId'],
  ['adminId=1e30', 'adminId'],
  ['target=', 'target'],
  ['limit=0', 'limit'],
  ['limit=101', 'limit'],
  ['cursor=x', 'cursor'],
  ['actor=1', 'actor'],
])('?%s is refused by its name', async (query, field) => {
  const { status, body } = await admin.call('GET', `/api/admin/audit?${query}`);
  expect([status, body.code, body.field]).toEqual([400, 'invalid_request', field]);
});
