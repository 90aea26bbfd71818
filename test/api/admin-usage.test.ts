import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let admin: Person;
let person: Person;
beforeAll(async () => {
  stack = await startTestStack({
    MODELS: JSON.stringify([
      {
        name: 'priced',
        contextWindow: 100_000,
        maxOutputTokens: 4_000,
        cost: { currency: 'USD', prompt: 0.4, cached: 0.1, completion: 1.6 },
      },
      { name: 'unpriced', contextWindow: 100_000, maxOutputTokens: 4_000 },
    ]),
  });
  admin = await stack.person('admin');
  person = await stack.person();
});
afterAll(() => stack.close());

test('an admin reads what days used, failed and cost, by day and by model, beside the days before, and who it was', async () => {
  const send = (model: string) => person.call('POST', '/api/chat/send', { message: '질문', model });
  const usage = { prompt_tokens: 1_000, completion_tokens: 500, prompt_tokens_details: { cached_tokens: 400 } };
  for (const model of ['priced', 'priced', 'unpriced']) {
    stack.model.next({ chunks: ['대', '답'], usage });
    expect((await send(model)).body.usage.debitedTokens).toBe(1_500);
  }
  stack.model.next({ status: 401, error: { code: 'invalid_api_key' } });
  expect((await send('priced')).body.code).toBe('model_rejected');

  const { status, body } = await admin.call('GET', '/api/admin/usage');
  expect(status).toBe(200);
  const turn = 600 * 0.4 + 400 * 0.1 + 500 * 1.6;
  const cost = [{ currency: 'USD', micros: 2 * turn }];
  expect(body.total).toMatchObject({
    turns: 3,
    promptTokens: 3_000,
    cachedTokens: 1_200,
    completionTokens: 1_500,
    usedTokens: 4_500,
    failures: 1,
    cost,
    unpricedTokens: 1_500,
    firstDelta: { turns: 3, p50Ms: expect.any(Number), p95Ms: expect.any(Number) },
  });
  expect(body.total.firstDelta.p95Ms).toBeGreaterThanOrEqual(body.total.firstDelta.p50Ms);
  expect(body.days).toHaveLength(7);
  expect(body.days.at(-1)).toEqual({ ...body.total, day: body.to });
  expect(body.models).toMatchObject([
    { model: 'priced', turns: 2, failures: 1, cost, unpricedTokens: 0 },
    { model: 'unpriced', turns: 1, failures: 0, cost: [], unpricedTokens: 1_500 },
  ]);
  expect(body.before).toMatchObject({ total: { turns: 0, cost: [], firstDelta: null }, models: [] });

  const people = (await admin.call('GET', '/api/admin/usage/people')).body;
  expect(people).toMatchObject({
    people: 1,
    days: [{ day: body.to, people: 1 }],
    models: [
      { model: 'priced', people: 1 },
      { model: 'unpriced', people: 1 },
    ],
    before: { people: 0 },
    top: [{ userId: person.userId, name: null, turns: 3, usedTokens: 4_500, cost, unpricedTokens: 1_500 }],
  });
  const [from, to] = [body.before.from, body.before.to];
  const earlier = (await admin.call('GET', `/api/admin/usage?from=${from}&to=${to}`)).body;
  expect(earlier).toMatchObject({ from, to, total: { turns: 0 } });

  for (const path of ['/api/admin/usage', '/api/admin/usage/people']) {
    expect((await person.call('GET', path)).status).toBe(403);
    for (const [query, field] of [
      ['from=2026-11-02&to=2026-11-01', 'from'],
      ['from=2020-01-01&to=2026-01-01', 'from'],
      ['to=9999-12-31', 'to'],
      ['from=0000-01-01', 'from'],
      ['from=today', 'from'],
    ])
      expect([query, (await admin.call('GET', `${path}?${query}`)).body]).toEqual([
        query,
        expect.objectContaining({ code: 'invalid_request', field }),
      ]);
  }
});

test('tables come as CSV, whole and by their filter, which Excel reads as UTF-8 and takes for no formula', async () => {
  await sql`insert into users (email) select 'bulk' || n || '@example.com' from generate_series(1, 2300) n`.execute(
    stack.db.database.sql,
  );
  await sql`insert into accounts (user_id) select id from users u where not exists (select 1 from accounts where user_id = u.id)`.execute(
    stack.db.database.sql,
  );
  await sql`update users set email = '=cmd@example.com' where email = 'bulk7@example.com'`.execute(
    stack.db.database.sql,
  );
  const csv = async (path: string) => {
    const response = await admin.raw('GET', path, undefined, { accept: 'text/csv' });
    const bytes = Buffer.from(await response.arrayBuffer());
    return { response, mark: bytes.subarray(0, 3).toString('hex'), lines: bytes.subarray(3).toString().split('\r\n') };
  };
  const users = await csv('/api/admin/users?email=bulk&limit=5');
  expect([users.response.status, users.mark]).toEqual([200, 'efbbbf']);
  expect(users.response.headers.get('content-disposition')).toBe('attachment; filename="turnkeeper-users.csv"');
  expect(users.lines[0]).toMatch(/^userId,email,/);
  expect(users.lines.filter((line) => /,bulk\d+@example\.com,/.test(line))).toHaveLength(2_299);
  expect((await csv('/api/admin/users')).lines.filter((line) => line.includes(",'=cmd@example.com,"))).toHaveLength(1);

  const failed = (await csv('/api/admin/turns?state=failed')).lines;
  expect(failed).toHaveLength(3);
  expect(failed[1]).toMatch(new RegExp(`,${person.userId},[^,]*,[^,]*,failed,model_rejected,priced,1,`));
  await admin.call('DELETE', '/api/admin/token-stats/cache');
  const audit = (await csv('/api/admin/audit?action=stats_cache.delete')).lines;
  expect(audit[1]).toMatch(new RegExp(`^\\d+,${admin.userId},(?:[^,]*,){4}stats_cache\\.delete,`));
  const purchases = await csv('/api/admin/purchases');
  expect([purchases.response.status, purchases.lines[0]?.startsWith('purchaseId,')]).toEqual([200, true]);
  expect((await csv('/api/admin/users?email=')).response.status).toBe(400);
  expect((await person.raw('GET', '/api/admin/users', undefined, { accept: 'text/csv' })).status).toBe(403);
});
