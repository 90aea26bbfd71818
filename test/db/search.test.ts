import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { listConversations } from '../../db/conversations/conversations.ts';
import { one } from '../../db/database.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { explainGeneric, explainRun, recordStatements } from '../support/plans.ts';
import { createPerson, runTurn, type Person } from './fixture.ts';

const CONVERSATIONS = 3_000;
let db: TestDatabase;
let [mine, other]: Person[] = [];

beforeAll(async () => {
  db = await createTestDatabase();
  [mine, other] = [await createPerson(db.database), await createPerson(db.database)];
  for (const { userId } of [mine, other])
    await sql`insert into conversations (id, user_id, title, listed_at)
      select gen_random_uuid(), ${userId}, '오늘 ' || n || '번째 날씨와 저녁 메뉴' || case n % 1000 when 7 then ' 그리고 자율주행자동차 꽃' else '' end, now()
      from generate_series(1, ${CONVERSATIONS}::int) n`.execute(db.database.sql);
  await sql`insert into conversations (id, user_id, title, listed_at) values
    (gen_random_uuid(), ${mine.userId}, ${'한글로 쓴 제목'.normalize('NFD')}, now()),
    (gen_random_uuid(), ${mine.userId}, ${'Ｆｕｌｌ width'}, now())`.execute(db.database.sql);
  await sql`vacuum analyze conversations`.execute(db.database.sql);
});
afterAll(() => db.close());

const list = (database = db.database, search: string | null = null, person = mine) =>
  listConversations(database, { userId: person?.userId ?? 0, search, archived: false, limit: 50, cursor: null });
const titles = async (search: string) => (await list(db.database, search)).items.map(({ title }) => title);

describe('a search of titles', () => {
  test.each([
    ['one syllable', '꽃'],
    ['two syllables', '자동'],
    ['five syllables', '자율주행자'],
    ['a word and a syllable', '자율주행자동차 꽃'],
    ['a part that crosses words', '와 저녁 메뉴 그'],
  ])('for %s looks at what it finds, and at nobody else’s', async (_, search) => {
    const { database, statements } = recordStatements(db.database);
    const { items } = await list(database, search);
    expect(items).toHaveLength(3);
    const [statement] = statements;
    if (statement === undefined) throw new Error('the list is one statement');
    for (const access of [await explainRun(db.database.sql, statement), await explainGeneric(db.url, statement)]) {
      expect(access.filter(({ scans }) => scans)).toEqual([]);
      expect(access.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThanOrEqual(4 * items.length);
    }
  });

  test('finds one form of the letters by another, in any case', async () => {
    expect(await titles('한글로')).toEqual(['한글로 쓴 제목'.normalize('NFD')]);
    expect(await titles('한글로'.normalize('NFD'))).toEqual(['한글로 쓴 제목'.normalize('NFD')]);
    expect(await titles('full W')).toEqual(['Ｆｕｌｌ width']);
  });

  test('for nothing but spaces is the whole list', async () => {
    expect(await titles(' \u00a0')).toHaveLength(50);
    expect(await titles('\u0085')).toEqual([]);
  });

  test('has the same keys for whole texts, in time that grows with their length', async () => {
    const { keys, ms } = await one(
      sql<{ keys: number; ms: number }>`
        with before as materialized (select clock_timestamp() as at), found as materialized (
          select cardinality(search_keys(1, (select string_agg(chr(19968 + n % 20000), '') from generate_series(1, 32000) n))) as keys from before
        ) select keys, extract(epoch from clock_timestamp() - at)::float8 * 1000 as ms from found, before`,
      db.database.sql,
    );
    // Each of 20,000 characters, and each pair of neighbours.
    expect(keys).toBe(40_000);
    // With a time that grows with the square it is minutes.
    expect(ms).toBeLessThan(10_000);
  });
});

test('a search of what was said is not used up by a thousand answers of the OpenAI door, which are in no list', async () => {
  const person = await createPerson(db.database);
  await runTurn(db.database, person, { text: '석촌호수를 권합니다' });
  await sql`with c as (
      insert into conversations (id, user_id, last_sequence) select gen_random_uuid(), ${person.userId}, 1 from generate_series(1, 1000) returning id
    ) insert into turns (id, user_id, account_id, conversation_id, sequence, state, model, body_hash, question, question_tokens, encoding, answer, attempt,
      ever_admitted, is_api, created_at, ended_at)
    select gen_random_uuid(), ${person.userId}, ${person.accountId}, id, 1, 'completed', 'm', '\\x00', '', 1, 'o200k_base', '석촌호수', 1,
      true, true, now() + interval '1 second', now() from c`.execute(db.database.sql);
  expect((await list(db.database, '석촌호수', person)).items).toMatchObject([{ found: { match: '석촌호수' } }]);
});
