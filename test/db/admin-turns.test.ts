import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { countFailures, listTurns, selectFailureCounts, selectTurns } from '../../db/reports/admin-turns.ts';
import { countFailuresOverTime, selectFailuresOverTime } from '../../db/reports/failures-over-time.ts';
import { decideBuckets, type Bucket } from '../../domain/failure-buckets.ts';
import type { TurnFilter } from '../../domain/turn-filter.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { rows } from './fixture.ts';
import { explain, seedTurns } from './seed-turns.ts';

const TURNS = 30_000;
let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await seedTurns(db.database, TURNS);
});
afterAll(() => db.close());

const AN_HOUR_IN_JANUARY = { from: Date.parse('2026-01-20T00:00:00Z'), to: Date.parse('2026-01-20T01:00:00Z') };
const JANUARY = Date.parse('2026-01-20T00:00:00Z');
const CONVERSATION = '00000000-0000-7000-8000-000000000005';
const FILTERS: TurnFilter[] = [
  {},
  { state: 'completed' },
  { state: 'stopped' },
  { state: 'failed' },
  { state: 'refused' },
  { state: 'accepted' },
  { state: 'running' },
  { code: 'model_timeout' },
  { code: 'context_length' },
  { code: 'content_filtered' },
  { state: 'failed', code: 'context_length' },
  { userId: 1007 },
  { userId: 1 },
  { userId: 1007, state: 'failed' },
  { userId: 1007, code: 'interrupted' },
  { userId: 1007, model: 'b' },
  { userId: 1007, replayed: true },
  { conversationId: CONVERSATION },
  { conversationId: CONVERSATION, state: 'failed' },
  { model: 'a' },
  { model: 'b' },
  { model: 'rare' },
  { model: 'none' },
  { model: 'b', state: 'failed' },
  { model: 'rare', state: 'failed' },
  { model: 'b', code: 'model_timeout' },
  AN_HOUR_IN_JANUARY,
  { ...AN_HOUR_IN_JANUARY, state: 'failed' },
  { ...AN_HOUR_IN_JANUARY, code: 'model_timeout' },
  { ...AN_HOUR_IN_JANUARY, userId: 1007 },
  { ...AN_HOUR_IN_JANUARY, model: 'rare' },
  { replayed: true },
  { replayed: false },
  { replayed: true, state: 'failed' },
  { replayed: true, code: 'model_timeout' },
  { replayed: false, state: 'failed' },
];

describe('with 30,000 turns in the table', () => {
  test.each(FILTERS)('a page of %j looks at little more than it shows, by an index', async (filter) => {
    const { rows: looked, ways } = await explain(db.database.sql, selectTurns({ filter, limit: 50, cursor: null }));
    expect(ways.join()).not.toContain('Seq Scan');
    expect(looked).toBeLessThan(2 * 51);
  });

  test.each(FILTERS)('the counts of %j look at failures only, by an index', async (filter) => {
    const query = selectFailureCounts(filter);
    if (query === null) return expect(['completed', 'stopped', 'accepted', 'running']).toContain(filter.state);
    const { rows: looked, ways } = await explain(db.database.sql, query);
    expect(ways.join()).not.toContain('Seq Scan');
    const matching = (await query.execute(db.database.sql)).rows.reduce((sum, { count }) => sum + count, 0);
    expect(looked).toBeLessThan(1.1 * matching + 400);
  });

  test.each<[Bucket, number, Omit<TurnFilter, 'state' | 'from' | 'to'>]>([
    ['hour', 7, {}],
    ['day', 20, {}],
    ['hour', 1, { code: 'model_timeout' }],
    ['day', 20, { userId: 1007 }],
    ['hour', 7, { userId: 1007, code: 'interrupted' }],
    ['day', 20, { model: 'b' }],
    ['day', 20, { model: 'rare' }],
    ['day', 20, { replayed: true }],
    ['day', 20, { replayed: false }],
    ['day', 20, { conversationId: CONVERSATION }],
    ['hour', 7, { conversationId: CONVERSATION, code: 'interrupted' }],
  ])(
    'the failures by %s of %i days of %j look at no more than failed in them, by an index',
    async (bucket, days, filter) => {
      const buckets = decideBuckets({ bucket, from: JANUARY - days * 86_400_000, to: JANUARY }, 0, 'Asia/Seoul');
      const { rows: looked, ways } = await explain(db.database.sql, selectFailuresOverTime(filter, buckets));
      expect(ways.join()).not.toContain('Seq Scan');
      const [{ failed }] = (await rows(
        db.database.sql,
        sql<{
          failed: number;
        }>`select count(*)::int as failed from turns where state = 'failed' and created_at < ${new Date(JANUARY)} and created_at >= ${new Date(JANUARY - days * 86_400_000)}
      ${filter.code === undefined ? sql`` : sql`and error_code = ${filter.code}`} ${filter.userId === undefined ? sql`` : sql`and user_id = ${filter.userId}`}`,
      )) as [{ failed: number }];
      expect(failed).toBeGreaterThan(0);
      expect(looked).toBeLessThan(1.1 * failed + 30);
    },
  );

  test('control: the failures of a range by what no index orders are caught', async () => {
    const { rows: looked } = await explain(
      db.database.sql,
      sql`select date_trunc('day', t.ended_at), error_code, count(*) from turns t where state = 'failed' and t.ended_at < ${new Date(JANUARY - 12 * 86_400_000)} group by 1, 2`,
    );
    expect(looked).toBeGreaterThan(1_150);
  });

  test('control: the same page without its index, and one in another order, are caught', async () => {
    const seen = { withoutIndex: 0, otherOrder: 0 };
    const undone = new Error('undone');
    await db.database
      .transaction(async (tx) => {
        await sql`drop index turns_without_answer, turns_by_error`.execute(tx);
        seen.withoutIndex = (
          await explain(tx, selectTurns({ filter: { state: 'stopped' }, limit: 50, cursor: null }))
        ).rows;
        seen.otherOrder = (
          await explain(tx, sql`select id from turns t where t.model = 'a' order by t.ended_at desc limit 51`)
        ).rows;
        throw undone;
      })
      .catch((error: unknown) => expect(error).toBe(undone));
    expect(seen.withoutIndex).toBeGreaterThan(2 * 51);
    expect(seen.otherOrder).toBeGreaterThan(25_000);
  });
});

describe('pages', () => {
  test.each<TurnFilter>([
    { state: 'failed', model: 'b' },
    { userId: 1002, state: 'refused' },
    { conversationId: CONVERSATION },
    { ...AN_HOUR_IN_JANUARY, replayed: false },
  ])('of %j put together are all that match, newest first, each once', async (filter) => {
    const seen: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await listTurns(db.database, { filter, limit: 7, cursor: cursor ?? null });
      seen.push(...page.items.map(({ turnId }) => turnId));
      cursor = page.nextCursor;
    }
    const all = await rows(
      db.database.sql,
      sql<
        TurnFilter & { id: string }
      >`select id, state, user_id::float8 as "userId", conversation_id as "conversationId", model,
        extract(epoch from created_at) * 1000 as at, replayed_at is not null as replayed from turns order by created_at desc, id desc`,
    );
    const { from = -Infinity, to = Infinity, ...equal } = filter;
    const wanted = all
      .filter(
        (turn) =>
          Object.entries(equal).every(([name, value]) => turn[name as keyof TurnFilter] === value) &&
          Number((turn as { at?: string }).at) >= from &&
          Number((turn as { at?: string }).at) < to,
      )
      .map(({ id }) => id);
    expect(wanted.length).toBeGreaterThan(7);
    expect(seen).toEqual(wanted);
  });

  test('go on in order where many were accepted at the same instant', async () => {
    const ids = await twins(20);
    const { items, nextCursor } = await listTurns(db.database, { filter: { model: 'twin' }, limit: 13, cursor: null });
    const rest = await listTurns(db.database, { filter: { model: 'twin' }, limit: 13, cursor: nextCursor });
    expect([...items, ...rest.items].map(({ turnId }) => turnId)).toEqual(ids.sort().reverse());
  });

  test('carry no text', async () => {
    const { items } = await listTurns(db.database, { filter: { state: 'completed' }, limit: 1, cursor: null });
    expect(items).toMatchObject([{ content: null, state: 'completed' }]);
  });

  test.each(['WyJ4IiwieSJd', 'x', Buffer.from('["2026-01-01","no uuid"]').toString('base64url')])(
    'the cursor %s is refused',
    async (cursor) => {
      await expect(listTurns(db.database, { filter: {}, limit: 5, cursor })).rejects.toMatchObject({
        code: 'invalid_request',
      });
    },
  );
});

test('failures are counted by code, most frequent first, and refusals apart', async () => {
  expect(await countFailures(db.database, {})).toEqual([
    { code: 'interrupted', count: 600, more: false },
    { code: 'model_timeout', count: 300, more: false },
    { code: 'model_unavailable', count: 300, more: false },
    { code: 'context_length', count: 30, more: false },
    { code: 'content_filtered', count: 20, more: false },
  ]);
  expect(await countFailures(db.database, { state: 'refused' })).toEqual([
    { code: 'TOKEN_EXHAUSTED', count: 300, more: false },
  ]);
  expect(await countFailures(db.database, { code: 'model_timeout', model: 'b' })).toEqual([
    { code: 'model_timeout', count: 10, more: false },
  ]);
  expect(await countFailures(db.database, { state: 'completed' })).toEqual([]);
  const [{ id }] = (await rows(
    db.database.sql,
    sql<{
      id: string;
    }>`select conversation_id as id from turns where state = 'failed' and error_code = 'interrupted' limit 1`,
  )) as [{ id: string }];
  const [counted] = await countFailures(db.database, { conversationId: id, code: 'interrupted' });
  expect(counted?.count).toBeGreaterThan(0);
});

test('failures over time are what a plain count says, bucket by bucket', async () => {
  for (const [bucket, filter] of [
    ['hour', {}],
    ['day', { model: 'b' }],
    ['day', { userId: 1007 }],
    ['hour', { conversationId: CONVERSATION }],
    ['day', { conversationId: CONVERSATION }],
  ] as const) {
    const from = Date.parse('2026-01-01T00:10:00Z');
    const buckets = decideBuckets({ bucket, from, to: from + 6.5 * 86_400_000 }, 0, 'Asia/Seoul');
    const counted = await countFailuresOverTime(db.database, { filter, buckets });
    expect(counted.map(({ from, to }) => ({ from, to }))).toEqual(buckets);
    const all = await rows(
      db.database.sql,
      sql<{
        at: number;
        code: string;
      }>`select extract(epoch from created_at)::float8 * 1000 as at, error_code as code from turns
      where state = 'failed' and model = coalesce(${'model' in filter ? filter.model : null}, model) and user_id = coalesce(${'userId' in filter ? filter.userId : null}, user_id)
        and conversation_id = coalesce(${'conversationId' in filter ? filter.conversationId : null}::uuid, conversation_id)`,
    );
    const plain = buckets.map((span) =>
      Object.fromEntries(
        [
          ...Map.groupBy(
            all.filter(({ at }) => at >= span.from && at < span.to),
            ({ code }) => code,
          ),
        ].map(([code, turns]) => [code, turns.length]),
      ),
    );
    expect(counted.map(({ counts }) => Object.fromEntries(counts.map(({ code, count }) => [code, count])))).toEqual(
      plain,
    );
    expect(plain.some((counts) => Object.keys(counts).length > 0)).toBe(true);
    for (const { counts } of counted)
      expect(counts.map(({ count }) => count)).toEqual(counts.map(({ count }) => count).sort((a, b) => b - a));
  }
});

test('counting stops at 10,000 and says so', async () => {
  await twins(10_001, 'model_rejected');
  expect(await countFailures(db.database, { code: 'model_rejected' })).toEqual([
    { code: 'model_rejected', count: 10_000, more: true },
  ]);
  const [lately] = await countFailuresOverTime(db.database, {
    filter: { code: 'model_rejected' },
    buckets: [{ from: Date.now() - 3_600_000, to: Date.now() + 1_000 }],
  });
  expect(lately?.counts).toEqual([{ code: 'model_rejected', count: 10_000, more: true }]);
  await sql`delete from turns where id in (select id from turns where error_code = 'model_rejected' limit 1)`.execute(
    db.database.sql,
  );
  expect(await countFailures(db.database, { code: 'model_rejected' })).toEqual([
    { code: 'model_rejected', count: 10_000, more: false },
  ]);
});

/**
 * Makes failed turns with the same instant in one conversation.
 * @returns their ids.
 */
async function twins(count: number, code = 'content_filtered'): Promise<string[]> {
  await sql`insert into conversations (id, user_id) values (gen_random_uuid(), 1000)`.execute(db.database.sql);
  const inserted = await rows(
    db.database.sql,
    sql<{ id: string }>`
    insert into turns (id, user_id, account_id, conversation_id, sequence, state, model, body_hash, question, question_tokens, encoding, error_code, ever_admitted, ended_at, created_at)
    select gen_random_uuid(), 1000, 1000, (select id from conversations where last_sequence = 0 order by created_at desc limit 1), n, 'failed', 'twin', '\\x00', 'q', 1, 'o200k_base', ${code}, true,
      now(), now() from generate_series(1, ${count}::int) n returning id`,
  );
  return inserted.map(({ id }) => id);
}
