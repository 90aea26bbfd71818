import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { failDeliveries } from '../support/failed-deliveries.ts';
import { mailingBy, startTestMail, type TestMail } from '../support/mail.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
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

const list = async (query: string) => (await admin.call('GET', `/api/admin/deliveries?${query}`)).body;
const resend = (body: object, key?: string) =>
  admin.call('POST', '/api/admin/deliveries/resend', body, key === undefined ? {} : { 'idempotency-key': key });
const arrived = (address: string) => mail.received.filter(({ to }) => to.includes(address));
const auditOf = async (target: string) => (await admin.call('GET', `/api/admin/audit?target=${target}`)).body.items;

test('an admin sees each delivery with its person, by filter and page, and sends one once more', async () => {
  const [one] = await failDeliveries(stack, 2);
  if (one === undefined) throw new Error('two were made');
  const { person, address, deliveryId } = one;
  const { items } = await list(`userId=${person.userId}&channel=email`);
  expect(items).toEqual([
    {
      deliveryId,
      userId: person.userId,
      person: { userId: person.userId, email: null, name: null, emailLookAlikes: [] },
      kind: 'usage.reset',
      channel: 'email',
      state: 'failed',
      to: address,
      attempts: 1,
      error: 'refused',
      answer: '554',
      createdAt: expect.any(String),
      queuedAt: expect.any(String),
      dueAt: null,
      endedAt: expect.any(String),
      workflow: { workflowId: expect.stringMatching(/^deliver\//), url: null },
    },
  ]);
  const page = await list('limit=1');
  expect((await list(`limit=1&cursor=${page.nextCursor}`)).items[0].deliveryId).not.toBe(page.items[0].deliveryId);
  for (const [query, found] of [
    ['state=failed&kind=usage.reset', true],
    ['state=delivered', false],
    ['kind=purchase.paid', false],
    ['to=2020-01-01T00:00:00Z', false],
    ['from=2020-01-01T00:00:00Z', true],
  ] as const)
    expect([query, (await list(`userId=${person.userId}&channel=email&${query}`)).items.length > 0]).toEqual([
      query,
      found,
    ]);
  const again = (id: string) => admin.call('POST', `/api/admin/deliveries/${id}/resend`, { reason: '문의' });
  expect((await again(deliveryId)).status).toBe(202);
  await until(() => arrived(address).length === 1);
  expect(arrived(address)[0]?.header('Message-ID')).toBe(`<${deliveryId}@turnkeeper.example>`);
  await until(async () => (await list(`userId=${person.userId}&channel=email`)).items[0].state === 'delivered');
  expect(await auditOf(`delivery:${deliveryId}`)).toMatchObject([
    {
      action: 'delivery.resend',
      reason: '문의',
      before: { state: 'failed', attempts: 1 },
      about: { userId: person.userId },
    },
  ]);
  // What is in the app is there.
  const { rows } = await sql<{
    id: string;
  }>`insert into deliveries (notification_id, channel, state, attempts, due_at, ended_at)
    select notification_id, 'in_app', 'delivered', 1, now(), now() from deliveries where id = ${deliveryId} returning id::text as id`.execute(
    stack.db.database.sql,
  );
  expect((await again(rows[0]?.id ?? '')).status).toBe(404);
  expect(JSON.stringify(await auditOf(`delivery:${deliveryId}`))).not.toContain('@example');
});

test('an admin sends many failed ones once more: counted, confirmed, followed to its end, and once a key', async () => {
  const made = await failDeliveries(stack, 2);
  const filter = { channel: 'email', kind: 'usage.reset' };
  const ask = { filter, reason: '메일 서버 복구', ratePerSecond: 50 };
  expect((await resend({ ...ask, dryRun: true })).body).toEqual({ count: 3, matched: 3 });
  expect((await resend({ ...ask, dryRun: true, limit: 2 })).body).toEqual({ count: 2, matched: 3 });
  expect((await resend(ask)).body).toMatchObject({ code: 'confirm_required', count: 3 });
  expect((await resend({ ...ask, confirm: 2 })).body).toMatchObject({ code: 'confirm_required', count: 3 });
  expect(made.flatMap(({ address }) => arrived(address))).toEqual([]);
  // One of them is refused again.
  mail.next({ at: 'data', code: 554 });
  const started = await resend({ ...ask, confirm: 3 }, 'k');
  const { resendId } = started.body;
  expect([started.status, started.headers.get('location')]).toEqual([202, `/api/admin/resends/${resendId}`]);
  expect((await resend({ ...ask, confirm: 3 }, 'k')).body).toEqual({ resendId, count: 3 });
  expect((await resend({ ...ask, confirm: 3, reason: '다른' }, 'k')).body.code).toBe('idempotency_conflict');
  const read = async () => (await admin.call('GET', `/api/admin/resends/${resendId}`)).body;
  await until(async () => {
    const { progress } = await read();
    return progress.delivered + progress.failed === 3;
  });
  expect(await read()).toMatchObject({
    state: 'completed',
    count: 3,
    progress: { waiting: 0, sending: 0, delivered: 2, failed: 1 },
    reason: '메일 서버 복구',
    admin: { userId: admin.userId },
    endedAt: expect.any(String),
  });
  expect((await list(`resendId=${resendId}`)).items).toHaveLength(3);
  expect((await admin.call('GET', '/api/admin/resends')).body.items).toMatchObject([{ resendId }]);
  expect(await auditOf(`resend:${resendId}`)).toMatchObject([
    { action: 'delivery.resend_many', reason: '메일 서버 복구', after: { count: 3, 'filter.kind': 'usage.reset' } },
  ]);
});

test('one that is cancelled begins nothing more, and what it left is free for another', async () => {
  const made = await failDeliveries(stack, 3);
  const ask = { filter: { kind: 'usage.reset' }, reason: 'r', ratePerSecond: 1 };
  const { count } = (await resend({ ...ask, dryRun: true })).body;
  const { resendId } = (await resend({ ...ask, confirm: count })).body;
  const cancel = () => admin.call('POST', `/api/admin/resends/${resendId}/cancel`, { reason: '그만' });
  const cancelled = (await cancel()).body;
  expect([cancelled.state, cancelled.progress.waiting > 0]).toEqual(['cancelled', true]);
  expect((await cancel()).body.state).toBe('cancelled');
  await stack.temporal.client.workflow.getHandle(`resend/${resendId}`).result();
  expect((await admin.call('GET', `/api/admin/resends/${resendId}`)).body.progress.waiting).toBe(
    cancelled.progress.waiting,
  );
  expect((await auditOf(`resend:${resendId}`))[1]).toMatchObject({ action: 'delivery.cancel_resend', reason: '그만' });
  // What was left is free for another.
  const left = (await resend({ ...ask, dryRun: true })).body;
  expect(left.count).toBeGreaterThanOrEqual(cancelled.progress.waiting);
  expect(made.flatMap(({ address }) => arrived(address)).length).toBeLessThan(3);
});

test('none of it is for others, and unknown words are refused by their field', async () => {
  const person = await stack.person();
  for (const [method, path, body] of [
    ['GET', '/api/admin/deliveries', undefined],
    ['POST', '/api/admin/deliveries/resend', { filter: {}, reason: 'r' }],
    ['GET', '/api/admin/resends', undefined],
  ] as const)
    expect([path, (await person.call(method, path, body)).body.code]).toEqual([path, 'forbidden']);
  for (const [query, field] of [
    ['state=lost', 'state'],
    ['channel=fax', 'channel'],
    ['kind=x', 'kind'],
    ['userId=0', 'userId'],
    ['resendId=1', 'resendId'],
    ['cursor=x', 'cursor'],
  ] as const)
    expect([query, (await admin.call('GET', `/api/admin/deliveries?${query}`)).body.field]).toEqual([query, field]);
  expect((await resend({ filter: { channel: 'in_app' }, reason: 'r' })).body.field).toBe('filter.channel');
});
