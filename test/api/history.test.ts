import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { csvLine } from '../../api/http/csv.ts';
import { publishRates } from '../../db/money/rates.ts';
import { settleTurn } from '../../db/turns/settle.ts';
import { setTestUsage } from '../../db/money/usage.ts';
import { dayOf, monthOf } from '../../domain/period.ts';
import {
  accept,
  createPerson,
  MODEL,
  open,
  reserve,
  runTurn,
  store,
  storedAnswer,
  type Person,
} from '../db/fixture.ts';
import { personAtUrl, startTestStack, type TestStack } from '../support/stack.ts';
import { clockFrom } from '../support/clock.ts';

const DAY = 86_400_000;
let stack: TestStack;
let person: Person;
beforeAll(async () => {
  stack = await startTestStack({}, { works: false, now: clockFrom(now) });
});
beforeEach(async () => {
  person = await createPerson(stack.db.database);
});
afterAll(() => stack.close());

const now = () => Date.now();
const history = (query: string, headers?: Record<string, string>) =>
  personAtUrl(stack.url, person.userId, person.token).call('GET', `/api/ai-usage/history${query}`, undefined, headers);
const csv = async (query: string) => {
  const response = await personAtUrl(stack.url, person.userId, person.token).raw(
    'GET',
    `/api/ai-usage/history${query}`,
    undefined,
    { accept: 'text/csv' },
  );
  return { status: response.status, headers: response.headers, text: await response.text() };
};
const run = (used: number, at?: number) => runTurn(stack.db.database, person, { used, now: at });
const month = () => monthOf(now(), 'Asia/Seoul');

describe('by day, model and turn', () => {
  test('the items say the same sum: the period’s used tokens, adjustments apart', async () => {
    const [dearer] = await publishRates(stack.db.database, [
      { ...MODEL, name: 'dear', rate: { input: 2000, cachedInput: 500, output: 4000 } },
    ]);
    await run(700);
    const { turnId, conversationId } = await accept(stack.db.database, person, { model: 'dear' });
    await reserve(stack.db.database, turnId, { model: dearer! });
    const { number } = await open(stack.db.database, turnId, { model: dearer! });
    const usage = { promptTokens: 30, cachedTokens: 10, completionTokens: 12, reasoningTokens: 0 };
    await settleTurn(stack.db.database, {
      turnId,
      answer: await storedAnswer(store(stack.db.database, turnId, number, { usage })),
    });
    await setTestUsage(stack.db.database, { accountId: person.accountId, percent: 1 });

    const today = dayOf(now(), 'Asia/Seoul');
    expect((await history('')).body).toEqual({
      month: month(),
      nextCursor: null,
      items: [
        {
          day: today,
          turns: 2,
          promptTokens: 30,
          cachedTokens: 10,
          completionTokens: 712,
          usedTokens: 1_000,
          adjustedTokens: 207,
        },
      ],
    });
    expect((await history('?by=model')).body).toEqual({
      month: month(),
      nextCursor: null,
      items: [
        {
          model: 'dear',
          rateVersions: [1],
          turns: 1,
          promptTokens: 30,
          cachedTokens: 10,
          completionTokens: 12,
          usedTokens: 93,
        },
        {
          model: 'm',
          rateVersions: [1],
          turns: 1,
          promptTokens: 0,
          cachedTokens: 0,
          completionTokens: 700,
          usedTokens: 700,
        },
        {
          model: null,
          rateVersions: [],
          turns: 0,
          promptTokens: 0,
          cachedTokens: 0,
          completionTokens: 0,
          usedTokens: 207,
        },
      ],
    });
    expect((await history('?by=turn')).body).toMatchObject({
      month: month(),
      nextCursor: null,
      items: [
        {
          turnId,
          conversationId,
          day: today,
          bookedAt: expect.stringMatching(/Z$/),
          model: 'dear',
          rateVersion: 1,
          promptTokens: 30,
          cachedTokens: 10,
          completionTokens: 12,
          debitedTokens: 93,
          estimated: false,
          label: null,
        },
        { model: 'm', debitedTokens: 700 },
      ],
    });
    const usageState = await personAtUrl(stack.url, person.userId, person.token).call('GET', '/api/ai-usage');
    expect(usageState.body.usedTokens).toBe(1_000);
  });

  test.each(['day', 'turn', 'model'])(
    'by %s: pages of 2 are the whole list, in its order, without gap or repeat',
    async (by) => {
      const begin = Date.parse('2026-03-05T12:00:00+09:00');
      for (const [i, name] of ['c', 'a', 'b', 'e', 'd'].entries()) {
        const [model] = await publishRates(stack.db.database, [{ ...MODEL, name }]);
        await runTurn(stack.db.database, person, {
          used: 10 + i,
          now: begin + i * DAY,
          send: { model: name },
          model: model!,
        });
      }
      const whole = (await history(`?by=${by}&month=2026-03`)).body.items;
      expect(whole).toHaveLength(5);
      const paged = [];
      for (let cursor: string | null = '', pages = 0; cursor !== null; pages += 1) {
        const { status, body }: { status: number; body: any } = await history(
          `?by=${by}&month=2026-03&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
        );
        expect([status, body.items.length, pages < 3]).toEqual([200, pages === 2 ? 1 : 2, true]);
        paged.push(...body.items);
        cursor = body.nextCursor;
      }
      expect(paged).toEqual(whole);
      const order = {
        day: whole
          .map(({ day }: any) => day)
          .toSorted()
          .reverse(),
        model: ['a', 'b', 'c', 'd', 'e'],
        turn: ['d', 'e', 'b', 'a', 'c'],
      };
      expect(whole.map((item: any) => (by === 'day' ? item.day : item.model))).toEqual(order[by as keyof typeof order]);
    },
  );

  test('is the account’s own: another sees nothing of it', async () => {
    await run(700);
    person = await createPerson(stack.db.database);
    for (const by of ['day', 'turn', 'model']) expect((await history(`?by=${by}`)).body.items).toEqual([]);
  });
});

describe('a month', () => {
  test('is a period by its label; the open one by default, also when nothing has been booked in it yet', async () => {
    await run(10, now() - 40 * DAY);
    const earlier = monthOf(now() - 40 * DAY, 'Asia/Seoul');
    expect((await history('')).body).toEqual({ month: month(), items: [], nextCursor: null });
    expect((await history(`?month=${earlier}`)).body).toMatchObject({ month: earlier, items: [{ usedTokens: 10 }] });
    await run(20);
    expect((await history('')).body).toMatchObject({ month: month(), items: [{ usedTokens: 20 }] });
  });

  test('before the account is empty; one that has not begun is 400', async () => {
    for (const by of ['day', 'turn', 'model'])
      expect((await history(`?month=2001-01&by=${by}`)).body).toEqual({
        month: '2001-01',
        items: [],
        nextCursor: null,
      });
    const next = monthOf(now() + 32 * DAY, 'Asia/Seoul');
    for (const future of [next, '9999-12'])
      expect(await history(`?month=${future}`)).toMatchObject({
        status: 400,
        body: { code: 'invalid_request', field: 'month' },
      });
    expect((await csv(`?month=${next}`)).status).toBe(400);
  });
});

test.each([
  ['by=week', 'by'],
  ['month=2026-13', 'month'],
  ['month=2026-1', 'month'],
  ['month=', 'month'],
  ['limit=0', 'limit'],
  ['limit=101', 'limit'],
  ['cursor=x', 'cursor'],
  ['since=1', 'since'],
  [`by=turn&cursor=${Buffer.from('["x"]').toString('base64url')}`, 'cursor'],
  [`by=turn&cursor=${Buffer.from('[1e300]').toString('base64url')}`, 'cursor'],
  [`by=day&cursor=${Buffer.from('["x"]').toString('base64url')}`, 'cursor'],
  [`by=model&cursor=${Buffer.from('["\\u0000"]').toString('base64url')}`, 'cursor'],
])('?%s is refused by its name', async (query, field) => {
  await run(1);
  expect(await history(`?${query}`)).toMatchObject({ status: 400, body: { code: 'invalid_request', field } });
});

describe('as CSV', () => {
  test('the same items with a header, as a file of its own name', async () => {
    await run(700);
    await setTestUsage(stack.db.database, { accountId: person.accountId, percent: 0.5 });
    const { status, headers, text } = await csv('?by=day');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    expect(headers.get('content-disposition')).toBe(`attachment; filename="turnkeeper-${month()}-by-day.csv"`);
    // Numbers below 0 are still numbers.
    expect(text).toBe(
      `day,turns,promptTokens,cachedTokens,completionTokens,usedTokens,adjustedTokens\r\n${dayOf(now(), 'Asia/Seoul')},1,0,0,700,500,-200\r\n`,
    );
    expect((await csv('?by=model')).text).toBe(
      'model,rateVersions,turns,promptTokens,cachedTokens,completionTokens,usedTokens\r\nm,1,1,0,0,700,700\r\n,,0,0,0,0,-200\r\n',
    );
    expect((await csv('?by=turn')).text).toMatch(
      /^turnId,conversationId,day,bookedAt,model,rateVersion,[^\r]*\r\n[0-9a-f-]{36},[0-9a-f-]{36},[0-9-]{10},[0-9T:.-]+Z,m,1,0,0,700,700,false,\r\n$/,
    );
  });

  test('is the whole month whatever the limit, more lines than one query reads, and only a header when empty', async () => {
    expect((await csv('?by=turn')).text.trimEnd().split('\r\n')).toHaveLength(1);
    await run(1);
    await seedDebits(2_500);
    const lines = (await csv('?by=turn&limit=1')).text.trimEnd().split('\r\n');
    expect(lines).toHaveLength(2_502);
    expect(new Set(lines).size).toBe(2_502);
  });

  test.each([
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\tx', "'\tx"],
    ['\r=1', '"\'\r=1"'],
    ['=a"b', '"\'=a""b"'],
    ['＝1', "'＝1"],
    ['a,b', '"a,b"'],
    ['say "x"', '"say ""x"""'],
    ['two\nlines', '"two\nlines"'],
    ['가=나', '가=나'],
    ['', ''],
  ])('%j is written as %s', (cell, written) => {
    expect(csvLine([cell, -5, null, true])).toBe(`${written},-5,,true\r\n`);
  });
});

/** Adds so many debits to the person's month, without the rows that no page reads. */
async function seedDebits(count: number): Promise<void> {
  await stack.db.database.transaction(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx);
    await sql`with more as (select gen_random_uuid() as id from generate_series(1, ${count}::int)), asked as (
        insert into turns (id, user_id, account_id, conversation_id, sequence, model, body_hash, question, question_tokens, encoding)
        select id, ${person.userId}, ${person.accountId}, id, 1, 'm', '', 'q', 1, 'o200k_base' from more
      )
      insert into ledger_entries (account_id, period_id, day, kind, turn_id, hold_id, rate_id, prompt_tokens, cached_tokens, completion_tokens, tokens,
        purchased_delta, debt_delta, spent_purchased_delta, spent_allowance_delta, overage_delta, used_delta)
      select account_id, period_id, day, kind, more.id, more.id, rate_id, prompt_tokens, cached_tokens, completion_tokens, tokens,
        purchased_delta, debt_delta, spent_purchased_delta, spent_allowance_delta, overage_delta, used_delta
      from ledger_entries, more where account_id = ${person.accountId}`.execute(tx);
  });
}
