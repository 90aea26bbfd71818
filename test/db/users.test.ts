import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { authenticateToken, createToken, revokeToken } from '../../db/people/key-holders.ts';
import { createUser, getPrincipal, updateProfile } from '../../db/people/users.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createPerson, only, rows } from './fixture.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.close());

const authenticate = async (token: string) =>
  (await authenticateToken(db.database, { token, from: null }))?.principal ?? null;

describe('tokens', () => {
  test('a user’s first token speaks for them, with an account of their own', async () => {
    const { userId, token } = await createUser(db.database, {
      email: 'Min@Example.com',
      role: 'admin',
      timeZone: 'Asia/Kathmandu',
    });
    const principal = await authenticate(token);
    expect(principal).toEqual({
      userId,
      accountId: principal?.accountId,
      role: 'admin',
      suspended: false,
      email: 'min@example.com',
      locale: 'ko',
      timeZone: 'Asia/Kathmandu',
    });
    expect(await getPrincipal(db.database.sql, userId)).toEqual(principal);
  });

  test('only the hash is stored: no column of the database holds the token', async () => {
    const { userId, token } = await createPerson(db.database);
    const row = await only(
      db.database.sql,
      sql<{
        hash: Buffer;
        hint: string;
        text: string;
      }>`select token_hash as hash, token_hint as hint, api_keys::text as text from api_keys where user_id = ${userId}`,
    );
    expect(row.hash.equals(createHash('sha256').update(token).digest())).toBe(true);
    expect(row.text).not.toContain(token);
    expect(row.hint).toBe(`${token.slice(0, 6)}…${token.slice(-4)}`);
  });

  test('an unknown, malformed or revoked one speaks for nobody; the others of the user go on', async () => {
    const { userId, token } = await createPerson(db.database);
    const second = await createToken(db.database, { userId });
    expect((await authenticate(second.token))?.userId).toBe(userId);
    for (const wrong of [
      '',
      'tk_',
      token.slice(0, -1),
      `${token}x`,
      ` ${token}`,
      token.replace('tk_', 'sk_'),
      `tk_${'A'.repeat(43)}`,
    ])
      expect(await authenticate(wrong)).toBeNull();
    expect(await revokeToken(db.database, { token })).toBe(true);
    expect(await authenticate(token)).toBeNull();
    expect((await authenticate(second.token))?.userId).toBe(userId);
    expect(await revokeToken(db.database, { token })).toBe(false);
    expect(await revokeToken(db.database, { tokenId: second.tokenId })).toBe(true);
    expect(await authenticate(second.token)).toBeNull();
    expect(await revokeToken(db.database, { tokenId: 999_999 })).toBe(false);
  });

  test('the last use is recorded, at most once a minute', async () => {
    const { userId, token } = await createPerson(db.database);
    const lastUse = () =>
      only(
        db.database.sql,
        sql<{ at: Date | null }>`select last_used_at as at from api_keys where user_id = ${userId}`,
      );
    expect((await lastUse()).at).toBeNull();
    await authenticate(token);
    const first = await lastUse();
    expect(first.at).not.toBeNull();
    await authenticate(token);
    expect(await lastUse()).toEqual(first);
    await sql`update api_keys set last_used_at = now() - interval '61 seconds' where user_id = ${userId}`.execute(
      db.database.sql,
    );
    const old = await lastUse();
    await authenticate(token);
    expect(await lastUse()).not.toEqual(old);
  });

  test('for a user who is nowhere is not_found', async () => {
    await expect(createToken(db.database, { userId: 999_999 })).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('users', () => {
  test('an e-mail belongs to one, in any case; none at all is fine for many', async () => {
    await createUser(db.database, { email: 'one@example.com', role: 'user' });
    await expect(createUser(db.database, { email: 'ONE@example.com', role: 'user' })).rejects.toMatchObject({
      code: 'invalid_request',
      details: { field: 'email' },
    });
    await createPerson(db.database);
    await createPerson(db.database);
  });

  test('given ids, the demo users, never collide with the next user', async () => {
    const fresh = await createTestDatabase({ poolMax: 2 });
    try {
      for (const id of [1, 2])
        expect((await createUser(fresh.database, { email: null, role: 'user', id })).userId).toBe(id);
      const third = await createUser(fresh.database, { email: null, role: 'user' });
      expect(third.userId).toBe(3);
      expect(await getPrincipal(fresh.database.sql, 3)).toMatchObject({ accountId: 3 });
    } finally {
      await fresh.close();
    }
  });

  test.each(['Asia/Nowhere', 'PST'])(
    'the zone %s, which is none, is invalid_request, and nobody is created',
    async (timeZone) => {
      const count = () => rows(db.database.sql, sql`select 1 from users`).then(({ length }) => length);
      const before = await count();
      await expect(createUser(db.database, { email: null, role: 'user', timeZone })).rejects.toMatchObject({
        code: 'invalid_request',
        details: { field: 'timeZone' },
      });
      expect(await count()).toBe(before);
    },
  );
});

describe('the profile', () => {
  test('changes language and zone, one or both', async () => {
    const { userId } = await createPerson(db.database);
    expect(await updateProfile(db.database, { userId, locale: 'en' })).toMatchObject({
      locale: 'en',
      timeZone: 'Asia/Seoul',
    });
    expect(await updateProfile(db.database, { userId, timeZone: 'Africa/Cairo' })).toMatchObject({
      locale: 'en',
      timeZone: 'Africa/Cairo',
    });
    expect(await updateProfile(db.database, { userId, timeZone: 'Asia/Calcutta' })).toMatchObject({
      timeZone: 'Asia/Kolkata',
    });
  });

  test('a zone that is none is invalid_request and changes nothing, the language neither', async () => {
    const { userId } = await createPerson(db.database);
    await expect(updateProfile(db.database, { userId, timeZone: 'Mars/Olympus', locale: 'en' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    await expect(updateProfile(db.database, { userId, timeZone: 'JST' })).rejects.toMatchObject({
      details: { field: 'timeZone', reason: expect.stringContaining('Asia/Tokyo') },
    });
    expect(await getPrincipal(db.database.sql, userId)).toMatchObject({ locale: 'ko', timeZone: 'Asia/Seoul' });
    await expect(updateProfile(db.database, { userId: 999_999, locale: 'en' })).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});
