import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { AccountFollower, type AccountEvent } from '../../api/events/follow-account.ts';
import { findAccount } from '../../db/money/accounts.ts';
import type { Principal } from '../../db/people/users.ts';
import { parseAccountCursor } from '../../domain/account-events.ts';
import { readConfig } from '../../platform/config/config.ts';
import { openRedis } from '../../platform/redis.ts';
import { createAccountFeed } from '../../platform/streams/account-feed.ts';
import { Gate } from '../fake-model/scenario.ts';
import { readEvents, type SeenEvent } from '../support/events.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

let stack: TestStack;
let person: Person;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());
beforeEach(async () => {
  person = await stack.person();
});

const putAt = (percent: number, who = person) =>
  who.call('POST', '/api/ai-usage/test-usage', { userId: who.userId, usagePercent: percent });
const send = (who = person) => who.call('POST', '/api/chat/send', { message: '안녕' });
const usageNow = async () => (await person.call('GET', '/api/ai-usage')).body;
const of = (seen: readonly SeenEvent[], event: string) => seen.filter((one) => one.event === event);
const has = (event: string, isIt: (data: any) => boolean) => (seen: readonly SeenEvent[]) =>
  seen.some((one) => one.event === event && isIt(one.data));

/** Opens the feed, does something once the first event has come, and reads until `enough`. */
async function feed(
  enough: (seen: readonly SeenEvent[]) => boolean,
  then: () => unknown = () => {},
  lastEventId?: string,
): Promise<SeenEvent[]> {
  const response = await person.raw(
    'GET',
    '/api/events',
    undefined,
    lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
  );
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  const doing: Promise<unknown>[] = [];
  const seen = await readEvents(response, (all) => {
    if (doing.length === 0) doing.push(Promise.resolve(then()));
    return enough(all);
  });
  await Promise.all(doing);
  return seen;
}

test('begins with the usage state, the same figures that GET /api/ai-usage shows (G7)', async () => {
  const { depletesAt: _, ...shown } = await usageNow();
  const [first] = await feed((seen) => seen.length >= 1);
  expect(first).toMatchObject({ event: 'usage', id: '0-0', data: shown });
});

test('every write brings the new state: a turn’s hold and debit, a level, a grant, a reversal', async () => {
  const admin = await stack.person('admin');
  const gate = new Gate('request');
  stack.model.next({ chunks: ['하나'], usage: { prompt_tokens: 30, completion_tokens: 12 }, gate });
  let [turnId, conversationId] = ['', ''];
  // Debit and turn are read by separate statements, so the debit may be told one look before the turn's end.
  const isTold = (all: readonly SeenEvent[]) =>
    has('usage', ({ usedTokens, heldTokens }) => usedTokens === 42 && heldTokens === 0)(all) &&
    has('turn', ({ state }) => state === 'completed')(all);
  const turned = await feed(isTold, async () => {
    const sending = send();
    await gate.reached;
    // The hold is told while the turn runs, before the model has answered.
    await until(async () => (await usageNow()).heldTokens > 0);
    gate.open();
    ({ turnId, conversationId } = (await sending).body);
  });
  expect(of(turned, 'turn').at(-1)?.data).toEqual({ turnId, conversationId, state: 'completed', attempt: 1 });
  expect(of(turned, 'usage').map(({ data }) => data.usedTokens)).toContain(42);

  let entryId = 0;
  await feed(
    has('usage', ({ level, usedTokens }) => level === 'NOTICE' && usedTokens === 85_000),
    () => putAt(85),
  );
  const granted = await feed(
    has('usage', ({ purchasedTokens }) => purchasedTokens === 5_000),
    async () => {
      const grant = await admin.call(
        'POST',
        `/api/admin/users/${person.userId}/grants`,
        { tokens: 5_000, reason: 'sorry' },
        { 'idempotency-key': 'g' },
      );
      entryId = grant.body.entryId;
    },
  );
  expect(of(granted, 'usage').at(-1)?.data).toEqual(expect.objectContaining({ totalAvailable: 105_000 }));
  await feed(
    has('usage', ({ purchasedTokens }) => purchasedTokens === 0),
    () =>
      admin.call(
        'POST',
        `/api/admin/grants/${entryId}/reversals`,
        { tokens: 5_000, reason: 'back' },
        { 'idempotency-key': 'r' },
      ),
  );
  await feed(
    has('usage', ({ level }) => level === 'WARNING'),
    () => putAt(92),
  );
});

test('a reversal that lifts the account over 90 % arms its check, and the alert arrives', async () => {
  const admin = await stack.person('admin');
  const {
    body: { entryId },
  } = await admin.call(
    'POST',
    `/api/admin/users/${person.userId}/grants`,
    { tokens: 2_000_000, reason: 'g' },
    { 'idempotency-key': 'g' },
  );
  // Purchased tokens are spent first: 1,008,000 of 2,100,000 are used, and without the rest of the purchased ones it is
  // 1,008,000 of 1,108,000.
  await putAt(48);
  const seen = await feed(
    (all) => of(all, 'notification').length > 0,
    () =>
      admin.call(
        'POST',
        `/api/admin/grants/${entryId}/reversals`,
        { tokens: 992_000, reason: 'back' },
        { 'idempotency-key': 'r' },
      ),
  );
  expect(of(seen, 'notification')[0]?.data).toMatchObject({ level: 'WARNING', readAt: null });
});

test('a failed turn, its retry, and an alert are told as they happen', async () => {
  stack.model.next({ status: 400 });
  let turnId = '';
  const seen = await feed(
    (all) => of(all, 'notification').length > 0 && has('turn', ({ state }) => state === 'completed')(all),
    async () => {
      turnId = (await send()).body.turnId;
      await person.call('POST', `/api/chat/turns/${turnId}/retry`);
      await putAt(95);
    },
  );
  const states = of(seen, 'turn').map(({ data }) => `${data.state} ${data.attempt}`);
  expect(states).toContain('completed 2');
  expect(of(seen, 'turn').every(({ data }) => data.turnId === turnId)).toBe(true);
  expect(of(seen, 'notification').map(({ data }) => data)).toEqual(
    (await person.call('GET', '/api/notifications')).body.items,
  );
});

describe('resuming', () => {
  test('from any id gives every turn and notification that changed after it, in its present state, and none from before', async () => {
    for (let i = 0; i < 3; i++) await send();
    const seen = await feed(
      (all) =>
        new Set(of(all, 'turn').map(({ data }) => data.turnId)).size === 4 && of(all, 'notification').length === 2,
      async () => {
        await Promise.all([send(), send()]);
        await putAt(90);
        await until(async () => (await person.call('GET', '/api/notifications')).body.items.length === 1);
        await putAt(96);
        await send();
        await send();
      },
    );
    expect(seen.map(({ id }) => parseAccountCursor(id))).not.toContain(null);
    const finals = new Map(of(seen, 'turn').map(({ data, id }) => [data.turnId, Number(id.split('-')[0])]));
    for (const [i, { id }] of seen.entries()) {
      const later = seen.slice(i + 1);
      const wanted = {
        turns: new Set(of(later, 'turn').map(({ data }) => data.turnId)),
        notifications: of(later, 'notification').map(({ data }) => data.id),
      };
      if (wanted.turns.size + wanted.notifications.length === 0) continue;
      const resumed = await feed(
        (all) =>
          [...wanted.turns].every((turnId) => of(all, 'turn').some(({ data }) => data.turnId === turnId)) &&
          of(all, 'notification').length >= wanted.notifications.length,
        undefined,
        id,
      );
      expect(resumed[0]?.event).toBe('usage');
      expect(of(resumed, 'notification').map(({ data }) => data.id)).toEqual(wanted.notifications);
      // Nothing comes whose last change was before the id with which the client came back.
      const from = Number(id.split('-')[0]);
      for (const { data } of of(resumed, 'turn'))
        if (finals.has(data.turnId)) expect(finals.get(data.turnId) ?? 0).toBeGreaterThanOrEqual(from);
      expect(of(resumed, 'turn').every(({ data }) => data.state === 'completed')).toBe(true);
    }
  });

  test('from what `GET /api/me` said gives whatever changed after that answer, and nothing from before', async () => {
    await send();
    const { eventId } = (await person.call('GET', '/api/me')).body;
    const { turnId } = (await send()).body;
    const seen = await feed(
      has('turn', ({ state }) => state === 'completed'),
      undefined,
      eventId,
    );
    expect(of(seen, 'turn').map(({ data }) => data.turnId)).toEqual([turnId]);
  });

  test('twenty turns at once: each is told to its end', async () => {
    const ended = new Set<string>();
    const seen = await feed(
      (all) =>
        new Set(
          of(all, 'turn')
            .filter(({ data }) => data.state === 'completed')
            .map(({ data }) => data.turnId),
        ).size === 20,
      async () => {
        for (const { body } of await Promise.all(Array.from({ length: 20 }, () => send()))) ended.add(body.turnId);
      },
    );
    await until(() => ended.size === 20);
    expect(new Set(of(seen, 'turn').map(({ data }) => data.turnId))).toEqual(ended);
    // Events are combined: there are fewer than the sixty changes.
    expect(of(seen, 'usage').length).toBeLessThan(60);
  });

  test('an id from beyond what there is (a restored database) reads on from the present', async () => {
    await send();
    const seen = await feed(
      has('turn', ({ state }) => state === 'completed'),
      () => send(),
      '9007199254740991-999999999999999',
    );
    expect(of(seen, 'turn').length).toBeGreaterThan(0);
  });

  test.each(['x', '1', '1-', '-1-2', '01-2', '1-2-3', '9007199254740993-1'])(
    '%s is no id: 400 invalid_event_id',
    async (id) => {
      expect(await person.call('GET', '/api/events', undefined, { 'last-event-id': id })).toMatchObject({
        status: 400,
        body: { code: 'invalid_event_id' },
      });
    },
  );
});

test('tells nobody else’s: only one’s own', async () => {
  const other = await stack.person();
  const seen = await feed(
    has('usage', ({ usedTokens }) => usedTokens === 10_000),
    async () => {
      await send(other);
      await putAt(95, other);
      await until(async () => (await other.call('GET', '/api/notifications')).body.items.length === 1);
      await putAt(10);
    },
  );
  expect([of(seen, 'turn'), of(seen, 'notification')]).toEqual([[], []]);
});

test('ten streams of an account at once, more are 429; one that is closed makes room', async () => {
  const open = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const leave = new AbortController();
      const response = await person.raw('GET', '/api/events', undefined, {}, leave.signal);
      expect(response.status).toBe(200);
      return leave;
    }),
  );
  const refused = await person.call('GET', '/api/events');
  expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([429, 'rate_limited', '30']);
  open[0]?.abort();
  await until(async () => {
    const leave = new AbortController();
    const { status } = await person.raw('GET', '/api/events', undefined, {}, leave.signal);
    leave.abort();
    return status === 200;
  });
  for (const leave of open) leave.abort();
});

test('without Redis PostgreSQL is looked at, and nothing is missing', async () => {
  const redis = await openRedis('redis://127.0.0.1:1');
  const accountFeed = createAccountFeed(redis);
  const account = await findAccount(stack.db.database.sql, person.userId);
  const principal: Principal = {
    userId: person.userId,
    accountId: account?.accountId ?? 0,
    role: 'user',
    suspended: false,
    email: null,
    locale: 'ko',
    timeZone: 'Asia/Seoul',
  };
  const seen: AccountEvent[] = [];
  const gone = new AbortController();
  const follower = await AccountFollower.open(
    { database: stack.db.database, redis, accountFeed, config: readConfig({}) },
    principal,
    null,
  );
  const following = follower.run(async (event) => {
    seen.push(event);
  }, gone.signal);
  await send();
  await putAt(91);
  await until(() => seen.some(({ event }) => event === 'notification') && seen.some(({ event }) => event === 'turn'));
  gone.abort();
  await following;
  follower.close();
  accountFeed.close();
  await redis.close();
  expect(new Set(seen.map(({ event }) => event))).toEqual(new Set(['usage', 'turn', 'notification']));
});

test('ends when the server stops, to be resumed elsewhere', async () => {
  const own = await startTestStack();
  const someone = await own.person();
  const response = await someone.raw('GET', '/api/events');
  const reading = readEvents(response);
  await own.close();
  expect((await reading)[0]?.event).toBe('usage');
});
