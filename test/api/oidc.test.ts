import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { Client } from 'pg';
import { createToken } from '../../db/people/key-holders.ts';
import { createUser } from '../../db/people/users.ts';
import { createLog } from '../../platform/telemetry/log.ts';
import { AUDIENCE, startProvider, type TestProvider } from '../support/provider.ts';
import { personAtUrl, startTestStack, type TestStack } from '../support/stack.ts';
import { tapPostgres, type Tap } from '../support/tap.ts';
import { until } from '../support/until.ts';

const MINUTE_MS = 60_000;
let provider: TestProvider;
let stack: TestStack;
let postgres: Tap | null = null;
/** How far the service's clock is ahead; tokens of a later time are signed with it. */
let aheadMs = 0;
const others: TestStack[] = [];
const now = () => Date.now() + aheadMs;

beforeAll(async () => {
  provider = await startProvider();
  stack = await startTestStack(
    {
      OIDC_ISSUER: provider.issuer,
      OIDC_AUDIENCE: AUDIENCE,
      OIDC_CLIENT_ID: 'web',
      OIDC_ADMIN_ROLE: 'turnkeeper-admin',
      OIDC_ROLE_CLAIM: 'realm_access.roles',
      OIDC_EXTRA_PARAMS: `resource=${AUDIENCE}`,
    },
    { now },
  );
});
beforeEach(() => {
  provider.asked();
});
afterAll(async () => {
  for (const other of others) await other.close();
  await stack.close();
  await Promise.all([provider.close(), postgres?.close()]);
});

const me = async (token: string) => {
  const { status, headers, body } = await personAtUrl(stack.url, 0, token).call('GET', '/api/me');
  return { status, body, retryAfter: headers.get('retry-after'), challenge: headers.get('www-authenticate') };
};
/** A token whose time is the service's present. */
const token = (claims: Record<string, unknown>, header?: Parameters<TestProvider['sign']>[1]) => {
  const iat = Math.floor(now() / 1_000);
  return provider.sign({ iat, exp: iat + 300, ...claims }, header);
};
const people = async (subject: string) =>
  (
    await sql<{ id: string; role: string; email: string | null; accounts: number }>`
  select u.id, u.role, u.email, count(a.id)::int as accounts from users u left join accounts a on a.user_id = u.id where u.subject = ${subject} group by u.id`.execute(
      stack.db.database.sql,
    )
  ).rows;

describe('a token of the issuer', () => {
  test('as it issues them itself, speaks for the person it names, who is the same ever after', async () => {
    const response = await fetch(`${provider.issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        resource: AUDIENCE,
        client_id: 'service',
        client_secret: 'secret-of-the-test',
      }),
    });
    const { access_token: issued } = (await response.json()) as { access_token: string };
    const [first, again] = [await me(issued), await me(issued)];
    expect(first).toMatchObject({
      status: 200,
      body: { email: null, role: 'user', locale: 'ko', timeZone: 'Asia/Seoul' },
    });
    expect(again.body).toEqual(first.body);
    expect(await people('service')).toEqual([expect.objectContaining({ id: String(first.body.userId), accounts: 1 })]);
  });

  test('costs one read of the database, like a key, and a write only when there is something new', async () => {
    const direct = process.env['TEST_DATABASE_URL'] ?? '';
    const tap = (postgres = await tapPostgres(direct));
    process.env['TEST_DATABASE_URL'] = tap.url;
    // Nothing else queries this database, because no worker runs.
    const quiet = await startTestStack({ OIDC_ISSUER: provider.issuer, OIDC_AUDIENCE: AUDIENCE }, { works: false });
    others.push(quiet);
    process.env['TEST_DATABASE_URL'] = direct;
    const person = await quiet.person();
    const [held, other] = [
      await token({ sub: 'frugal' }),
      await token({
        sub: 'frugal',
        iat: Math.floor(now() / 1_000) + 3,
        email: 'frugal@example.com',
        email_verified: true,
      }),
    ];
    const cost = async (bearer: string) => {
      tap.take();
      // The call itself queries nothing.
      expect((await personAtUrl(quiet.url, 0, bearer).call('GET', '/api/models')).status).toBe(200);
      return tap.take().length;
    };
    await cost(person.token);
    expect([
      await cost(person.token),
      await cost(held),
      await cost(held),
      await cost(other),
      await cost(other),
      await cost(held),
    ]).toEqual([1, 3, 1, 2, 1, 1]);
  });

  test('seen for the first time by twenty requests at once makes one person with one account', async () => {
    const held = await token({ sub: 'racer' });
    // The users table is locked, so that all of them have looked before the first one writes.
    const gate = new Client({ connectionString: stack.db.url });
    await gate.connect();
    await gate.query('begin; lock table users in share mode');
    const asking = Promise.all(Array.from({ length: 20 }, () => me(held)));
    await until(
      async () =>
        Number(
          (
            await gate.query(
              'select count(*) from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))',
            )
          ).rows[0].count,
        ) >= 10,
    );
    await gate.query('commit');
    await gate.end();
    const answers = await asking;
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.userId}`)).size).toBe(1);
    expect(await people('racer')).toEqual([expect.objectContaining({ accounts: 1 })]);
  });

  test('chats, is metered, listed and suspended like anybody, by an admin of the issuer too, whom the audit log names', async () => {
    const person = personAtUrl(
      stack.url,
      0,
      await token({ sub: 'chatter', locale: 'en-GB', zoneinfo: 'Europe/London' }),
    );
    const { body: self } = await person.call('GET', '/api/me');
    expect(self).toMatchObject({ locale: 'en', timeZone: 'Europe/London' });
    const { status, body } = await person.call('POST', '/api/chat/send', { message: '안녕' });
    expect([status, body.state]).toEqual([200, 'completed']);
    expect((await person.call('GET', '/api/ai-usage')).body.usedTokens).toBe(body.usage.debitedTokens);
    expect((await person.call('PATCH', '/api/me', { timeZone: 'Asia/Tokyo' })).body).toMatchObject({
      timeZone: 'Asia/Tokyo',
      role: 'user',
    });
    const admin = await stack.person('admin');
    expect((await admin.call('GET', `/api/admin/users?userId=${self.userId}`)).body.items).toEqual([
      expect.objectContaining({ issuer: provider.issuer, subject: 'chatter' }),
    ]);
    expect((await admin.call('POST', `/api/admin/users/${self.userId}/suspend`, { reason: '시험' })).status).toBe(200);
    expect(await person.call('POST', '/api/chat/send', { message: '안녕' })).toMatchObject({
      status: 403,
      body: { code: 'account_suspended' },
    });
    expect((await person.call('GET', '/api/me')).status).toBe(200);
    const chief = personAtUrl(
      stack.url,
      0,
      await token({ sub: 'chief', realm_access: { roles: ['turnkeeper-admin'] } }),
    );
    expect((await chief.call('POST', `/api/admin/users/${self.userId}/resume`, { reason: '시험 끝' })).status).toBe(
      200,
    );
    const {
      body: { userId },
    } = await chief.call('GET', '/api/me');
    expect((await chief.call('GET', `/api/admin/audit?adminId=${userId}`)).body.items).toEqual([
      expect.objectContaining({ action: 'user.resume', adminId: userId }),
    ]);
  });

  test('with the e-mail of somebody who has a key is another person, and shows an address only that the issuer has verified', async () => {
    const { userId } = await createUser(stack.db.database, { email: 'same@example.com', role: 'admin' });
    const stranger = await me(await token({ sub: 'stranger', email: 'Same@example.com', email_verified: true }));
    expect(stranger).toMatchObject({ status: 200, body: { role: 'user', email: 'same@example.com' } });
    expect(stranger.body.userId).not.toBe(userId);
    expect((await me(await token({ sub: 'liar', email: 'same@example.com' }))).body.email).toBeNull();
    expect(
      (await me(await token({ sub: 'liar', email: 'same@example.com', email_verified: 'true' }))).body.email,
    ).toBeNull();
    // Among people with keys an address is still unique.
    await expect(createUser(stack.db.database, { email: 'same@example.com', role: 'user' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    await createUser(stack.db.database, { email: 'later@example.com', role: 'user' });
    expect(
      (
        await me(
          await token({
            sub: 'stranger',
            email: 'later@example.com',
            email_verified: true,
            iat: Math.floor(now() / 1_000) + 5,
          }),
        )
      ).body,
    ).toMatchObject({ userId: stranger.body.userId, email: 'later@example.com' });
  });

  test('makes an admin by the role claim alone, request by request', async () => {
    const admin = await token({ sub: 'boss', realm_access: { roles: ['staff', 'turnkeeper-admin'] } });
    expect((await me(admin)).body.role).toBe('admin');
    expect((await personAtUrl(stack.url, 0, admin).call('GET', '/api/admin/users')).status).toBe(200);
    expect(await people('boss')).toEqual([expect.objectContaining({ role: 'admin' })]);
    const without = await token({ sub: 'boss', iat: Math.floor(now() / 1_000) + 1 });
    expect((await personAtUrl(stack.url, 0, without).call('GET', '/api/admin/users')).status).toBe(403);
    expect(await people('boss')).toEqual([expect.objectContaining({ role: 'user' })]);
    // A request has the role of its own token, but an older token does not undo what a newer one stored.
    expect((await me(admin)).body.role).toBe('admin');
    expect(await people('boss')).toEqual([expect.objectContaining({ role: 'user' })]);
    for (const claims of [
      { realm_access: { roles: ['not-turnkeeper-admin'] } },
      { realm_access: { roles: 'turnkeeper-admins' } },
      { realm_access: 'turnkeeper-admin' },
      { roles: ['turnkeeper-admin'] },
      { role: 'admin', realm_access: { roles: [['turnkeeper-admin']] } },
      { name: 'turnkeeper-admin', email: 'admin@turnkeeper.example', email_verified: true },
    ])
      expect([claims, (await me(await token({ sub: 'nobody', ...claims }))).body.role]).toEqual([claims, 'user']);
  });
});

describe('401 and no word more for', () => {
  const seconds = () => Math.floor(now() / 1_000);
  const cases: [string, () => Promise<string>][] = [
    ['one that has ended', () => token({ sub: 'x', exp: seconds() - 31 })],
    ['one that has no end', () => token({ sub: 'x', exp: null })],
    ['one that has not begun', () => token({ sub: 'x', nbf: seconds() + 60 })],
    ['one for another audience', () => token({ sub: 'x', aud: 'https://other.example' })],
    ['one for nobody', () => token({ sub: 'x', aud: null })],
    ['one of another issuer', () => token({ sub: 'x', iss: 'https://evil.example' })],
    ['one of our issuer, misspelt', () => token({ sub: 'x', iss: `${provider.issuer}/` })],
    ['one that names nobody', () => token({ sub: null })],
    ['one that names nobody, at length', () => token({ sub: 'x'.repeat(256) })],
    ['one of another kind', () => token({ sub: 'x' }, { typ: 'logout+jwt' })],
    ['one whose kind is a number', () => token({ sub: 'x' }, { typ: 7 })],
    ['one whose kind is no text', () => token({ sub: 'x' }, { typ: { toLowerCase: 'jwt' } })],
    ['one that names a number', () => token({ sub: 7 })],
    ['one that names a list', () => token({ sub: ['x'] })],
    ['one that names half a character', () => token({ sub: 'x\u{d83d}' })],
    ['one that names a NUL', () => token({ sub: 'x\0' })],
    ['one issued in 10^292 years', () => token({ sub: 'x', iat: 1e300 })],
    ['one issued before all time', () => token({ sub: 'x', iat: -1e300 })],
    ['one issued in a minute', () => token({ sub: 'x', iat: seconds() + 60 })],
    ['one issued as text', () => token({ sub: 'x', iat: '1' })],
    ['an id token', () => token({ sub: 'x', aud: 'web' }, { typ: 'JWT' })],
    ['one of a key that it does not have', () => token({ sub: 'x' }, { kid: 'nobody-has-it' })],
    [
      'one that is not signed',
      async () =>
        `${encode({ alg: 'none' })}.${encode({ iss: provider.issuer, aud: AUDIENCE, sub: 'x', iat: seconds(), exp: seconds() + 300 })}.`,
    ],
    [
      'one signed with its public key as if it were a secret',
      async () => {
        const { kid } = provider.publicKey();
        const signed = `${encode({ alg: 'HS256', kid })}.${encode({ iss: provider.issuer, aud: AUDIENCE, sub: 'x', iat: seconds(), exp: seconds() + 300 })}`;
        return `${signed}.${createHmac('sha256', JSON.stringify(provider.publicKey())).update(signed).digest('base64url')}`;
      },
    ],
    [
      'one that was changed',
      async () => {
        const [head, , signature] = (await token({ sub: 'x' })).split('.');
        return `${head}.${encode({ iss: provider.issuer, aud: AUDIENCE, sub: 'boss', iat: seconds(), exp: seconds() + 300 })}.${signature}`;
      },
    ],
    ['what only looks like one', async () => 'a.b.c'],
  ];

  test.each(cases)('%s', async (_what, make) => {
    const answer = await me(await make());
    expect(answer).toMatchObject({ status: 401, challenge: 'Bearer', body: { code: 'unauthorized' } });
    expect(Object.keys(answer.body).sort()).toEqual(['code', 'message', 'requestId']);
  });

  test('none of them when the same is as it should be, clocks half a minute apart', async () => {
    expect(
      (
        await me(
          await token(
            { sub: 'x', exp: seconds() - 20, nbf: seconds() + 20, aud: ['https://other.example', AUDIENCE] },
            { typ: 'JWT' },
          ),
        )
      ).status,
    ).toBe(200);
  });
});

describe("the issuer's keys", () => {
  test('are kept, and asked for once when they are old, however many come', async () => {
    const calls = async () => {
      const bearer = await token({ sub: 'keys' });
      return Promise.all(Array.from({ length: 10 }, () => me(bearer)));
    };
    await calls();
    expect(provider.asked()).toEqual([]);
    aheadMs += 11 * MINUTE_MS;
    expect((await calls()).map(({ status }) => status)).toEqual(Array(10).fill(200));
    const asked: string[] = [];
    await until(() => asked.push(...provider.asked()) > 0 && asked.includes('/jwks'));
    await calls();
    expect([...asked, ...provider.asked()]).toEqual(['/.well-known/openid-configuration', '/jwks']);
  });

  test('a new key is found by the first token that it has signed, and the one taken back is good no more', async () => {
    aheadMs += MINUTE_MS;
    const before = await token({ sub: 'keys' });
    await provider.rotate({ keeping: true });
    expect([(await me(await token({ sub: 'keys' }))).status, (await me(before)).status]).toEqual([200, 200]);
    aheadMs += MINUTE_MS;
    await provider.rotate({ keeping: false });
    expect([(await me(await token({ sub: 'keys' }))).status, (await me(before)).status]).toEqual([200, 401]);
  });

  test('are not asked for again and again by tokens with keys that nobody has', async () => {
    aheadMs += MINUTE_MS;
    provider.asked();
    for (let i = 0; i < 5; i += 1) expect((await me(await token({ sub: 'x' }, { kid: `none-${i}` }))).status).toBe(401);
    expect(provider.asked()).toEqual(['/.well-known/openid-configuration', '/jwks']);
  });

  test('out of reach: who has a token goes on, what cannot be judged is 503 and when to come back, and keys of ours work', async () => {
    await provider.away();
    aheadMs += 30 * MINUTE_MS;
    const person = await stack.person();
    expect((await me(await token({ sub: 'keys' }))).status).toBe(200);
    const unknown = await token({ sub: 'x' }, { kid: 'may-be-new' });
    expect(await me(unknown)).toMatchObject({ status: 503, retryAfter: '5', body: { code: 'unavailable' } });
    aheadMs += 31 * MINUTE_MS;
    expect(await me(await token({ sub: 'keys' }))).toMatchObject({
      status: 503,
      retryAfter: '5',
      body: { code: 'unavailable' },
    });
    expect((await person.call('GET', '/api/me')).status).toBe(200);
    await provider.back();
    aheadMs += MINUTE_MS;
    expect((await me(await token({ sub: 'keys' }))).status).toBe(200);
    expect((await me(unknown)).status).toBe(401);
  });
});

describe('an installation', () => {
  test('tells the web app where people sign in, and its document which tokens it takes', async () => {
    const options = await (await fetch(`${stack.url}/api/auth/options`)).json();
    expect(options).toEqual({
      demo: false,
      provider: {
        issuer: provider.issuer,
        clientId: 'web',
        scopes: 'openid profile email',
        params: { resource: AUDIENCE },
      },
    });
    const document = (await (await fetch(`${stack.url}/api/openapi.json`)).json()) as {
      components: { securitySchemes: { bearer: object } };
    };
    expect(document.components.securitySchemes.bearer).toMatchObject({
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'tk_… or JWT',
      description: expect.stringContaining('OIDC issuer'),
    });
  });

  test('starts while its issuer is away, and writes no token into its log', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'turnkeeper-oidc-'));
    const file = join(folder, 'log');
    const log = createLog({ name: 'test', level: 'trace', file });
    await provider.away();
    const other = await startTestStack(
      { OIDC_ISSUER: provider.issuer, OIDC_AUDIENCE: AUDIENCE },
      { works: false, log },
    );
    others.push(other);
    const held = await provider.sign({ sub: 'logged' });
    expect((await personAtUrl(other.url, 0, held).call('GET', '/api/me')).status).toBe(503);
    await provider.back();
    await until(async () => (await personAtUrl(other.url, 0, held).call('GET', '/api/me')).status === 200);
    expect(
      (await personAtUrl(other.url, 0, await provider.sign({ sub: 'logged', aud: 'other' })).call('GET', '/api/me'))
        .status,
    ).toBe(401);
    const logged = () => readFileSync(file, 'utf8');
    await until(() =>
      ['the issuer did not give its keys', 'a token of an issuer was refused', 'request ended'].every((words) =>
        logged().includes(words),
      ),
    );
    expect(logged()).not.toMatch(/eyJ|Bearer/);
    rmSync(folder, { recursive: true });
  });

  test('without an issuer takes no token of any', async () => {
    const other = await startTestStack({}, { works: false });
    others.push(other);
    expect((await personAtUrl(other.url, 0, await provider.sign({ sub: 'x' })).call('GET', '/api/me')).status).toBe(
      401,
    );
  });
});

test('a person whom the issuer calls an admin is one by its tokens only, never by a key', async () => {
  const { body } = await me(await token({ sub: 'chief', realm_access: { roles: ['turnkeeper-admin'] } }));
  const { token: key } = await createToken(stack.db.database, { userId: body.userId });
  expect((await me(key)).body).toMatchObject({ userId: body.userId, role: 'user' });
});

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
