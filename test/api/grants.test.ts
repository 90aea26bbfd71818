import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let admin: Person;
let person: Person;
beforeAll(async () => {
  stack = await startTestStack({}, { works: false });
  admin = await stack.person('admin');
});
beforeEach(async () => {
  person = await stack.person();
});
afterAll(() => stack.close());

const grant = (
  body: unknown,
  {
    key = randomUUID(),
    userId = person.userId,
    as = admin,
  }: { key?: string; userId?: number | string; as?: Person } = {},
) => as.call('POST', `/api/admin/users/${userId}/grants`, body, { 'idempotency-key': key });
const reverse = (
  entryId: number | string,
  body: unknown,
  { key = randomUUID(), as = admin }: { key?: string; as?: Person } = {},
) => as.call('POST', `/api/admin/grants/${entryId}/reversals`, body, { 'idempotency-key': key });
const usage = async () => (await person.call('GET', '/api/ai-usage')).body;
const audit = async (target: string) => (await admin.call('GET', `/api/admin/audit?target=${target}`)).body.items;

describe('a grant', () => {
  test('is at once in what the person is shown, and in the audit log with its reason', async () => {
    const { status, body } = await grant({ tokens: 5_000, reason: ' an outage ' });
    expect([status, body]).toEqual([
      201,
      {
        entryId: expect.any(Number),
        userId: person.userId,
        tokens: 5_000,
        reason: 'an outage',
        reversesId: null,
        createdAt: expect.stringMatching(/Z$/),
      },
    ]);
    expect(await usage()).toMatchObject({ purchasedTokens: 5_000, totalAvailable: 105_000 });
    expect(await audit(`user:${person.userId}`)).toMatchObject([
      {
        adminId: admin.userId,
        action: 'tokens.grant',
        reason: 'an outage',
        requestId: expect.any(String),
        before: { purchasedTokens: 0, debtTokens: 0, overageTokens: 0 },
        after: {
          purchasedTokens: 5_000,
          debtTokens: 0,
          overageTokens: 0,
          userId: person.userId,
          entryId: body.entryId,
          tokens: 5_000,
        },
      },
    ]);
  });

  test('under the key of another admin’s is a conflict, which the audit log keeps; nothing is booked', async () => {
    const other = await stack.person('admin');
    const [body, key] = [{ tokens: 100, reason: 'r' }, randomUUID()];
    const { entryId } = (await grant(body, { key })).body;
    const refused = await grant(body, { key, as: other });
    expect([refused.status, refused.body.code]).toEqual([409, 'idempotency_conflict']);
    expect(await usage()).toMatchObject({ purchasedTokens: 100 });
    expect(await audit(`user:${person.userId}`)).toMatchObject([
      { adminId: other.userId, action: 'tokens.refuse_key', after: { entryId, tokens: 100, userId: person.userId } },
      { adminId: admin.userId, action: 'tokens.grant' },
    ]);
    const back = await reverse(entryId, { tokens: 40, reason: 'r' }, { key });
    expect((await reverse(entryId, { tokens: 40, reason: 'r' }, { key, as: other })).status).toBe(409);
    expect(await audit(`ledger_entry:${entryId}`)).toMatchObject([
      { adminId: other.userId, action: 'tokens.refuse_key', after: { entryId: back.body.entryId } },
      { adminId: admin.userId, action: 'tokens.reverse' },
    ]);
    // Control: the admin who booked it gets the first answer again.
    expect((await grant(body, { key })).body.entryId).toBe(entryId);
    expect(await usage()).toMatchObject({ purchasedTokens: 60 });
  });

  test('under one key is booked and audited once, also 8 at once, with one answer; another body is a conflict', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => grant({ tokens: 100, reason: 'r' }, { key: 'k' })),
    );
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body])))).toHaveProperty('size', 1);
    for (const other of [
      { tokens: 101, reason: 'r' },
      { tokens: 100, reason: 'other' },
    ])
      expect(await grant(other, { key: 'k' })).toMatchObject({ status: 409, body: { code: 'idempotency_conflict' } });
    expect(await usage()).toMatchObject({ purchasedTokens: 100 });
    expect(await audit(`user:${person.userId}`)).toHaveLength(1);
  });

  test('that cannot be audited is not booked: neither exists without the other', async () => {
    await sql`alter table audit_entries add constraint test_refuses check (reason <> 'refuse me')`.execute(
      stack.db.database.sql,
    );
    expect((await grant({ tokens: 100, reason: 'refuse me' })).status).toBe(500);
    expect(await usage()).toMatchObject({ purchasedTokens: 0 });
    expect((await grant({ tokens: 100, reason: 'take me' })).status).toBe(201);
  });

  test.each<[string, unknown, string]>([
    ['0', { tokens: 0, reason: 'r' }, 'tokens'],
    ['below 0', { tokens: -1, reason: 'r' }, 'tokens'],
    ['beyond 10^12', { tokens: 1_000_000_000_001, reason: 'r' }, 'tokens'],
    ['a fraction', { tokens: 1.5, reason: 'r' }, 'tokens'],
    ['text', { tokens: '5', reason: 'r' }, 'tokens'],
    ['nothing', { reason: 'r' }, 'tokens'],
    ['tokens without a reason', { tokens: 5 }, 'reason'],
    ['a blank reason', { tokens: 5, reason: ' ' }, 'reason'],
    ['501 characters', { tokens: 5, reason: '가'.repeat(501) }, 'reason'],
    ['more fields', { tokens: 5, reason: 'r', userId: 1 }, 'userId'],
  ])('of %s is refused by its name', async (_, body, field) => {
    expect(await grant(body)).toMatchObject({ status: 400, body: { code: 'invalid_request', field } });
  });

  test('takes 10^12 tokens and 500 characters: the control', async () => {
    expect((await grant({ tokens: 1_000_000_000_000, reason: '😀'.repeat(500) })).status).toBe(201);
  });

  test('without an Idempotency-Key, or under what is none, is refused', async () => {
    expect(
      await admin.call('POST', `/api/admin/users/${person.userId}/grants`, { tokens: 5, reason: 'r' }),
    ).toMatchObject({ status: 400, body: { code: 'invalid_request', field: 'Idempotency-Key' } });
    expect(await grant({ tokens: 5, reason: 'r' }, { key: 'a b' })).toMatchObject({
      status: 400,
      body: { field: 'Idempotency-Key' },
    });
    expect(await usage()).toMatchObject({ purchasedTokens: 0 });
  });

  test.each(['999999', '0', 'x', '1.5', '99999999999999999999'])('to user %s is 404', async (userId) => {
    expect(await grant({ tokens: 5, reason: 'r' }, { userId })).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
  });

  test('by who is no admin is 403, to oneself too', async () => {
    expect(await grant({ tokens: 5, reason: 'r' }, { as: person })).toMatchObject({
      status: 403,
      body: { code: 'forbidden' },
    });
    expect(await reverse(1, { tokens: 5, reason: 'r' }, { as: person })).toMatchObject({ status: 403 });
  });
});

describe('a reversal', () => {
  test('is linked to the grant, takes what is there and leaves the rest as debt; the audit names the grant', async () => {
    const {
      body: { entryId },
    } = await grant({ tokens: 1_000, reason: 'bought' });
    await sql`update accounts set purchased_tokens = 300 where user_id = ${person.userId}`.execute(
      stack.db.database.sql,
    );
    const { status, body } = await reverse(entryId, { tokens: 1_000, reason: 'refund' });
    expect([status, body]).toEqual([
      201,
      {
        entryId: expect.any(Number),
        userId: person.userId,
        tokens: 1_000,
        reason: 'refund',
        reversesId: entryId,
        createdAt: expect.any(String),
      },
    ]);
    expect(await usage()).toMatchObject({ purchasedTokens: 0 });
    expect(await audit(`ledger_entry:${entryId}`)).toMatchObject([
      {
        action: 'tokens.reverse',
        reason: 'refund',
        before: { purchasedTokens: 300 },
        after: { purchasedTokens: 0, debtTokens: 700 },
      },
    ]);
  });

  test('under one key is booked once; more than is left of the grant is 400, another body 409', async () => {
    const {
      body: { entryId },
    } = await grant({ tokens: 1_000, reason: 'bought' });
    const first = await reverse(entryId, { tokens: 600, reason: 'refund' }, { key: 'r' });
    expect((await reverse(entryId, { tokens: 600, reason: 'refund' }, { key: 'r' })).body).toEqual(first.body);
    expect(await reverse(entryId, { tokens: 600, reason: 'refund' })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', field: 'tokens', reason: expect.stringContaining('400') },
    });
    expect(await reverse(entryId, { tokens: 400, reason: 'refund' }, { key: 'r' })).toMatchObject({ status: 409 });
    expect((await reverse(entryId, { tokens: 400, reason: 'refund' })).status).toBe(201);
  });

  test('of what is no grant is 404: an unknown entry, a reversal, no number', async () => {
    const {
      body: { entryId },
    } = await grant({ tokens: 10, reason: 'r' });
    const { body: reversal } = await reverse(entryId, { tokens: 5, reason: 'r' });
    for (const id of [999_999, reversal.entryId, 'x'])
      expect(await reverse(id, { tokens: 1, reason: 'r' })).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});
