import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import OpenAI from 'openai';
import { createToken } from '../../db/people/key-holders.ts';
import { MOST_LIVE_KEYS } from '../../domain/api-keys.ts';
import { Gate } from '../fake-model/scenario.ts';
import { readEvents } from '../support/events.ts';
import { personAtUrl, startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const MODEL = 'gpt-4.1-mini';
const OTHER = 'gpt-5-mini';
const ASK = { model: MODEL, messages: [{ role: 'user' as const, content: 'Say hello' }] };
let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

/** A key that a person made, and calls that come with it. */
async function keyOf(person: Person, settings: object = {}) {
  const { status, body } = await person.call('POST', '/api/keys', { name: 'test', ...settings });
  expect(status).toBe(201);
  return { keyId: body.keyId as number, held: personAtUrl(stack.url, person.userId, body.secret), key: body };
}

async function seen(person: Person, keyId: number) {
  const { body } = await person.call('GET', '/api/keys');
  return body.items.find((key: { keyId: number }) => key.keyId === keyId);
}

async function audited(keyId: number) {
  const { rows } = await sql<{ action: string; adminId: number; after: string | null }>`
    select action, admin_id::float8 as "adminId", after::text as after from audit_entries where target = ${`key:${keyId}`} order by id`.execute(
    stack.db.database.sql,
  );
  return rows;
}

describe('making', () => {
  test('the secret is told once, and its hash is kept; what was decided is shown, and audited without the name', async () => {
    const person = await stack.person();
    const settings = {
      name: '  LibreChat 서버 ',
      scopes: ['v1'],
      models: [OTHER],
      capTokens: 5_000,
      requestsPerMinute: 30,
      expiresAt: '2099-01-01T00:00:00.000Z',
    };
    const { keyId, key } = await keyOf(person, settings);
    expect(key).toMatchObject({
      ...settings,
      name: 'LibreChat 서버',
      capKind: 'period',
      secret: expect.stringMatching(/^tk_[\w-]{43}$/),
      state: 'live',
      usedTokens: 0,
      usedTotalTokens: 0,
      heldTokens: 0,
      previous: null,
      lastUsedAt: null,
      lastUsedFrom: null,
    });
    const { secret, ...shown } = key;
    expect(await seen(person, keyId)).toEqual(shown);
    const { rows } = await sql<{ row: string }>`select k::text as row from api_keys k where id = ${keyId}`.execute(
      stack.db.database.sql,
    );
    expect(rows[0]?.row).not.toContain(secret);
    expect(await audited(keyId)).toEqual([
      { action: 'key.create', adminId: person.userId, after: expect.not.stringContaining('LibreChat') },
    ]);
  });

  test.each([
    ['no name', {}, 'name'],
    ['a blank name', { name: ' ' }, 'name'],
    ['no scope', { scopes: [] }, 'scopes'],
    ['an unknown scope', { scopes: ['admin'] }, 'scopes.0'],
    ['a scope twice', { scopes: ['v1', 'v1'] }, 'scopes'],
    ['a model that is not offered', { models: ['gpt-none'] }, 'models'],
    ['no model', { models: [] }, 'models'],
    ['a cap of nothing', { capTokens: 0 }, 'capTokens'],
    ['half a token', { capTokens: 1.5 }, 'capTokens'],
    ['a kind without a cap', { capKind: 'total' }, 'capKind'],
    ['an end in the past', { expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    ['somebody else’s account', { accountId: 999_999 }, 'accountId'],
    ['what is not a setting', { role: 'admin' }, 'role'],
  ])('%s is 400 and names it', async (_name, settings, field) => {
    const person = await stack.person();
    const body = _name === 'no name' ? settings : { name: 'x', ...settings };
    const refused = await person.call('POST', '/api/keys', body);
    expect([refused.status, refused.body.code, refused.body.field]).toEqual([400, 'invalid_request', field]);
  });

  test('a person has at most 50 live ones, also when they ask for many at once; a revoked one makes room', async () => {
    const person = await stack.person();
    const { keyId } = await keyOf(person);
    await sql`insert into api_keys (user_id, account_id, token_hash, token_hint, name, scopes)
      select user_id, account_id, sha256(('filler ' || user_id || ' ' || n)::bytea), 'tk_', 'filler', scopes
      from api_keys, generate_series(1, ${MOST_LIVE_KEYS - 4}) n where id = ${keyId}`.execute(stack.db.database.sql);
    const many = await Promise.all(
      Array.from({ length: 8 }, (_, i) => person.call('POST', '/api/keys', { name: `at once ${i}` })),
    );
    expect(many.map(({ status }) => status).sort()).toEqual([201, 201, 201, 409, 409, 409, 409, 409]);
    expect(many.find(({ status }) => status === 409)?.body).toMatchObject({ code: 'too_many_keys', most: 50 });
    expect((await person.call('DELETE', `/api/keys/${keyId}`)).status).toBe(204);
    expect((await person.call('POST', '/api/keys', { name: 'again' })).status).toBe(201);
  });

  test('by who signed in alone: never by a key that a person made, nor by an operator’s key of somebody of an issuer', async () => {
    const person = await stack.person();
    const { keyId, held } = await keyOf(person);
    const tries = await Promise.all([
      held.call('POST', '/api/keys', { name: 'x' }),
      held.call('GET', '/api/keys'),
      held.call('PATCH', `/api/keys/${keyId}`, { scopes: ['chat'] }),
      held.call('POST', `/api/keys/${keyId}/rotate`, {}),
      held.call('DELETE', `/api/keys/${keyId}`),
    ]);
    for (const { status, body } of tries) expect([status, body.code]).toEqual([403, 'sign_in_required']);
    await sql`update users set issuer = 'https://issuer.test', subject = ${`s${person.userId}`}, claims_at = now() where id = ${person.userId}`.execute(
      stack.db.database.sql,
    );
    expect((await person.call('POST', '/api/keys', { name: 'x' })).body.code).toBe('sign_in_required');
  });

  test('one’s own alone: another person’s key is not found', async () => {
    const [person, stranger] = [await stack.person(), await stack.person('admin')];
    const { keyId } = await keyOf(person);
    const tries = await Promise.all([
      stranger.call('PATCH', `/api/keys/${keyId}`, { name: 'mine' }),
      stranger.call('POST', `/api/keys/${keyId}/rotate`, {}),
      stranger.call('DELETE', `/api/keys/${keyId}`),
      person.call('DELETE', '/api/keys/999999'),
      person.call('DELETE', '/api/keys/x'),
    ]);
    expect(tries.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
    expect((await person.call('PATCH', `/api/keys/${keyId}`, { name: 'mine' })).status).toBe(200);
  });
});

describe('what a key may', () => {
  test('is its scopes’, and an admin’s key is no admin; a key of the operator keeps what it may', async () => {
    const person = await stack.person('admin');
    const [chat, v1, read] = await Promise.all(
      ['chat', 'v1', 'read'].map(async (scope) => (await keyOf(person, { scopes: [scope] })).held),
    );
    const may = async (by: Person | undefined, method: string, path: string, body?: unknown) => {
      const answer = await by?.call(method, path, body);
      return answer?.status === 403 ? (answer.body.code ?? answer.body.error.turnkeeper.code) : answer?.status;
    };
    const calls = [
      ['POST', '/api/chat/send', { message: 'hi' }],
      ['POST', '/v1/chat/completions', ASK],
      ['GET', '/v1/models'],
      ['GET', '/api/me'],
      ['GET', '/api/ai-usage'],
      ['PATCH', '/api/me', { locale: 'en' }],
      ['GET', '/api/admin/audit'],
    ] as const;
    const rows = [];
    for (const [method, path, body] of calls)
      rows.push(await Promise.all([chat, v1, read, person].map((by) => may(by, method, path, body))));
    const no = 'insufficient_scope';
    expect(rows).toEqual([
      [200, no, no, 200],
      [no, 200, no, 200],
      [no, 200, no, 200],
      [no, no, 200, 200],
      [no, no, 200, 200],
      ['sign_in_required', 'sign_in_required', 'sign_in_required', 200],
      ['forbidden', 'forbidden', 'forbidden', 200],
    ]);
    expect((await v1?.call('GET', '/api/me'))?.body).toMatchObject({ requiredScope: 'read' });
  });

  test('is its models’: it sees and uses no other, at either door, and no retry gets around it', async () => {
    const person = await stack.person();
    const { held } = await keyOf(person, { models: [OTHER] });
    expect((await held.call('GET', '/v1/models')).body.data.map(({ id }: { id: string }) => id)).toEqual([OTHER]);
    expect((await held.call('GET', '/api/models')).body.items.map(({ name }: { name: string }) => name)).toEqual([
      OTHER,
    ]);
    expect((await held.call('GET', `/v1/models/${OTHER}`)).status).toBe(200);
    for (const refused of [
      await held.call('GET', `/v1/models/${MODEL}`),
      await held.call('POST', '/v1/chat/completions', ASK),
    ])
      expect([refused.status, refused.body.error.code]).toEqual([404, 'model_not_found']);
    expect((await held.call('POST', '/api/chat/send', { message: 'hi', model: MODEL })).body.code).toBe(
      'unknown_model',
    );
    // Without a name it is the first of its models.
    expect((await held.call('POST', '/api/chat/send', { message: 'hi' })).body.model).toBe(OTHER);
    stack.model.next({ status: 400, error: { code: 'invalid' } });
    const failed = await person.call('POST', '/api/chat/send', { message: 'hi', model: MODEL });
    expect(failed.body.code).toBe('model_rejected');
    const retry = `/api/chat/turns/${failed.body.turnId}/retry`;
    expect((await held.call('POST', retry)).body.code).toBe('unknown_model');
    expect((await person.call('POST', retry)).status).toBe(200);
  });

  test('has a rate of its own, which a client is told; other keys of the account go on', async () => {
    const person = await stack.person();
    const [{ held }, { held: other }] = [await keyOf(person, { requestsPerMinute: 2 }), await keyOf(person)];
    const first = await held.call('POST', '/v1/chat/completions', ASK);
    expect(first.headers.get('x-ratelimit-limit-requests')).toBe('2');
    expect(first.headers.get('x-ratelimit-remaining-requests')).toBe('1');
    expect((await held.call('POST', '/api/chat/send', { message: 'hi' })).status).toBe(200);
    const third = await held.call('POST', '/v1/chat/completions', ASK);
    expect([third.status, third.body.error.code]).toEqual([429, 'rate_limit_exceeded']);
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await other.call('POST', '/v1/chat/completions', ASK)).status).toBe(200);
    expect((await held.call('GET', '/v1/models')).status).toBe(200);
  });
});

test('is changed and rotated 200 times a day at most, because each leaves an audit entry; others go on', async () => {
  const [person, other] = [await stack.person(), await stack.person()];
  const { keyId } = await keyOf(person);
  const change = (by: Person, id: number, n: number) => by.call('PATCH', `/api/keys/${id}`, { name: `key ${n}` });
  for (let n = 0; n < 200; n += 1) expect((await change(person, keyId, n)).status).toBe(200);
  const refused = [
    await change(person, keyId, 200),
    await person.call('POST', `/api/keys/${keyId}/rotate`, { overlapSeconds: 0 }),
  ];
  expect(refused.map(({ status, body }) => [status, body.code])).toEqual(Array(2).fill([429, 'rate_limited']));
  expect(await audited(keyId)).toHaveLength(201);
  expect((await change(other, (await keyOf(other)).keyId, 0)).status).toBe(200);
  expect((await person.call('DELETE', `/api/keys/${keyId}`)).status).toBe(204);
});

describe('a cap', () => {
  /** Tokens of the key's live holds and debits, read at once. */
  async function takenBy(keyId: number): Promise<number> {
    const { rows } = await sql<{ taken: number }>`select (
        (select coalesce(sum(h.tokens), 0) from holds h join turns t on t.id = h.turn_id where t.api_key_id = ${keyId} and h.ended_at is null)
        + (select coalesce(sum(l.tokens), 0) from ledger_entries l join turns t on t.id = l.turn_id where t.api_key_id = ${keyId}))::float8 as taken`.execute(
      stack.db.database.sql,
    );
    return rows[0]?.taken ?? 0;
  }

  test('is never passed by holds and debits, however many requests run at once over both doors (control: without one)', async () => {
    const person = await stack.person();
    const capTokens = 4_000;
    const [capped, free] = [await keyOf(person, { capTokens }), await keyOf(person)];
    const gate = new Gate('request');
    // Every call waits, so that all holds that were ever made stand at once.
    stack.model.always({ gate });
    try {
      const ask = (by: Person, i: number) =>
        i % 2 === 0
          ? by.call('POST', '/v1/chat/completions', { ...ASK, max_tokens: 900 })
          : by.call('POST', '/api/chat/send', { message: 'hi', maxOutputTokens: 900 });
      const racing = Promise.all(Array.from({ length: 24 }, (_, i) => ask(i % 3 === 0 ? free.held : capped.held, i)));
      await until(async () => {
        const { rows } = await sql<{ live: number }>`select count(*)::int as live from turns
          where api_key_id in (${capped.keyId}, ${free.keyId}) and state in ('accepted', 'running') and admitted_at is null`.execute(
          stack.db.database.sql,
        );
        const { rows: all } = await sql<{
          made: number;
        }>`select count(*)::int as made from turns where api_key_id in (${capped.keyId}, ${free.keyId})`.execute(
          stack.db.database.sql,
        );
        return rows[0]?.live === 0 && all[0]?.made === 24;
      });
      const taken = await takenBy(capped.keyId);
      expect(taken).toBeGreaterThan(capTokens - 1_000);
      expect(taken).toBeLessThanOrEqual(capTokens);
      // Control: what has no cap takes more, in the same race.
      expect(await takenBy(free.keyId)).toBeGreaterThan(capTokens);
      gate.open();
      const answers = await racing;
      const refused = answers.filter(({ status }) => status !== 200);
      expect(new Set(refused.map(({ status, body }) => `${status} ${body.code ?? body.error.code}`))).toEqual(
        new Set(['409 tokens_held', '429 rate_limit_exceeded']),
      );
      expect(refused).not.toHaveLength(0);
    } finally {
      gate.open();
      stack.model.always({});
    }
    expect(await seen(person, capped.keyId)).toMatchObject({
      usedTokens: await takenBy(capped.keyId),
      heldTokens: 0,
    });
  });

  test('that is reached is 402 with its figures at either door, which no client tries again; raised, it lets on', async () => {
    const person = await stack.person();
    const { keyId, held } = await keyOf(person, { capTokens: 600, capKind: 'total' });
    stack.model.next({ usage: { promptTokens: 300, completionTokens: 290 } });
    expect((await held.call('POST', '/v1/chat/completions', { ...ASK, max_tokens: 300 })).status).toBe(200);
    const { usedTokens } = await seen(person, keyId);
    expect(usedTokens).toBeGreaterThan(0);
    await sql`update key_usage set used_tokens = 600 where key_id = ${keyId}`.execute(stack.db.database.sql);
    const before = await countTurns(person);
    const refused = await held.call('POST', '/api/chat/send', { message: 'hi' });
    const figures = { keyId, capTokens: 600, capKind: 'total', usedTokens: 600, remainingTokens: 0, resetsAt: null };
    expect([refused.status, refused.body]).toMatchObject([402, { code: 'KEY_CAP_REACHED', ...figures }]);
    let requests = 0;
    const client = new OpenAI({
      apiKey: held.token,
      baseURL: `${stack.url}/v1`,
      maxRetries: 3,
      fetch: (input, init) => ((requests += 1), fetch(input, init)),
    });
    await expect(client.chat.completions.create(ASK)).rejects.toMatchObject({
      status: 402,
      code: 'insufficient_quota',
      type: 'insufficient_quota',
      error: { message: expect.stringContaining('한도'), turnkeeper: { code: 'KEY_CAP_REACHED', ...figures } },
    });
    expect(requests).toBe(1);
    // Nothing is written for what is refused at the door, and the person's own sends go on.
    expect(await countTurns(person)).toBe(before);
    expect((await person.call('POST', '/api/chat/send', { message: 'hi' })).status).toBe(200);
    expect((await person.call('PATCH', `/api/keys/${keyId}`, { capTokens: null })).body).toMatchObject({
      capTokens: null,
      capKind: null,
    });
    expect((await held.call('POST', '/api/chat/send', { message: 'hi' })).status).toBe(200);
  });

  test('of a period begins anew with the account’s next one; of a key’s life it does not', async () => {
    const person = await stack.person();
    const keys = await Promise.all(
      (['period', 'total'] as const).map((capKind) => keyOf(person, { capTokens: 3_000, capKind })),
    );
    for (const { held, keyId } of keys) {
      expect((await held.call('POST', '/v1/chat/completions', ASK)).status).toBe(200);
      await sql`update key_usage set used_tokens = 3000 where key_id = ${keyId}`.execute(stack.db.database.sql);
      expect((await held.call('POST', '/v1/chat/completions', ASK)).status).toBe(402);
    }
    // The period of now becomes the one before.
    await sql`update periods set label = '2020-01', starts_at = starts_at - interval '2 years', ends_at = now() - interval '1 second'
      where account_id = (select id from accounts where user_id = ${person.userId})`.execute(stack.db.database.sql);
    const after = await Promise.all(keys.map(({ held }) => held.call('POST', '/v1/chat/completions', ASK)));
    expect(after.map(({ status }) => status)).toEqual([200, 402]);
    expect(await seen(person, keys[0]?.keyId ?? 0)).toMatchObject({ usedTokens: expect.any(Number), turns: 1 });
  });

  test('is told in the head of an answer where it leaves less than the account; without one the account is', async () => {
    const person = await stack.person();
    const tokensLeft = async ({ held }: { held: Person }) => {
      const { headers } = await held.call('POST', '/v1/chat/completions', { ...ASK, max_tokens: 300 });
      return ['limit', 'remaining'].map((what) => Number(headers.get(`x-ratelimit-${what}-tokens`)));
    };
    const [limit = 0, remaining = 0] = await tokensLeft(await keyOf(person, { capTokens: 5_000 }));
    expect(limit).toBe(5_000);
    // The answer's own hold is taken off.
    expect(remaining).toBeLessThan(5_000 - 300);
    expect(remaining).toBeGreaterThan(5_000 - 1_000);
    expect((await tokensLeft(await keyOf(person)))[0]).toBe(105_000);
  });

  test('little is left of: what fits is clamped, what does not is refused and names the cap', async () => {
    const person = await stack.person();
    const { keyId, held } = await keyOf(person, { capTokens: 700 });
    const clamped = await held.call('POST', '/v1/chat/completions', { ...ASK, max_tokens: 2_000 });
    expect(clamped.status).toBe(200);
    expect(Number(clamped.headers.get('x-turnkeeper-max-output-tokens'))).toBeLessThan(700);
    await sql`update key_usage set used_tokens = 500 where key_id = ${keyId}`.execute(stack.db.database.sql);
    const refused = await held.call('POST', '/v1/chat/completions', ASK);
    expect([refused.status, refused.body.error.turnkeeper]).toMatchObject([
      402,
      { code: 'KEY_CAP_REACHED', remainingTokens: 200 },
    ]);
  });

  async function countTurns({ userId }: Person): Promise<number> {
    const { rows } = await sql<{
      count: number;
    }>`select count(*)::int as count from turns where user_id = ${userId}`.execute(stack.db.database.sql);
    return rows[0]?.count ?? 0;
  }
});

describe('an end', () => {
  test('rotation: both secrets are good for the overlap, streams of the one before end with it', async () => {
    const person = await stack.person();
    const { keyId, held, key } = await keyOf(person);
    const feed = readEvents(await held.raw('GET', '/api/events'));
    const rotated = await person.call('POST', `/api/keys/${keyId}/rotate`, { overlapSeconds: 3_600 });
    expect(rotated.body).toMatchObject({
      keyId,
      secret: expect.stringMatching(/^tk_/),
      previous: { hint: key.hint, endsAt: expect.any(String) },
    });
    const renewed = personAtUrl(stack.url, person.userId, rotated.body.secret);
    const open = async (by: Person) => (await by.call('GET', '/api/me')).status;
    expect([await open(held), await open(renewed)]).toEqual([200, 200]);
    const again = await person.call('POST', `/api/keys/${keyId}/rotate`, {});
    expect([again.status, again.body.code]).toEqual([409, 'key_rotating']);
    // A leaked secret is ended at once.
    const urgent = await person.call('POST', `/api/keys/${keyId}/rotate`, { overlapSeconds: 0 });
    expect(urgent.body.previous).toBeNull();
    await feed;
    expect([await open(held), await open(renewed)]).toEqual([401, 401]);
    expect(await open(personAtUrl(stack.url, person.userId, urgent.body.secret))).toBe(200);
    expect((await audited(keyId)).map(({ action }) => action)).toEqual(['key.create', 'key.rotate', 'key.rotate']);
  });

  test('an overlap that is over lets nobody in', async () => {
    const person = await stack.person();
    const { keyId, held } = await keyOf(person);
    await person.call('POST', `/api/keys/${keyId}/rotate`, { overlapSeconds: 1 });
    await until(async () => (await held.call('GET', '/api/me')).status === 401);
    expect((await seen(person, keyId)).previous).toBeNull();
  });

  test('revoked: 401 at once; a stream of /v1 ends within 5 s and its turn pays what came, an answer asked for whole comes', async () => {
    const person = await stack.person();
    const { keyId, held } = await keyOf(person);
    const [streamGate, wholeGate] = [new Gate(2), new Gate('finish')];
    stack.model.next({ gate: streamGate, chunks: ['one ', 'two ', 'three'] });
    const client = new OpenAI({ apiKey: held.token, baseURL: `${stack.url}/v1`, maxRetries: 0 });
    const stream = await client.chat.completions.create({ ...ASK, stream: true });
    await streamGate.reached;
    stack.model.next({ gate: wholeGate, chunks: ['whole'] });
    const whole = held.call('POST', '/v1/chat/completions', ASK);
    await wholeGate.reached;
    let text = '';
    const reading = (async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    })();
    reading.catch(() => {});
    const revokedAt = performance.now();
    expect((await person.call('DELETE', `/api/keys/${keyId}`)).status).toBe(204);
    expect((await held.call('GET', '/v1/models')).status).toBe(401);
    await expect(reading).rejects.toMatchObject({ code: 'invalid_api_key' });
    expect(performance.now() - revokedAt).toBeLessThan(5_000);
    expect(text).toBe('one ');
    wholeGate.open();
    const answer = await whole;
    expect([answer.status, answer.body.choices?.[0].message.content]).toEqual([200, 'whole']);
    streamGate.open();
    const books = async () => {
      const { rows } = await sql<{ state: string; debits: number }>`select state,
          (select count(*)::int from ledger_entries where turn_id = t.id) as debits from turns t where api_key_id = ${keyId} order by created_at`.execute(
        stack.db.database.sql,
      );
      return rows;
    };
    await until(async () => (await books()).every(({ state }) => state !== 'running'));
    expect(await books()).toEqual([
      { state: 'stopped', debits: 1 },
      { state: 'completed', debits: 1 },
    ]);
    expect((await person.call('GET', '/api/keys?revoked=true')).body.items).toMatchObject([
      { keyId, state: 'revoked', turns: 2, revokedAt: expect.any(String) },
    ]);
    // Again changes nothing; a revoked key is changed no more.
    expect((await person.call('DELETE', `/api/keys/${keyId}`)).status).toBe(204);
    expect((await person.call('PATCH', `/api/keys/${keyId}`, { name: 'x' })).status).toBe(404);
    expect((await audited(keyId)).map(({ action }) => action)).toEqual(['key.create', 'key.revoke']);
  });

  test('expired: 401 at the next request, and a later end lets it in again', async () => {
    const person = await stack.person();
    const { keyId, held } = await keyOf(person, { expiresAt: new Date(Date.now() + 60_000).toISOString() });
    expect((await held.call('GET', '/api/me')).status).toBe(200);
    await sql`update api_keys set expires_at = now() where id = ${keyId}`.execute(stack.db.database.sql);
    expect((await held.call('GET', '/api/me')).status).toBe(401);
    expect((await seen(person, keyId)).state).toBe('expired');
    expect((await person.call('PATCH', `/api/keys/${keyId}`, { expiresAt: null })).body.state).toBe('live');
    expect((await held.call('GET', '/api/me')).status).toBe(200);
  });
});

test('where it was used last is a network, also behind a proxy, and nobody’s address', async () => {
  const person = await stack.person();
  const uses = [
    ['203.0.113.77', '203.0.113.0/24'],
    ['198.51.100.9, 203.0.113.77:5123', '203.0.113.0/24'],
    ['203.0.113.77, 10.1.2.3', '203.0.113.0/24'],
    ['2001:db8:7:1::9', '2001:db8:7::/48'],
    ['nonsense', '127.0.0.0/24'],
  ] as const;
  for (const [forwarded, shown] of uses) {
    const { keyId, held } = await keyOf(person);
    await held.call('GET', '/api/me', undefined, { 'x-forwarded-for': forwarded });
    expect(await seen(person, keyId)).toMatchObject({ lastUsedFrom: shown, lastUsedAt: expect.any(String) });
  }
});

test('a key of the operator is not among a person’s, and nothing of it changes', async () => {
  const person = await stack.person('admin');
  const { tokenId, token } = await createToken(stack.db.database, { userId: person.userId });
  expect((await person.call('GET', '/api/keys')).body.items).toEqual([]);
  expect((await person.call('DELETE', `/api/keys/${tokenId}`)).status).toBe(404);
  const held = personAtUrl(stack.url, person.userId, token);
  expect((await held.call('GET', '/api/admin/audit')).status).toBe(200);
  expect((await held.call('PATCH', '/api/me', { locale: 'ko' })).status).toBe(200);
});

test('a suspended person makes no key, but may revoke one', async () => {
  const [admin, person] = [await stack.person('admin'), await stack.person()];
  const { keyId } = await keyOf(person);
  await admin.call('POST', `/api/admin/users/${person.userId}/suspend`, { reason: 'test' });
  expect((await person.call('POST', '/api/keys', { name: 'x' })).body.code).toBe('account_suspended');
  expect((await person.call('DELETE', `/api/keys/${keyId}`)).status).toBe(204);
});
