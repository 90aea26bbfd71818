import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { redeemCode } from '../../db/redemptions/redeem.ts';
import { makeBatch } from '../../operations/payments/redeem.ts';
import { CLI_ACTOR } from '../../domain/audit.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';

let stack: TestStack;
let admin: Person;
beforeAll(async () => {
  stack = await startTestStack({}, { works: false });
  admin = await stack.person('admin');
});
afterAll(() => stack.close());

let addresses = 0;
/** From an address of their own, so that tests do not use up each other's tries. */
const redeemAs = (person: Person, code: string, address = `203.0.113.${(addresses += 1)}`) =>
  person.call('POST', '/api/redemptions', { code }, { 'x-forwarded-for': address });
async function make(body: object = {}, key: string = randomUUID()) {
  const wanted = { count: 1, tokens: 7_000, reason: '행사', ...body };
  return admin.call('POST', '/api/admin/codes', wanted, { 'idempotency-key': key });
}
async function madeOne(body: object = {}): Promise<{ code: string; batchId: string }> {
  const made = await make(body);
  expect(made.status).toBe(201);
  return { code: made.body.codes[0], batchId: made.body.batchId };
}
const tokensOf = async (person: Person) => (await person.call('GET', '/api/ai-usage')).body.purchasedTokens as number;

describe('a code', () => {
  test('gives its tokens once an account, however it is written', async () => {
    const [one, other] = [await stack.person(), await stack.person()];
    const { code } = await madeOne({ maxUses: 2 });
    const typed = ` ${code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')} `;
    const { status, body } = await redeemAs(one, typed);
    expect([status, body]).toEqual([201, { tokens: 7_000, redeemedAt: expect.any(String) }]);
    expect((await redeemAs(one, code)).body.code).toBe('code_invalid');
    expect(await tokensOf(one)).toBe(7_000);
    // Somebody else may still redeem it (control).
    expect((await redeemAs(other, code)).status).toBe(201);
    const { rows } = await sql<{ reason: string }>`
      select e.reason from redemptions r join ledger_entries e on e.id = r.entry_id join accounts a on a.id = r.account_id
      where a.user_id = ${one.userId}`.execute(stack.db.database.sql);
    expect(rows).toEqual([{ reason: `code …${code.slice(-4)}` }]);
  });

  test('that is unknown, used, expired or revoked is answered alike', async () => {
    const [used, expired, revoked] = [await madeOne(), await madeOne(), await madeOne()];
    expect((await redeemAs(await stack.person(), used.code)).status).toBe(201);
    await sql`update code_batches set expires_at = now() - interval '1 second' where id = ${expired.batchId}`.execute(
      stack.db.database.sql,
    );
    const path = `/api/admin/codes/${revoked.batchId}/revoke`;
    expect((await admin.call('POST', path, { reason: '잘못 만듦' })).body).toMatchObject({ revoked: 1 });
    const person = await stack.person();
    const answers = [];
    for (const code of [used.code, expired.code, revoked.code, '0000-0000-0000-0000', '가'])
      answers.push(await redeemAs(person, code));
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
    const said = answers.map(({ body }) => JSON.stringify({ ...body, requestId: null }));
    expect([new Set(said).size, answers[0]?.body.code]).toEqual([1, 'code_invalid']);
    expect(await tokensOf(person)).toBe(0);
  });

  test('of ten uses is redeemed by ten of a hundred accounts that come at once', async () => {
    const { code, batchId } = await madeOne({ maxUses: 10 });
    const people = await Promise.all(Array.from({ length: 100 }, () => stack.person()));
    const answers = await Promise.all(people.map((person) => redeemAs(person, code)));
    const count = (status: number) => answers.filter((answer) => answer.status === status).length;
    // Whoever waits too long for the others is asked to try again.
    expect([count(201), count(404) + count(503)]).toEqual([10, 90]);
    const { body } = await admin.call('GET', `/api/admin/codes/${batchId}`);
    expect(body.items).toMatchObject([{ uses: 10, maxUses: 10, hint: code.slice(-4) }]);
    const { rows } = await sql<{ n: number; tokens: number }>`
      select count(*)::int as n, sum(e.tokens)::int as tokens from redemptions r
        join redemption_codes c on c.id = r.code_id join ledger_entries e on e.id = r.entry_id
      where c.batch_id = ${batchId}`.execute(stack.db.database.sql);
    expect(rows).toEqual([{ n: 10, tokens: 70_000 }]);
  });

  test('that one account sends forty times at once is redeemed once', async () => {
    const { batch, codes } = await makeBatch(stack.db, {
      actor: CLI_ACTOR,
      count: 1,
      tokens: 500,
      maxUses: 50,
      expiresAt: null,
      reason: 'x',
      key: randomUUID(),
    });
    const person = await stack.person();
    const hash = createHash('sha256')
      .update(codes[0]?.replaceAll('-', '') ?? '')
      .digest();
    const { database } = stack.db;
    const answers = await Promise.allSettled(
      Array.from({ length: 40 }, () => redeemCode(database, { userId: person.userId, hash })),
    );
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await tokensOf(person)).toBe(500);
    expect((await admin.call('GET', `/api/admin/codes/${batch.batchId}`)).body.items).toMatchObject([{ uses: 1 }]);
  });
});

describe('tries', () => {
  test('are five an hour of an account, the right code among them', async () => {
    const person = await stack.person();
    const { code } = await madeOne();
    for (let n = 0; n < 5; n += 1) expect((await redeemAs(person, `wrong ${n}`)).status).toBe(404);
    const { status, body, headers } = await redeemAs(person, code);
    expect([status, body.code]).toEqual([429, 'rate_limited']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(3_000);
    // Another account still may (control).
    expect((await redeemAs(await stack.person(), code)).status).toBe(201);
  });

  test('are twenty an hour from one address, whoever tries', async () => {
    const people = await Promise.all(Array.from({ length: 6 }, () => stack.person()));
    const answers = [];
    for (const person of people)
      for (let n = 0; n < 4; n += 1) answers.push((await redeemAs(person, 'wrong', '198.51.100.7')).status);
    expect(answers).toEqual([...Array<number>(20).fill(404), ...Array<number>(4).fill(429)]);
    // What somebody outside wrote before the proxy's own does not count, and the network of an IPv6 address is one.
    const last = people[5] ?? admin;
    expect((await redeemAs(last, 'wrong', '1.1.1.1, 198.51.100.7')).status).toBe(429);
    expect((await redeemAs(await stack.person(), 'wrong', '198.51.100.8')).status).toBe(404);
  });
});

describe('an admin', () => {
  test('makes a batch once, whose codes are nowhere afterwards, and the audit log says so', async () => {
    const key = randomUUID();
    const { status, body } = await make({ count: 3, maxUses: 4, expiresAt: '2030-01-01T00:00:00+09:00' }, key);
    expect([status, body.codes.length, new Set(body.codes).size]).toEqual([201, 3, 3]);
    expect(body).toMatchObject({ tokens: 7_000, maxUses: 4, expiresAt: '2029-12-31T15:00:00.000Z', uses: 0 });
    expect((await make({ count: 3 }, key)).body.code).toBe('idempotency_conflict');
    const codes = body.codes as string[];
    for (const table of ['code_batches', 'redemption_codes', 'audit_entries']) {
      const { rows } = await sql<{ text: string }>`select t::text as text from ${sql.table(table)} t`.execute(
        stack.db.database.sql,
      );
      const text = rows.map((row) => row.text).join('\n');
      expect([table, codes.filter((code) => text.includes(code) || text.includes(code.replaceAll('-', '')))]).toEqual([
        table,
        [],
      ]);
    }
    const list = await admin.call('GET', '/api/admin/codes?limit=1');
    expect(list.body).toMatchObject({
      items: [{ batchId: body.batchId, codes: 3, uses: 0, revoked: 0, reason: '행사' }],
    });
    const audit = await admin.call('GET', `/api/admin/audit?target=code_batch:${body.batchId}`);
    expect(audit.body.items).toMatchObject([
      { action: 'codes.make', reason: '행사', after: { codes: 3, tokens: 7_000 } },
    ]);
  });

  test('gets it as CSV, revokes one code of it, and the others are good (control)', async () => {
    const answer = await fetch(`${stack.url}/api/admin/codes`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${admin.token}`,
        accept: 'text/csv',
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
      },
      body: JSON.stringify({ count: 2, tokens: 9, reason: '행사' }),
    });
    const [head, ...lines] = (await answer.text()).trim().split('\r\n');
    expect([answer.status, head, lines.length]).toEqual([201, 'code,tokens,maxUses,expiresAt', 2]);
    const codes = lines.map((line) => line.split(',')[0] ?? '');
    const batchId = /codes-(.{36})\.csv/.exec(answer.headers.get('content-disposition') ?? '')?.[1] ?? '';
    const { body } = await admin.call('GET', `/api/admin/codes/${batchId}`);
    const first = (body.items as { codeId: number; hint: string }[]).find(({ hint }) => codes[0]?.endsWith(hint));
    const path = `/api/admin/codes/${batchId}/revoke`;
    expect((await admin.call('POST', path, { codeId: 9_999_999, reason: 'x' })).status).toBe(404);
    const revoked = await admin.call('POST', path, { codeId: first?.codeId, reason: '잃어버림' });
    expect(revoked.body).toMatchObject({ codes: 2, revoked: 1 });
    const person = await stack.person();
    expect((await redeemAs(person, codes[0] ?? '')).status).toBe(404);
    expect((await redeemAs(person, codes[1] ?? '')).status).toBe(201);
    const audit = await admin.call('GET', `/api/admin/audit?target=code_batch:${batchId}&action=codes.revoke`);
    expect(audit.body.items).toMatchObject([{ reason: '잃어버림', after: { codeId: first?.codeId, revoked: 1 } }]);
  });

  test('alone may, and makes nothing that is no batch', async () => {
    const person = await stack.person();
    for (const [method, path] of [
      ['POST', '/api/admin/codes'],
      ['GET', '/api/admin/codes'],
      ['GET', `/api/admin/codes/${randomUUID()}`],
      ['POST', `/api/admin/codes/${randomUUID()}/revoke`],
    ] as const)
      expect((await person.call(method, path)).status).toBe(403);
    for (const wrong of [
      { count: 0 },
      { count: 1_001 },
      { tokens: 0 },
      { tokens: 1.5 },
      { maxUses: 0 },
      { expiresAt: '2020-01-01T00:00:00Z' },
      { expiresAt: 'tomorrow' },
      { reason: ' ' },
    ])
      expect([wrong, (await make(wrong)).status]).toEqual([wrong, 400]);
    expect((await admin.call('GET', `/api/admin/codes/${randomUUID()}`)).status).toBe(404);
  });
});
