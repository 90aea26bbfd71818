import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { lockRows } from '../support/lock.ts';
import { mailingBy, startTestMail, type TestMail } from '../support/mail.ts';
import { personAtUrl, startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

let mail: TestMail;
let stack: TestStack;
let admin: Person;
beforeAll(async () => {
  mail = await startTestMail();
  stack = await startTestStack(mailingBy(mail));
  admin = await stack.person('admin');
});
afterAll(async () => {
  await stack.close();
  await mail.close();
});

const make = async (body: object) => (await admin.call('POST', '/api/admin/users', body)).body.userId as number;
const invite = (userId: number, by = 'link') => admin.call('POST', `/api/admin/users/${userId}/invitations`, { by });
const accept = (token: string) => admin.call('POST', '/api/invitations/accept', { token });
const tokenOf = (url: string) => new URL(url).hash.slice(1);
const found = async (query: string) =>
  (await admin.call('GET', `/api/admin/users?${query}`)).body.items.map(({ userId }: Person) => userId);
const auditOf = async (userId: number) =>
  (await admin.call('GET', `/api/admin/audit?target=user:${userId}`)).body.items;

describe('an admin makes a person', () => {
  test('who is found by number, e-mail and name, has no key yet, and stands in the audit log without their name', async () => {
    const made = await admin.call('POST', '/api/admin/users', {
      email: 'Minji@People.example',
      name: '  김민지\u3000(CS) ',
      role: 'admin',
      locale: 'en',
      timeZone: 'Asia/Tokyo',
    });
    expect([made.status, made.headers.get('location')]).toEqual([201, `/api/admin/users/${made.body.userId}`]);
    const { userId } = made.body;
    expect(made.body).toMatchObject({
      email: 'minji@people.example',
      name: '김민지 (CS)',
      role: 'admin',
      locale: 'en',
      timeZone: 'Asia/Tokyo',
      lastSeenAt: null,
      usedTokens: 0,
      usagePercent: 0,
      level: 'NORMAL',
    });
    const other = await make({ name: '김민수' });
    for (const [who, whom] of [
      [String(userId), [userId]],
      ['minji@', [userId]],
      ['MINJI', [userId]],
      ['김민', [userId, other]],
      ['김민'.normalize('NFD'), [userId, other]],
      ['민지', []],
      ['%', []],
      ['%27', []],
    ] as const)
      expect([who, await found(`who=${encodeURIComponent(who)}`)]).toEqual([who, whom]);
    expect(await found('who=김민&role=admin')).toEqual([userId]);
    expect((await admin.call('GET', `/api/admin/users/${userId}/keys`)).body.items).toEqual([]);
    expect(await auditOf(userId)).toMatchObject([
      {
        action: 'user.create',
        admin: { userId: admin.userId },
        about: { userId, name: '김민지 (CS)', email: 'minji@people.example' },
        after: { role: 'admin' },
      },
    ]);
    const kept = await sql`select before, after from audit_entries where target = ${`user:${userId}`}`.execute(
      stack.db.database.sql,
    );
    expect(JSON.stringify(kept.rows)).not.toMatch(/김민지|minji/);
  });

  test.each([
    [{}, 'email'],
    [{ email: 'no address' }, 'email'],
    [{ email: 'taken@people.example' }, 'email'],
    [{ name: '\u200B' }, 'name'],
    [{ name: 'a\u202Eb' }, 'name'],
    [{ name: '가'.repeat(101) }, 'name'],
    [{ name: 'a', timeZone: 'Mars/Base' }, 'timeZone'],
    [{ name: 'a', role: 'root' }, 'role'],
    [{ name: 'a', admin: true }, 'admin'],
  ])('but not with %j, which is refused by its field', async (body, field) => {
    await admin.call('POST', '/api/admin/users', { email: 'taken@people.example' });
    const answer = await admin.call('POST', '/api/admin/users', body);
    expect([answer.status, answer.body.code, answer.body.field]).toEqual([400, 'invalid_request', field]);
  });

  test('whose role another admin changes, with a reason; one’s own, and an issuer’s person’s, stays', async () => {
    const userId = await make({ email: 'role@people.example' });
    const change = (id: number, body: object) =>
      admin.call('PATCH', `/api/admin/users/${id}`, { reason: '담당', ...body });
    expect((await change(userId, { role: 'admin', name: '박' })).body).toMatchObject({ role: 'admin', name: '박' });
    expect((await change(userId, { name: null })).body).toMatchObject({ role: 'admin', name: null });
    expect((await auditOf(userId))[1]).toMatchObject({
      action: 'user.update',
      reason: '담당',
      before: { role: 'user' },
      after: { role: 'admin', nameChanged: true },
    });
    expect((await change(admin.userId, { role: 'user' })).body).toMatchObject({
      code: 'invalid_request',
      field: 'role',
    });
    await sql`update users set issuer = 'https://id.example', subject = 's', claims_at = now() where id = ${userId}`.execute(
      stack.db.database.sql,
    );
    expect((await change(userId, { role: 'user' })).body).toMatchObject({ code: 'invalid_request', field: 'role' });
    expect((await invite(userId)).body).toMatchObject({ code: 'invalid_request', field: 'userId' });
  });

  test('two admins who take each other’s role at once: one stays an admin', async () => {
    const [one, other] = [await stack.person('admin'), await stack.person('admin')];
    const lock = await lockRows(
      stack.db.url,
      'select 1 from users where id = any($1)',
      [[one.userId, other.userId]],
      'no key update',
    );
    const take = (from: Person, whose: Person) =>
      from.call('PATCH', `/api/admin/users/${whose.userId}`, { role: 'user', reason: 'x' });
    const both = Promise.all([take(one, other), take(other, one)]);
    await until(() => lock.isWanted(2));
    await lock.release();
    expect((await both).map(({ status }) => status).toSorted()).toEqual([200, 403]);
    expect((await auditOf(one.userId)).length + (await auditOf(other.userId)).length).toBe(1);
  });
});

describe('an invitation', () => {
  test('by a link lets in once: another key while the first was not used, and never again after that', async () => {
    const userId = await make({ email: 'link@people.example' });
    const { status, body } = await invite(userId);
    expect([status, body.sentTo, body.url]).toEqual([
      201,
      null,
      expect.stringMatching(/^https:\/\/chat\.example\/invite#[\w-]+\.[\w-]{24}$/),
    ]);
    const token = tokenOf(body.url);
    const lost = (await accept(token)).body;
    const given = (await accept(token)).body;
    expect([lost.userId, given.userId]).toEqual([userId, userId]);
    expect((await personAtUrl(stack.url, 0, lost.token).call('GET', '/api/me')).status).toBe(401);
    const me = personAtUrl(stack.url, userId, given.token);
    expect((await me.call('GET', '/api/me')).body).toMatchObject({ userId });
    // It is their sign-in, by which they make keys of their own.
    expect((await me.call('POST', '/api/keys', { name: 'LibreChat' })).status).toBe(201);
    expect((await accept(token)).body.code).toBe('not_found');
    const [person] = (await admin.call('GET', `/api/admin/users?userId=${userId}`)).body.items;
    expect(person.lastSeenAt).toEqual(expect.any(String));
    // A link that an admin could copy proves nothing about a mailbox.
    expect((await me.call('GET', '/api/me/notification-preferences')).body.email.address).toBeNull();
  });

  test('by mail confirms its mailbox; the admin sees no link of it', async () => {
    const userId = await make({ email: 'mail@people.example', locale: 'en' });
    const { body } = await invite(userId, 'mail');
    expect([body.url, body.sentTo]).toEqual([null, 'mail@people.example']);
    await until(() => mail.received.some(({ to }) => to.includes('mail@people.example')));
    const [letter] = mail.received.filter(({ to }) => to.includes('mail@people.example'));
    expect(letter?.header('Subject')).toBe('[Turnkeeper] You are invited');
    const [, token = ''] = /https:\/\/chat\.example\/invite#([\w.-]+)/.exec(letter?.text ?? '') ?? [];
    const { body: given } = await accept(token);
    const me = personAtUrl(stack.url, userId, given.token);
    expect((await me.call('GET', '/api/me/notification-preferences')).body.email.address).toBe('mail@people.example');
    const { rows } = await sql<{
      figures: object;
    }>`select figures from notifications where user_id = ${userId}`.execute(stack.db.database.sql);
    expect(JSON.stringify(rows)).not.toContain(token);
  });

  test('is good no more once another was made, after its time, or for another purpose; five a day, and none without mail', async () => {
    const userId = await make({ email: 'again@people.example' });
    const first = tokenOf((await invite(userId)).body.url);
    const second = tokenOf((await invite(userId)).body.url);
    expect([(await accept(first)).status, (await accept(second)).status]).toEqual([404, 201]);
    const third = tokenOf((await invite(userId)).body.url);
    await sql`update invitations set expires_at = now() - interval '1 second' where user_id = ${userId} and ended_at is null`.execute(
      stack.db.database.sql,
    );
    expect((await accept(third)).status).toBe(404);
    // The same id signed as if it had come by mail is another token.
    const [encoded = ''] = third.split('.');
    const forged = Buffer.from(Buffer.from(encoded, 'base64url').toString().replace('/link', '/mail')).toString(
      'base64url',
    );
    expect((await accept(`${forged}.${third.split('.')[1]}`)).status).toBe(404);
    expect((await accept('x')).status).toBe(404);
    await invite(userId);
    await invite(userId);
    expect((await invite(userId)).body.code).toBe('rate_limited');
    expect((await invite(await make({ name: '주소 없음' }), 'mail')).body).toMatchObject({ field: 'by' });
    expect((await invite(999_999)).body.code).toBe('not_found');
  });
});

test('people are listed in each order, page by page, each once', async () => {
  const made = [];
  for (const email of ['b@order.example', 'a@order.example', null, 'C@order.example'])
    made.push(await make({ email, name: '순서' }));
  const [b, a, none, c] = made;
  await sql`update users set last_seen_at = now() - id * interval '1 day' where id in (${b}, ${c})`.execute(
    stack.db.database.sql,
  );
  for (const [userId, usagePercent] of [
    [a, 20],
    [c, 50],
  ] as const)
    await admin.call('POST', '/api/ai-usage/test-usage', { userId, usagePercent });
  const all = async (sort: string) => {
    const ids = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { body: any } = await admin.call(
        'GET',
        `/api/admin/users?who=순서&limit=1&sort=${sort}${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      ids.push(...page.body.items.map(({ userId }: Person) => userId));
      cursor = page.body.nextCursor;
    }
    return ids;
  };
  for (const [sort, order] of [
    ['number', [b, a, none, c]],
    ['-number', [c, none, a, b]],
    ['email', [none, a, b, c]],
    ['-email', [c, b, a, none]],
    ['lastSeen', [a, none, c, b]],
    ['-lastSeen', [b, c, none, a]],
    ['usedTokens', [b, none, a, c]],
    ['-usedTokens', [c, a, none, b]],
  ] as const) {
    expect([sort, await all(sort)]).toEqual([sort, order]);
    const csv = await admin.raw('GET', `/api/admin/users?who=순서&sort=${sort}`, undefined, { accept: 'text/csv' });
    const lines = (await csv.text()).trim().split('\r\n').slice(1);
    expect([sort, lines.map((line) => Number(line.split(',')[0]))]).toEqual([sort, order]);
  }
  const { nextCursor } = (await admin.call('GET', '/api/admin/users?limit=1&sort=email')).body;
  for (const other of ['number', 'lastSeen', 'usedTokens'])
    expect((await admin.call('GET', `/api/admin/users?sort=${other}&cursor=${nextCursor}`)).body).toMatchObject({
      code: 'invalid_request',
      field: 'cursor',
    });
});

test('an admin sees a person’s keys and revokes one, with a reason that the log keeps', async () => {
  const person = await stack.person();
  const { body: own } = await person.call('POST', '/api/keys', { name: 'bot' });
  const path = `/api/admin/users/${person.userId}/keys`;
  const { body } = await admin.call('GET', path);
  expect(body.items).toMatchObject([
    { keyId: own.keyId, name: 'bot', state: 'live' },
    { name: null, scopes: null, state: 'live' },
  ]);
  expect(JSON.stringify(body)).not.toContain(own.secret);
  const revoke = (keyId: number, userId = person.userId) =>
    admin.call('POST', `/api/admin/users/${userId}/keys/${keyId}/revoke`, { reason: '유출' });
  expect([
    (await revoke(own.keyId, admin.userId)).status,
    (await revoke(own.keyId)).status,
    (await revoke(own.keyId)).status,
  ]).toEqual([404, 204, 204]);
  expect((await personAtUrl(stack.url, 0, own.secret).call('GET', '/api/me')).status).toBe(401);
  expect((await person.call('GET', '/api/me')).status).toBe(200);
  expect(
    (await admin.call('GET', `/api/admin/audit?target=key:${own.keyId}&action=key.revoke`)).body.items,
  ).toMatchObject([{ reason: '유출', adminId: admin.userId, about: { userId: person.userId } }]);
  expect((await admin.call('GET', `${path}?revoked=true`)).body.items).toMatchObject([{ keyId: own.keyId }]);
});

test('each list of an admin names the people of its rows, and a grant says what is left of it', async () => {
  const userId = await make({ email: 'named@people.example', name: '이름' });
  const token = tokenOf((await invite(userId)).body.url);
  const person = personAtUrl(stack.url, userId, (await accept(token)).body.token);
  await person.call('POST', '/api/chat/send', { message: '질문' });
  const named = { userId, name: '이름', email: 'named@people.example', emailLookAlikes: [] };
  const [turn] = (await admin.call('GET', `/api/admin/turns?userId=${userId}`)).body.items;
  expect(turn.person).toEqual(named);
  expect((await admin.call('GET', `/api/admin/turns/${turn.turnId}`)).body.person).toEqual(named);
  expect((await admin.call('GET', `/api/admin/users/${userId}`)).body.ledger.items[0]).toMatchObject({
    kind: 'debit',
    leftTokens: null,
  });
  const grant = async (path: string, tokens: number) =>
    (await admin.call('POST', path, { tokens, reason: 'r' }, { 'idempotency-key': `${path}-${tokens}` })).body;
  const { entryId } = await grant(`/api/admin/users/${userId}/grants`, 100);
  await grant(`/api/admin/grants/${entryId}/reversals`, 30);
  await grant(`/api/admin/grants/${entryId}/reversals`, 20);
  const { ledger } = (await admin.call('GET', `/api/admin/users/${userId}`)).body;
  expect(ledger.items.map(({ leftTokens }: { leftTokens: number }) => leftTokens)).toEqual([null, null, 50, null]);
  const { items } = (await admin.call('GET', `/api/admin/audit?target=ledger_entry:${entryId}`)).body;
  expect(items[0]).toMatchObject({ admin: { userId: admin.userId }, about: named });
});

test('an admin sees each model that is or was on offer, with its rate and what failed of it', async () => {
  await sql`insert into model_rates (model, version, input, cached_input, output) values ('gone', 1, 1500, 375, 6000)`.execute(
    stack.db.database.sql,
  );
  const person = await stack.person();
  stack.model.next({ status: 400, error: { code: 'model_broken' } });
  const send = async (message: string) =>
    (await person.call('POST', '/api/chat/send', { message, model: 'gpt-4.1-mini' })).status;
  expect([await send('실패'), await send('성공')]).toEqual([502, 200]);
  const { items } = (await admin.call('GET', '/api/admin/models')).body;
  const { items: offered } = (await admin.call('GET', '/api/models')).body;
  expect(items.map((item: any) => [item.model, item.isInCatalogue, item.isOffered])).toEqual([
    ...offered.map(({ name }: { name: string }) => [name, true, true]),
    ['gone', false, false],
  ]);
  const { turns, failed, errorPercent } = items.find(({ model }: { model: string }) => model === 'gpt-4.1-mini');
  expect([failed, turns >= 2, errorPercent]).toEqual([1, true, Math.round((failed / turns) * 10_000) / 100]);
  expect(items.at(-1)).toMatchObject({ rate: { input: 1500, output: 6000, version: 1 }, errorPercent: null });
  // Halfway between two neighbours, as a percentile is read; turns of two days ago count no more.
  await sql`update attempts a set first_delta_ms = 100 * n from (
      select turn_id, number, row_number() over (order by turn_id) as n from attempts join turns t on t.id = turn_id
      where t.model = 'gpt-4.1-mini' and number = answer_attempt
    ) o where o.turn_id = a.turn_id and o.number = a.number`.execute(stack.db.database.sql);
  const timed = turns - failed;
  const [first] = (await admin.call('GET', '/api/admin/models')).body.items;
  expect(first.firstDelta).toEqual({
    turns: timed,
    p50Ms: 100 * (1 + 0.5 * (timed - 1)),
    p95Ms: Math.round(100 * (1 + 0.95 * (timed - 1))),
  });
  await sql`update turns set created_at = created_at - interval '2 days' where model = 'gpt-4.1-mini'`.execute(
    stack.db.database.sql,
  );
  expect((await admin.call('GET', '/api/admin/models')).body.items[0]).toMatchObject({ turns: 0, firstDelta: null });
});

test('a model that an admin switches off takes nothing new, and what was asked of it before stays', async () => {
  const person = await stack.person();
  const [, name] = (await person.call('GET', '/api/models')).body.items.map((item: { name: string }) => item.name);
  const send = (turnId: string, message = '질문') =>
    person.call('POST', '/api/chat/send', { message, model: name, turnId });
  const [done, failed] = [crypto.randomUUID(), crypto.randomUUID()];
  expect((await send(done)).status).toBe(200);
  stack.model.next({ status: 400 });
  expect((await send(failed)).status).toBe(502);
  const change = (model: string, isOn: boolean, by = admin) =>
    by.call('PATCH', `/api/admin/models/${model}`, { isOn, reason: '비용 확인' });
  const off = await change(name, false);
  expect([off.status, off.body]).toEqual([
    200,
    expect.objectContaining({ model: name, isInCatalogue: true, isOffered: false, offSince: expect.any(String) }),
  ]);
  for (const path of ['/api/models', '/v1/models'])
    expect(JSON.stringify((await person.call('GET', path)).body)).not.toContain(name);
  expect((await person.call('GET', `/v1/models/${name}`)).status).toBe(404);
  const door = await person.call('POST', '/v1/chat/completions', {
    model: name,
    messages: [{ role: 'user', content: 'x' }],
  });
  expect([door.status, door.body.error.code]).toEqual([404, 'model_not_found']);
  for (const refused of [
    await send(crypto.randomUUID()),
    await person.call('POST', '/api/chat/estimate', { message: '질문', model: name }),
    await person.call('POST', `/api/chat/turns/${failed}/retry`, {}),
  ])
    expect([refused.status, refused.body]).toEqual([
      400,
      expect.objectContaining({ code: 'unknown_model', field: 'model' }),
    ]);
  const asked = stack.model.requests.length;
  expect([(await send(done)).body.state, (await send(failed)).body.code]).toEqual(['completed', 'model_rejected']);
  expect((await send(done, '다른 질문')).body.code).toBe('idempotency_conflict');
  expect(stack.model.requests.length).toBe(asked);
  // An admin may still replay.
  const replay = await admin.call('POST', `/api/admin/turns/${failed}/replay`, { reason: 'r' });
  expect(replay.status).toBe(202);
  await until(async () => (await person.call('GET', `/api/chat/turns/${failed}`)).body.state === 'completed');
  // The default is the first that is on, and one always is: of two who switch off the last two, one is refused.
  const [{ model: first }] = (await admin.call('GET', '/api/admin/models')).body.items;
  expect((await change(name, true)).body).toMatchObject({ isOffered: true, offSince: null });
  const race = await Promise.all([change(first, false), change(name, false)]);
  expect(race.map(({ status }) => status).sort()).toEqual([200, 400]);
  expect(race.find(({ status }) => status === 400)?.body).toMatchObject({ code: 'invalid_request', field: 'isOn' });
  const [left] = (await person.call('GET', '/api/models')).body.items;
  expect([left.default, [first, name].includes(left.name)]).toEqual([true, true]);
  expect((await person.call('POST', '/api/chat/send', { message: '기본' })).body.model).toBe(left.name);
  for (const model of [first, name]) expect((await change(model, true)).status).toBe(200);
  expect((await change('nobody', true)).status).toBe(404);
  const of = async (query: string) => (await admin.call('GET', `/api/admin/audit?${query}`)).body.items;
  const entries = await of('action=model.switch_off');
  expect([entries.length, (await of('action=model.switch_on')).length]).toEqual([2, 2]);
  expect(entries.at(-1)).toMatchObject({
    reason: '비용 확인',
    target: `model:${name}`,
    before: { isOn: true },
    after: { isOn: false },
  });
});

test('none of it is for others', async () => {
  const person = await stack.person();
  for (const [method, path, body] of [
    ['POST', '/api/admin/users', { name: 'x' }],
    ['PATCH', `/api/admin/users/${person.userId}`, { role: 'admin', reason: 'r' }],
    ['POST', `/api/admin/users/${person.userId}/invitations`, { by: 'link' }],
    ['GET', `/api/admin/users/${person.userId}/keys`, undefined],
    ['GET', '/api/admin/models', undefined],
    ['PATCH', '/api/admin/models/gpt-5-mini', { isOn: false, reason: 'r' }],
    ['POST', `/api/admin/users/${person.userId}/keys/1/revoke`, { reason: 'r' }],
  ] as const)
    expect([path, (await person.call(method, path, body)).body.code]).toEqual([path, 'forbidden']);
});
