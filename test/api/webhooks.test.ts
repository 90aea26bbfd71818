import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { Webhook } from 'standardwebhooks';
import { findDeliveries } from '../../db/channels/outbox.ts';
import { tellReport } from '../../db/channels/tell-report.ts';
import { getReport } from '../../db/reports/person/reports.ts';
import { monthBefore, monthOf, startOfMonth } from '../../domain/period.ts';
import { isPublicAddress } from '../../platform/channels/public-address.ts';
import { postPinned } from '../../platform/channels/pinned-post.ts';
import { RECONCILE_SCHEDULE_ID } from '../../workflows/contract/ids.ts';
import { createPerson, runTurn } from '../db/fixture.ts';
import { atInstant, clockFrom } from '../support/clock.ts';
import { startTestHooks, type ReceivedHook, type TestHooks } from '../support/hooks.ts';
import { lockRows } from '../support/lock.ts';
import { TestSchedule } from '../support/schedules.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

let hooks: TestHooks;
let slack: TestHooks;
let stack: TestStack;
let person: Person;
let admin: Person;
beforeAll(async () => {
  hooks = await startTestHooks();
  slack = await startTestHooks();
  stack = await startTestStack(
    {
      PAYMENTS_KEY: Buffer.alloc(32, 'k').toString('base64'),
      WEBHOOK_ALLOW_HOSTS: `${hooks.host},${slack.host}`,
      SLACK_URL: `http://${slack.host}`,
    },
    { now: clockFrom(Date.now) },
  );
});
afterAll(async () => {
  await stack.close();
  await hooks.close();
  await slack.close();
});
beforeEach(async () => {
  [person, admin] = await Promise.all([stack.person(), stack.person('admin')]);
});

const PATH = '/api/webhook-endpoints';
const EVENTS = ['usage.alert'];
let nth = 0;

/** An endpoint of the operator's on this machine, at a path of its own. */
async function endpointOf(who: Person, events: readonly string[] = EVENTS) {
  const path = `/hook-${++nth}`;
  const made = await who.call('POST', PATH, { url: `http://${hooks.host}${path}`, events, scope: 'operator' });
  expect(made.status).toBe(201);
  return { ...(made.body as { endpointId: string; secret: string }), path };
}

const at = (path: string) => hooks.received.filter((hook) => hook.path === path);

async function theHook(path: string, nth = 0): Promise<ReceivedHook> {
  await until(() => at(path).length > nth);
  const found = at(path)[nth];
  if (found === undefined) throw new Error('it was waited for');
  return found;
}

const putAt = (percent: number) =>
  person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: percent });
const deliveries = async (who: Person, endpointId: string) =>
  (await who.call('GET', `${PATH}/${endpointId}/deliveries`)).body.items;

/** By the words of standardwebhooks.com, without its library. */
function signatureOf(secret: string, { headers, body }: ReceivedHook): string {
  const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  return `v1,${createHmac('sha256', Buffer.from(secret.slice(6), 'base64'))
    .update(signed)
    .digest('base64')}`;
}

describe('an event', () => {
  test('is called once, signed, with figures and no text, and shown among the deliveries', async () => {
    const { endpointId, secret, path } = await endpointOf(admin);
    await putAt(92);
    const hook = await theHook(path);
    expect(hook.headers['webhook-signature']).toBe(signatureOf(secret, hook));
    expect(() => new Webhook(secret).verify(hook.body, hook.headers as Record<string, string>)).not.toThrow();
    expect(() => new Webhook('whsec_MDAwMA==').verify(hook.body, hook.headers as Record<string, string>)).toThrow();
    expect(JSON.parse(hook.body)).toEqual({
      type: 'usage.alert',
      timestamp: expect.stringMatching(/Z$/),
      data: {
        userId: person.userId,
        level: 'WARNING',
        usagePercent: 92,
        remainingTokens: 8_000,
        resetsAt: expect.stringMatching(/Z$/),
        timeZone: 'Asia/Seoul',
        purchaseUrl: expect.any(String),
      },
    });
    await until(async () => (await deliveries(admin, endpointId))[0]?.state === 'delivered');
    expect(await deliveries(admin, endpointId)).toEqual([
      expect.objectContaining({
        deliveryId: hook.headers['webhook-id'],
        type: 'usage.alert',
        attempts: 1,
        answer: '204',
        error: null,
      }),
    ]);
    await TestSchedule.ofUser(stack, 'alert', person.userId).fire();
    expect(at(path)).toHaveLength(1);
  });

  test('is sent again by hand under the same id, and after a new secret signed by both', async () => {
    const { endpointId, secret, path } = await endpointOf(admin);
    await putAt(92);
    const first = await theHook(path);
    await until(async () => (await deliveries(admin, endpointId))[0]?.state === 'delivered');
    const rotated = await admin.call('PATCH', `${PATH}/${endpointId}`, { rotateSecret: true });
    expect(rotated.body.secret).toMatch(/^whsec_/);
    const resend = `${PATH}/${endpointId}/deliveries/${String(first.headers['webhook-id'])}/resend`;
    expect((await admin.call('POST', resend)).status).toBe(202);
    const again = await theHook(path, 1);
    expect(again.headers['webhook-id']).toBe(first.headers['webhook-id']);
    expect(again.headers['webhook-signature']).toBe(
      `${signatureOf(rotated.body.secret, again)} ${signatureOf(secret, again)}`,
    );
    expect((await person.call('POST', resend)).status).toBe(404);
  });

  test('is not called without a signature: it waits until its owner has made a new secret', async () => {
    const { endpointId, path } = await endpointOf(admin);
    // As after the loss of PAYMENTS_KEY.
    await sql`update webhook_endpoints set secret = sha256('of another key'::bytea) where id = ${endpointId}`.execute(
      stack.db.database.sql,
    );
    await putAt(92);
    await until(async () => (await deliveries(admin, endpointId))[0]?.answer === 'no_secret');
    const [waiting] = await deliveries(admin, endpointId);
    expect(waiting).toMatchObject({ state: 'pending', attempts: 1 });
    expect(at(path)).toEqual([]);
    const { body: rotated } = await admin.call('PATCH', `${PATH}/${endpointId}`, { rotateSecret: true });
    await admin.call('POST', `${PATH}/${endpointId}/deliveries/${waiting.deliveryId}/resend`);
    const hook = await theHook(path);
    expect(hook.headers['webhook-signature']).toBe(signatureOf(rotated.secret, hook));
  });

  test('of a turn that failed goes to the operator, by its ids alone', async () => {
    const { path } = await endpointOf(admin, ['turn.failed']);
    stack.model.next({ status: 400 });
    const { body } = await person.call('POST', '/api/chat/send', { message: '비밀 질문입니다' });
    await sql`update deliveries set due_at = now() - interval '1 minute' where state = 'pending' and channel = 'webhook'`.execute(
      stack.db.database.sql,
    );
    await new TestSchedule(stack, RECONCILE_SCHEDULE_ID).fire();
    const hook = await theHook(path);
    expect(JSON.parse(hook.body)).toMatchObject({
      type: 'turn.failed',
      data: { userId: person.userId, turnId: body.turnId, code: 'model_rejected' },
    });
    expect(hook.body).not.toContain('비밀');
  });

  test('that a month’s report is there goes at once, whatever the hour, and once', async () => {
    const { path } = await endpointOf(admin, ['usage.report']);
    const { database } = stack.db;
    const seeded = await createPerson(database);
    const midnight = startOfMonth(monthOf(Date.now(), 'Asia/Seoul'), 'Asia/Seoul');
    const label = monthBefore(monthOf(midnight, 'Asia/Seoul'));
    await runTurn(database, seeded, { used: 1_000, now: startOfMonth(label, 'Asia/Seoul') });
    const report = await getReport(database, { accountId: seeded.accountId, label });
    const tell = () =>
      atInstant(midnight, () =>
        tellReport(database, { userId: seeded.userId, report, outward: { email: true, webhook: true } }),
      );
    const ids = await tell();
    expect(await atInstant(midnight, () => findDeliveries(database.sql, ids))).toMatchObject([
      { channel: 'webhook', waitMs: 0 },
    ]);
    expect(await tell()).toEqual([]);
    await new TestSchedule(stack, RECONCILE_SCHEDULE_ID).fire();
    expect(JSON.parse((await theHook(path)).body)).toEqual({
      type: 'usage.report',
      timestamp: new Date(midnight).toISOString(),
      data: { userId: seeded.userId, label, turns: 1, usedTokens: 1_000, usagePercent: 1 },
    });
  });

  test('of all accounts goes to nobody who is an admin no more, and is not sent to them again (control: to another)', async () => {
    const other = await stack.person('admin');
    const [mine, theirs] = [await endpointOf(admin), await endpointOf(other)];
    await putAt(92);
    const first = await theHook(mine.path);
    await until(async () => (await deliveries(admin, mine.endpointId))[0]?.state === 'delivered');
    await sql`update users set role = 'user' where id = ${admin.userId}`.execute(stack.db.database.sql);
    await putAt(96);
    await theHook(theirs.path, 1);
    const resend = `${PATH}/${mine.endpointId}/deliveries/${String(first.headers['webhook-id'])}/resend`;
    expect((await admin.call('POST', resend)).status).toBe(202);
    await until(async () => (await deliveries(admin, mine.endpointId))[0]?.state === 'failed');
    expect(await deliveries(admin, mine.endpointId)).toHaveLength(1);
    expect(at(mine.path)).toHaveLength(1);
  });

  test('that is refused waits and is tried again; three days of it disable the endpoint', async () => {
    const { endpointId, path } = await endpointOf(admin);
    hooks.answer(path, { status: 500 });
    await putAt(92);
    await until(async () => (await deliveries(admin, endpointId))[0]?.answer === '500');
    const [waiting] = await deliveries(admin, endpointId);
    expect(waiting).toMatchObject({ state: 'pending', attempts: 1, error: null, dueAt: expect.any(String) });
    await sql`update webhook_endpoints set failing_since = now() - interval '73 hours' where id = ${endpointId}`.execute(
      stack.db.database.sql,
    );
    await admin.call('POST', `${PATH}/${endpointId}/deliveries/${waiting.deliveryId}/resend`);
    const state = async () =>
      (await admin.call('GET', PATH)).body.items.find((one: any) => one.endpointId === endpointId).state;
    await until(async () => (await state()) === 'disabled');
    await putAt(96);
    await until(async () => (await person.call('GET', '/api/notifications')).body.items.length === 2);
    expect(await deliveries(admin, endpointId)).toHaveLength(1);
    await admin.call('PATCH', `${PATH}/${endpointId}`, { state: 'enabled' });
    expect(await state()).toBe('enabled');
  });

  test.each([
    ['a redirect', { status: 302, location: `http://127.0.0.1:9/` }, '302'],
    ['an answer without end', 'endless' as const, '200'],
  ])('is not led on by %s', async (_name, how, answer) => {
    const { endpointId, path } = await endpointOf(admin);
    hooks.answer(path, how);
    await admin.call('POST', `${PATH}/${endpointId}/test`);
    await until(async () => (await deliveries(admin, endpointId))[0]?.answer === answer);
    expect(at(path)).toHaveLength(1);
  });
});

test('what the operator is told in Slack is a message in the admin’s language, and nobody else may have one there', async () => {
  await admin.call('PATCH', '/api/me', { locale: 'en' });
  const url = `http://${slack.host}/services/T0/B0/x`;
  const refused = await person.call('POST', PATH, { url, events: EVENTS });
  expect(refused).toMatchObject({ status: 400, body: { field: 'url' } });
  expect((await admin.call('POST', PATH, { url, events: EVENTS, scope: 'operator' })).status).toBe(201);
  await putAt(92);
  await until(() => slack.received.length === 1);
  const [message] = slack.received;
  expect(message?.headers['webhook-signature']).toBeUndefined();
  expect(Object.keys(JSON.parse(message?.body ?? ''))).toEqual(['text']);
  expect(JSON.parse(message?.body ?? '').text).toMatch(
    new RegExp(`^\\*Tokens 92% used\\* · user ${person.userId}\nTokens left: 8,000\nReset: `),
  );
});

test('calls that wait for people’s own servers keep no failed turn from the operator’s', async () => {
  const { endpointId: ofOperator } = await endpointOf(admin, ['turn.failed']);
  const own = await person.call('POST', PATH, { url: 'https://hooks.example.com/x', events: EVENTS });
  const fill = (endpointId: string) =>
    sql`with told as (
        insert into notifications (user_id, kind, key, figures, title, body, purchase_url, created_at)
        select ${person.userId}, 'endpoint.test', ${`${endpointId}/`} || n, '{}'::jsonb, '', '', '', now() from generate_series(1, 1000) n returning id
      )
      insert into deliveries (notification_id, channel, address, due_at, queued_at)
      select id, 'webhook', ${endpointId}, now() + interval '1 day', now() from told`.execute(stack.db.database.sql);
  const failed = async () => {
    stack.model.next({ status: 400 });
    const { body } = await person.call('POST', '/api/chat/send', { message: '실패할 질문' });
    const { rows } =
      await sql`select 1 from notifications where kind = 'turn.failed' and key like ${`${body.turnId}/%`}`.execute(
        stack.db.database.sql,
      );
    return rows.length;
  };
  await fill(own.body.endpointId);
  expect(await failed()).toBe(1);
  // The control: calls of the operator's do.
  await fill(ofOperator);
  expect(await failed()).toBe(0);
  await sql`delete from deliveries where due_at > now() + interval '1 hour'`.execute(stack.db.database.sql);
});

describe('an endpoint', () => {
  const make = (body: object, who = person) =>
    who.call('POST', PATH, { url: 'https://hooks.example.com/x', events: EVENTS, ...body });

  test('is made, changed, listed without its secret, and deleted', async () => {
    const made = await make({});
    expect(made).toMatchObject({
      status: 201,
      body: { scope: 'account', state: 'enabled', secret: expect.any(String) },
    });
    const { secret: _, ...shown } = made.body;
    expect((await person.call('GET', PATH)).body).toEqual({ items: [shown], nextCursor: null });
    const { endpointId } = shown;
    const own = `${PATH}/${endpointId}`;
    expect((await person.call('PATCH', own, { events: ['usage.reset'], state: 'disabled' })).body).toEqual({
      ...shown,
      events: ['usage.reset'],
      state: 'disabled',
    });
    for (const [method, path] of [
      ['PATCH', own],
      ['DELETE', own],
      ['POST', `${own}/test`],
      ['GET', `${own}/deliveries`],
    ] as const)
      expect((await admin.call(method, path, method === 'PATCH' ? { state: 'enabled' } : undefined)).status).toBe(404);
    expect((await person.call('DELETE', own)).status).toBe(204);
    expect((await person.call('GET', PATH)).body.items).toEqual([]);
    expect((await person.call('DELETE', own)).status).toBe(404);
  });

  test('of the operator’s is for admins, and what admins may allow is for those alone', async () => {
    expect((await make({ scope: 'operator' })).status).toBe(403);
    expect((await make({ events: ['turn.failed'] })).body).toMatchObject({ field: 'events' });
    for (const who of [person, admin])
      expect((await make({ url: `http://${hooks.host}/x` }, who)).body).toMatchObject({
        code: 'invalid_request',
        field: 'url',
      });
    expect((await make({ events: ['usage.everything'] })).status).toBe(400);
    expect((await make({ events: [] })).status).toBe(400);
  });

  test('is on record once when it is made, changed and deleted, without its address', async () => {
    const { endpointId } = await endpointOf(admin, ['usage.alert']);
    const change = {
      url: `http://${hooks.host}/elsewhere`,
      events: ['turn.failed'],
      state: 'disabled',
      rotateSecret: true,
    };
    expect((await admin.call('PATCH', `${PATH}/${endpointId}`, change)).status).toBe(200);
    const lock = await lockRows(stack.db.url, 'select 1 from webhook_endpoints where id = $1', [endpointId]);
    const twice = Promise.all([1, 2].map(() => admin.call('DELETE', `${PATH}/${endpointId}`)));
    await until(() => lock.isWanted(2));
    await lock.release();
    expect((await twice).map(({ status }) => status).toSorted()).toEqual([204, 404]);
    const { items } = (await admin.call('GET', `/api/admin/audit?target=webhook:${endpointId}`)).body as {
      items: object[];
    };
    const made = { userId: admin.userId, scope: 'operator', events: 'usage.alert', state: 'enabled' };
    const changed = { ...made, events: 'turn.failed', state: 'disabled' };
    expect(items).toMatchObject([
      { action: 'webhook.delete', adminId: admin.userId, before: changed, after: null },
      { action: 'webhook.update', before: made, after: { ...changed, urlChanged: true, secretChanged: true } },
      { action: 'webhook.create', before: null, after: made },
    ]);
    expect(JSON.stringify(items)).not.toMatch(/elsewhere|hook-|whsec/);
  });

  test('of the operator’s is told and called only while its owner is an admin', async () => {
    const { endpointId, path } = await endpointOf(admin, ['usage.alert', 'turn.failed']);
    const become = (role: string) =>
      sql`update users set role = ${role} where id = ${admin.userId}`.execute(stack.db.database.sql);
    const tryIt = async (ended: string) => {
      await admin.call('POST', `${PATH}/${endpointId}/test`);
      await until(async () => (await deliveries(admin, endpointId))[0]?.state === ended);
    };
    await become('user');
    await putAt(92);
    await until(async () => (await person.call('GET', '/api/notifications')).body.items.length === 1);
    stack.model.next({ status: 400 });
    await person.call('POST', '/api/chat/send', { message: '실패할 질문' });
    expect(await deliveries(admin, endpointId)).toEqual([]);
    await tryIt('failed');
    expect(at(path)).toEqual([]);
    // The control: the same endpoint, of an admin.
    await become('admin');
    await tryIt('delivered');
    expect(at(path)).toHaveLength(1);
  });

  test('is made 50 times a day at most, however many were deleted, and tried 60 times an hour; others go on', async () => {
    let last = '';
    for (let n = 0; n < 50; n += 1) {
      const { status, body } = await make({});
      expect(status).toBe(201);
      if (n < 49) await person.call('DELETE', `${PATH}/${body.endpointId}`);
      last = `${PATH}/${body.endpointId}`;
    }
    expect((await make({})).body.code).toBe('rate_limited');
    const resend = () => person.call('POST', `${last}/deliveries/${randomUUID()}/resend`);
    for (let n = 0; n < 60; n += 1) expect((await resend()).status).toBe(404);
    const refused = [await resend(), await person.call('POST', `${last}/test`)];
    expect(refused.map(({ status, body }) => [status, body.code])).toEqual(Array(2).fill([429, 'rate_limited']));
    const { endpointId } = await endpointOf(admin);
    expect((await admin.call('POST', `${PATH}/${endpointId}/test`)).status).toBe(202);
  });

  test('is one of ten at most', async () => {
    for (let i = 0; i < 10; i++) expect((await make({})).status).toBe(201);
    expect(await make({})).toMatchObject({ status: 400, body: { field: 'url' } });
  });

  test.each([
    'http://hooks.example.com/',
    'https://169.254.169.254/latest/meta-data',
    'https://127.1/',
    'https://127.0.0.1/',
    'https://0/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://017700000001/',
    'https://10.0.0.1/',
    'https://192.168.0.1:8443/',
    'https://172.16.5.4/',
    'https://100.64.0.1/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[::ffff:a00:1]/',
    'https://[64:ff9b::a00:1]/',
    'https://[2002:a00:1::]/',
    'https://[fc00::1]/',
    'https://[fe80::1]/',
    'https://１２７.０.０.１/',
    'https://localhost/',
    'https://redis:8443/',
    'https://user:password@hooks.example.com/',
    'https://hooks.example.com:22/',
    'ftp://hooks.example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'x',
  ])('%s is refused', async (url) => {
    expect(await make({ url })).toMatchObject({ status: 400, body: { code: 'invalid_request', field: 'url' } });
  });
});

describe('a call', () => {
  test('goes nowhere private, whatever its name says', async () => {
    // The name of this machine leads to an address of its own.
    const post = (url: string) =>
      postPinned({ url: new URL(url), headers: {}, body: '{}', isAllowed: false }).catch((error: Error) => error.name);
    const { host } = new URL(`http://${hooks.host}`);
    const before = hooks.received.length;
    expect(await post('https://localhost/')).toBe('NotPublic');
    expect(await post(`http://${host}/`)).toBe('NotPublic');
    expect(await post('https://[::ffff:127.0.0.1]/')).toBe('NotPublic');
    expect(hooks.received.length).toBe(before);
    // The control: the same call, allowed.
    expect(await postPinned({ url: new URL(`http://${host}/control`), headers: {}, body: '{}', isAllowed: true })).toBe(
      204,
    );
  });

  test('goes to the address that was looked at, and nowhere when one of several is private', async () => {
    const looked: string[] = [];
    const to =
      (...addresses: string[]) =>
      (host: string) => {
        looked.push(host);
        return Promise.resolve(addresses.map((address) => ({ address })));
      };
    const [, port] = hooks.host.split(':');
    const post = { headers: {}, body: '{}' };
    // Nobody else knows this name: whoever resolves it again finds nothing.
    const pinned = { ...post, url: new URL(`http://pinned.invalid:${port}/pinned`), isAllowed: true };
    expect(await postPinned(pinned, to('127.0.0.1'))).toBe(204);
    expect(looked).toEqual(['pinned.invalid']);
    expect(at('/pinned').map(({ headers }) => headers.host)).toEqual([`pinned.invalid:${port}`]);
    const mixed = { ...post, url: new URL('https://mixed.invalid/'), isAllowed: false };
    await expect(postPinned(mixed, to('8.8.8.8', '10.0.0.1'))).rejects.toMatchObject({ name: 'NotPublic' });
    await expect(postPinned(mixed, to('2606:4700:4700::1111', '::1'))).rejects.toMatchObject({ name: 'NotPublic' });
  });

  test.each([
    ['8.8.8.8', true],
    ['1.1.1.1', true],
    ['2606:4700:4700::1111', true],
    ['2001:4860:4860::8888', true],
    ['0.0.0.0', false],
    ['10.255.255.255', false],
    ['100.127.255.255', false],
    ['127.255.255.254', false],
    ['169.254.169.254', false],
    ['172.31.255.255', false],
    ['192.168.255.255', false],
    ['198.19.255.255', false],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['::', false],
    ['::1', false],
    ['::ffff:8.8.8.8', false],
    ['64:ff9b::808:808', false],
    ['2001::1', false],
    ['2001:db8::1', false],
    ['2002:808:808::', false],
    ['fc00::1', false],
    ['fe80::1%eth0', false],
    ['ff02::1', false],
    ['hooks.example.com', false],
  ])('%s is public: %s', (address, isPublic) => {
    expect(isPublicAddress(address)).toBe(isPublic);
  });
});

test('where no key seals secrets there are no webhooks, and it is said', async () => {
  const off = await startTestStack({}, { works: false });
  try {
    const nobody = await off.person();
    expect(await nobody.call('POST', PATH, { url: 'https://hooks.example.com/', events: EVENTS })).toMatchObject({
      status: 409,
      body: { code: 'channel_off' },
    });
  } finally {
    await off.close();
  }
});
