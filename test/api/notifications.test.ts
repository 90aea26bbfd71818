import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { TestSchedule } from '../support/schedules.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

let stack: TestStack;
let person: Person;
beforeAll(async () => {
  stack = await startTestStack({ PURCHASE_URL: 'https://shop.example/buy' });
});
afterAll(() => stack.close());
beforeEach(async () => {
  person = await stack.person();
});

const putAt = (percent: number) =>
  person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: percent });
const list = async (query = '') => (await person.call('GET', `/api/notifications${query}`)).body;
const told = (count: number) => until(async () => (await list()).items.length >= count);

/** Makes so many CRITICAL notifications, a day apart. */
async function tell(count: number): Promise<void> {
  await putAt(96);
  await told(1);
  for (let i = 1; i < count; i++) {
    // Each check finds the last notification more than a day old.
    await sql`update alerts set created_at = created_at - interval '2 days' where account_id = (select id from accounts where user_id = ${person.userId})`.execute(
      stack.db.database.sql,
    );
    await TestSchedule.ofUser(stack, 'alert', person.userId).fire();
    await told(i + 1);
  }
}

test('at 90 and 95 % a person is told at once, in their language, with the link to buy', async () => {
  await putAt(80);
  expect(await list()).toEqual({ items: [], nextCursor: null, unreadCount: 0 });
  await putAt(90);
  await told(1);
  await putAt(95);
  await told(2);
  const { items, nextCursor, unreadCount } = await list();
  expect([nextCursor, unreadCount]).toEqual([null, 2]);
  expect(items.map(({ level, title }: any) => [level, title])).toEqual([
    ['CRITICAL', '긴급: 토큰의 95%를 사용했습니다'],
    ['WARNING', '토큰의 90%를 사용했습니다'],
  ]);
  expect(items[0]).toEqual({
    id: expect.any(Number),
    level: 'CRITICAL',
    title: expect.any(String),
    purchaseUrl: 'https://shop.example/buy',
    createdAt: expect.stringMatching(/Z$/),
    readAt: null,
    body: expect.stringMatching(
      /^이번 달 토큰의 95%를 사용했습니다. 남은 토큰은 5,000개입니다. \d+월 1일 0시\(서울\)에 초기화됩니다. 토큰 구매: https:\/\/shop.example\/buy$/,
    ),
  });
});

test('who reads English is told in English', async () => {
  await person.call('PATCH', '/api/me', { locale: 'en' });
  await putAt(105);
  await told(1);
  expect((await list()).items[0].title).toBe('Urgent: 105% of your tokens are used');
});

describe('reading', () => {
  test('one: it keeps the first time, and the count goes down', async () => {
    await tell(2);
    const [newest, older] = (await list()).items;
    const read = await person.call('POST', `/api/notifications/${newest.id}/read`);
    expect(read).toMatchObject({ status: 200, body: { ...newest, readAt: expect.stringMatching(/Z$/) } });
    expect((await person.call('POST', `/api/notifications/${newest.id}/read`)).body).toEqual(read.body);
    expect(await list('?unread=true')).toEqual({ items: [older], nextCursor: null, unreadCount: 1 });
    expect((await list('?unread=false')).items).toHaveLength(2);
  });

  test('all', async () => {
    await tell(2);
    expect(await person.call('POST', '/api/notifications/read-all')).toMatchObject({
      status: 200,
      body: { unreadCount: 0 },
    });
    expect(await list('?unread=true')).toEqual({ items: [], nextCursor: null, unreadCount: 0 });
    expect((await list()).items.every(({ readAt }: any) => readAt !== null)).toBe(true);
  });

  test('somebody else’s, an unknown one and no id at all are the same 404, and nothing of theirs is read', async () => {
    await tell(1);
    const stranger = await stack.person();
    const { id } = (await list()).items[0];
    const bodies = [];
    for (const which of [id, 999_999_999, 0, -1, 'x', '1e3']) {
      const {
        status,
        body: { requestId: _, ...body },
      } = await stranger.call('POST', `/api/notifications/${which}/read`);
      expect(status).toBe(404);
      bodies.push(JSON.stringify(body));
    }
    expect(new Set(bodies).size).toBe(1);
    await stranger.call('POST', '/api/notifications/read-all');
    expect((await stranger.call('GET', '/api/notifications')).body).toEqual({
      items: [],
      nextCursor: null,
      unreadCount: 0,
    });
    expect((await list()).unreadCount).toBe(1);
  });
});

test('pages by cursor hold each once, newest first, and the count of all', async () => {
  await tell(5);
  const seen: number[] = [];
  let cursor: string | null = null;
  do {
    const page: any = await list(`?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`);
    expect(page.items.length).toBeLessThanOrEqual(2);
    expect(page.unreadCount).toBe(5);
    seen.push(...page.items.map(({ id }: any) => id));
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(seen).toEqual((await list()).items.map(({ id }: any) => id));
  expect(seen).toEqual([...seen].sort((a, b) => b - a));
});

test.each([
  ['?cursor=x', 'cursor'],
  [`?cursor=${Buffer.from('["a"]').toString('base64url')}`, 'cursor'],
  [`?cursor=${Buffer.from('[1.5]').toString('base64url')}`, 'cursor'],
  ['?limit=0', 'limit'],
  ['?limit=101', 'limit'],
  ['?unread=maybe', 'unread'],
  ['?seen=true', 'seen'],
])('%s is 400 and names the field', async (query, field) => {
  expect(await person.call('GET', `/api/notifications${query}`)).toMatchObject({
    status: 400,
    body: { code: 'invalid_request', field },
  });
});

test.each([
  [{ timeZone: 'Mars/Olympus' }],
  [{ timeZone: 'JST' }],
  [{ timeZone: 'Asia/KOLKATA' }],
  [{ timeZone: '+09:00' }],
  [{ timeZone: '' }],
  [{ timeZone: 9 }],
  [{ locale: 'fr' }],
  [{ locale: null }],
  [{}],
  [{ timeZone: 'UTC', email: 'x@y.z' }],
])('PATCH /api/me %j is 400, and changes nothing', async (body) => {
  const before = (await person.call('GET', '/api/me')).body;
  expect(await person.call('PATCH', '/api/me', body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  expect((await person.call('GET', '/api/me')).body).toEqual(before);
});

test('PATCH /api/me says of a zone that Temporal does not know which field is wrong, and why', async () => {
  expect((await person.call('PATCH', '/api/me', { timeZone: 'JST' })).body).toMatchObject({
    code: 'invalid_request',
    field: 'timeZone',
    reason: 'not the name of an IANA time zone, such as Asia/Seoul or UTC; did you mean Asia/Tokyo?',
  });
});

test('PATCH /api/me takes IANA zones and ko or en', async () => {
  expect((await person.call('PATCH', '/api/me', { timeZone: 'Asia/Kathmandu', locale: 'en' })).body).toMatchObject({
    timeZone: 'Asia/Kathmandu',
    locale: 'en',
  });
  expect((await person.call('GET', '/api/me')).body).toMatchObject({ timeZone: 'Asia/Kathmandu', locale: 'en' });
});
