import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import {
  createConversation,
  getConversation,
  listConversations,
  updateConversation,
} from '../../db/conversations/conversations.ts';
import { encodeCursor } from '../../db/page.ts';
import { listMessages } from '../../db/conversations/messages.ts';
import { settleTurn } from '../../db/turns/settle.ts';
import { readTranscript } from '../../db/turns/transcript.ts';
import { requestStop } from '../../db/turns/turns.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  accept,
  conversationOf,
  countWords,
  createPerson,
  failTurn,
  MODEL,
  newId,
  open,
  reserve,
  runTurn,
  store,
  storedAnswer,
  type Person,
} from './fixture.ts';

let db: TestDatabase;
let person: Person;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  person = await createPerson(db.database);
});

const list = (change: Partial<Parameters<typeof listConversations>[1]> = {}) =>
  listConversations(db.database, {
    userId: person.userId,
    search: null,
    archived: null,
    limit: 50,
    cursor: null,
    ...change,
  });
const create = (title: string | null) => createConversation(db.database, { userId: person.userId, title });
const titles = async (change: Parameters<typeof list>[0] = {}) => (await list(change)).items.map(({ title }) => title);
const fail = (turnId: string) => failTurn(db.database, turnId);

describe('the list of conversations', () => {
  test('shows a person’s own, newest activity first', async () => {
    await create('one');
    const two = await create('two');
    await createConversation(db.database, { userId: (await createPerson(db.database)).userId, title: 'a stranger’s' });
    expect(await titles()).toEqual(['two', 'one']);
    await runTurn(db.database, person, { send: { conversationId: (await list()).items[1]!.conversationId } });
    expect(await titles()).toEqual(['one', 'two']);
    expect((await list()).items.find(({ title }) => title === 'two')).toEqual({ ...two, found: null });
  });

  test('has a conversation from its first admitted turn on; a refused question alone is none', async () => {
    const { turnId } = await accept(db.database, person);
    expect(await titles()).toEqual([]);
    await sql`update accounts set monthly_allowance_tokens = 0 where id = ${person.accountId}`.execute(db.database.sql);
    expect(await reserve(db.database, turnId)).toMatchObject({ state: 'refused' });
    expect(await titles()).toEqual([]);
    await sql`update periods set allowance_tokens = 100000 where account_id = ${person.accountId}`.execute(
      db.database.sql,
    );
    await reserve(db.database, turnId, { runId: 'run-2', isReset: true });
    expect(await titles()).toEqual(['a question']);
  });

  test.each([
    ['the whole of a short question', '안녕하세요', '안녕하세요'],
    ['exactly 40 characters', 'x'.repeat(40), 'x'.repeat(40)],
    ['the first 39 of 41, and a sign that there is more', '가'.repeat(41), `${'가'.repeat(39)}…`],
    [
      '40 code points: an emoji outside the first plane is one, and is not cut in half',
      `${'a'.repeat(38)}😀😀😀`,
      `${'a'.repeat(38)}😀…`,
    ],
  ])('an untitled one is called by %s', async (_, message, title) => {
    await runTurn(db.database, person, { send: { message } });
    expect(await titles()).toEqual([title]);
  });

  test('a later question and a title of its own change no title', async () => {
    const conversationId = await conversationOf(
      db.database,
      await runTurn(db.database, person, { send: { message: 'first' } }),
    );
    await runTurn(db.database, person, { send: { message: 'second', conversationId } });
    const titled = await create('mine');
    await runTurn(db.database, person, { send: { message: 'third', conversationId: titled.conversationId } });
    expect(await titles()).toEqual(['mine', 'first']);
  });

  test('is searched by part of the title in any case; %, _ and \\ mean themselves', async () => {
    for (const title of ['Seoul weather', '100% sure', '100 percent', 'a_b', 'aXb', 'back\\slash', '서울 날씨'])
      await create(title);
    expect(await titles({ search: 'SEOUL' })).toEqual(['Seoul weather']);
    expect(await titles({ search: '서울' })).toEqual(['서울 날씨']);
    expect(await titles({ search: '100%' })).toEqual(['100% sure']);
    expect(await titles({ search: 'a_b' })).toEqual(['a_b']);
    expect(await titles({ search: 'k\\s' })).toEqual(['back\\slash']);
    expect(await titles({ search: 'nothing' })).toEqual([]);
  });

  test('pages meet: every conversation once, in order, also where many share an instant', async () => {
    for (let i = 0; i < 7; i++) await create(`c${i}`);
    await sql`update conversations set updated_at = '2026-11-15T00:00:00.123456Z' where user_id = ${person.userId} and title < 'c4'`.execute(
      db.database.sql,
    );
    const whole = (await list()).items;
    const paged = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const page: Awaited<ReturnType<typeof list>> = await list({ limit: 2, cursor });
      expect(page.items.length).toBeLessThanOrEqual(2);
      paged.push(...page.items);
      cursor = page.nextCursor;
      pages++;
    } while (cursor !== null);
    expect(paged).toEqual(whole);
    expect([paged.length, pages]).toEqual([7, 4]);
  });

  test('a full last page says that nothing follows', async () => {
    await create('one');
    await create('two');
    expect((await list({ limit: 2 })).nextCursor).toBeNull();
    expect((await list({ limit: 1 })).nextCursor).not.toBeNull();
  });

  test.each([
    ['no base64url JSON', 'garbage!'],
    ['another list’s', encodeCursor([1, 2])],
    ['too short', encodeCursor(['2026-11-15'])],
    ['a date that is none', encodeCursor(['yesterday-ish', newId()])],
    ['an id that is none', encodeCursor(['2026-11-15T00:00:00Z', 'x'])],
    ['no list', encodeCursor([]).slice(0, 2)],
  ])('a cursor that is %s is invalid_request', async (_, cursor) => {
    await expect(list({ cursor })).rejects.toMatchObject({ code: 'invalid_request', details: { field: 'cursor' } });
  });
});

describe('one conversation', () => {
  test('is renamed, archived, brought back, and listed so; nothing deletes it', async () => {
    const { conversationId } = await create('old');
    await create('other');
    expect(
      await updateConversation(db.database, { conversationId, userId: person.userId, title: 'new', archived: true }),
    ).toMatchObject({ title: 'new', archived: true });
    expect(await titles({ archived: false })).toEqual(['other']);
    expect(await titles({ archived: true })).toEqual(['new']);
    expect(await titles()).toEqual(['other', 'new']);
    expect(
      await updateConversation(db.database, { conversationId, userId: person.userId, archived: false }),
    ).toMatchObject({ title: 'new', archived: false });
    expect(await getConversation(db.database, { conversationId, userId: person.userId })).toMatchObject({
      title: 'new',
      archived: false,
    });
  });

  test('of a stranger is not_found, like one that is nowhere: to read, to change, and its messages', async () => {
    const stranger = await createConversation(db.database, {
      userId: (await createPerson(db.database)).userId,
      title: 'theirs',
    });
    for (const conversationId of [stranger.conversationId, newId()]) {
      const mine = { conversationId, userId: person.userId };
      await expect(getConversation(db.database, mine)).rejects.toMatchObject({ code: 'not_found', details: {} });
      await expect(updateConversation(db.database, { ...mine, title: 'stolen' })).rejects.toMatchObject({
        code: 'not_found',
        details: {},
      });
      await expect(listMessages(db.database, { ...mine, limit: 10, cursor: null })).rejects.toMatchObject({
        code: 'not_found',
        details: {},
      });
    }
  });
});

describe('messages', () => {
  test('questions of admitted turns with their answers, oldest first; a failed one shows its code, a refused one is not there', async () => {
    const first = await runTurn(db.database, person, { send: { message: 'q1' }, text: 'a1' });
    const conversationId = await conversationOf(db.database, first);
    const failed = await accept(db.database, person, { conversationId, message: 'q2' });
    await reserve(db.database, failed.turnId);
    await fail(failed.turnId);
    const refused = await accept(db.database, person, { conversationId, message: 'q3' });
    await sql`update periods set allowance_tokens = 50 where account_id = ${person.accountId}`.execute(db.database.sql);
    await reserve(db.database, refused.turnId);
    await sql`update periods set allowance_tokens = 100000 where account_id = ${person.accountId}`.execute(
      db.database.sql,
    );
    const running = await accept(db.database, person, { conversationId, message: 'q4' });
    await reserve(db.database, running.turnId);
    const { number } = await open(db.database, running.turnId);
    await store(db.database, running.turnId, number, { text: 'not settled yet' });
    const read = await listMessages(db.database, { conversationId, userId: person.userId, limit: 50, cursor: null });
    expect(
      read.items.map(({ role, content, state, sequence, error }) => [sequence, role, content, state, error]),
    ).toEqual([
      [1, 'user', 'q1', 'completed', null],
      [1, 'assistant', 'a1', 'completed', null],
      [2, 'user', 'q2', 'failed', 'model_timeout'],
      [4, 'user', 'q4', 'running', null],
    ]);
    expect(read.items.map(({ usage, finishReason }) => [usage?.totalTokens, finishReason])).toEqual([
      [undefined, null],
      [expect.any(Number), 'stop'],
      [undefined, null],
      [undefined, null],
    ]);
    const paged = { asc: [] as unknown[], desc: [] as unknown[] };
    for (const order of ['asc', 'desc'] as const) {
      for (let cursor: string | null | undefined; cursor !== null;) {
        const page: Awaited<ReturnType<typeof listMessages>> = await listMessages(db.database, {
          conversationId,
          userId: person.userId,
          limit: 1,
          order,
          cursor: cursor ?? null,
        });
        paged[order].push(...page.items);
        cursor = page.nextCursor;
      }
    }
    expect(paged).toEqual({ asc: read.items, desc: read.items.toReversed() });
    await expect(
      listMessages(db.database, { conversationId, userId: person.userId, limit: 1, cursor: encodeCursor([1.5, 0]) }),
    ).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test('a page of long ones ends before its limit, and its cursor goes on with the next', async () => {
    const long = (n: number) => `${n}${'가'.repeat(31_999)}`;
    const MOST_TURNS = 9;
    let conversationId: string | null = null;
    for (let n = 0; n < MOST_TURNS; n += 1) {
      const turnId: string = await runTurn(db.database, person, {
        send: { message: long(n), conversationId },
        text: n === 4 ? 'x'.repeat(600_000) : 'short',
      });
      conversationId ??= await conversationOf(db.database, turnId);
    }
    const mine = { conversationId: conversationId!, userId: person.userId, limit: 100 };
    const bytesOf = (items: readonly { content: string }[]) =>
      items.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
    for (const order of ['asc', 'desc'] as const) {
      const all: string[] = [];
      let pages = 0;
      for (let cursor: string | null | undefined; cursor !== null; pages += 1) {
        const page: Awaited<ReturnType<typeof listMessages>> = await listMessages(db.database, {
          ...mine,
          order,
          cursor: cursor ?? null,
        });
        expect(bytesOf(page.items.slice(0, -1))).toBeLessThan(512 * 1024);
        all.push(...page.items.map(({ content }) => content.slice(0, 1)));
        cursor = page.nextCursor;
      }
      const written = Array.from({ length: MOST_TURNS }, (_, n) => [String(n), n === 4 ? 'x' : 's']).flat();
      expect(all).toEqual(order === 'asc' ? written : written.toReversed());
      expect(pages).toBeGreaterThan(1);
    }
  });
});

describe('the transcript that a model gets', () => {
  const transcript = async (turnId: string, change: Parameters<typeof reserve>[2] = {}) => {
    const { turn, hold } = await open(db.database, turnId, change);
    const { unanswered } = change.model ?? MODEL;
    return {
      historyFrom: hold.historyFrom,
      promptTokens: hold.promptTokens,
      contents: (
        await readTranscript(db.database.sql, turn, {
          instructions: 'be kind',
          historyFrom: hold.historyFrom,
          unanswered,
        })
      ).map(({ role, content }) => `${role}: ${content as string}`),
    };
  };

  test('answered and stopped turns with lower numbers, then the question; failed ones are left out, now and after they are run again', async () => {
    const conversationId = await conversationOf(
      db.database,
      await runTurn(db.database, person, { send: { message: 'q1' }, text: 'a1' }),
    );
    const failed = await accept(db.database, person, { conversationId, message: 'q2' });
    await reserve(db.database, failed.turnId);
    await fail(failed.turnId);
    const empty = await accept(db.database, person, { conversationId, message: 'q3' });
    await requestStop(db.database, { turnId: empty.turnId, userId: person.userId });
    await reserve(db.database, empty.turnId);
    const last = await accept(db.database, person, { conversationId, message: 'q4' });
    await reserve(db.database, last.turnId);
    // q1 a1 q4: 1 + 4 each, and 3. Strict providers refuse two questions in a row, so q3 leaves the prompt.
    expect(await transcript(last.turnId)).toEqual({
      historyFrom: 1,
      promptTokens: 3 * 5 + 3,
      contents: ['system: be kind', 'user: q1', 'assistant: a1', 'user: q4'],
    });
    const answer = await storedAnswer(store(db.database, last.turnId, 1));
    await settleTurn(db.database, { turnId: last.turnId, answer });
    // The failed turn runs again, sees only what lies before it, and is measured by that.
    await reserve(db.database, failed.turnId, { runId: 'replay', isReset: true });
    expect(await transcript(failed.turnId, { runId: 'replay' })).toEqual({
      historyFrom: 1,
      promptTokens: 3 * 5 + 3,
      contents: ['system: be kind', 'user: q1', 'assistant: a1', 'user: q2'],
    });
  });

  test('a question without an answer is merged with the next, where the catalogue says so', async () => {
    const model = { ...MODEL, unanswered: 'merge' as const };
    const conversationId = await conversationOf(
      db.database,
      await runTurn(db.database, person, { send: { message: 'q1' }, text: 'a1' }),
    );
    for (const message of ['q2', 'q3']) {
      const empty = await accept(db.database, person, { conversationId, message });
      await reserve(db.database, empty.turnId, { model });
      await requestStop(db.database, { turnId: empty.turnId, userId: person.userId });
      await reserve(db.database, empty.turnId);
    }
    const { turnId } = await accept(db.database, person, { conversationId, message: 'q4' });
    await reserve(db.database, turnId, { model });
    expect(await transcript(turnId, { model })).toEqual({
      historyFrom: 1,
      promptTokens: 5 * 5 + 3,
      contents: ['system: be kind', 'user: q1', 'assistant: a1', 'user: q2\n\nq3\n\nq4'],
    });
  });

  test('whole turns up to exactly historyTokens; one token less leaves the oldest out', async () => {
    const conversationId = await conversationOf(
      db.database,
      await runTurn(db.database, person, { send: { message: 'one two' }, text: 'three' }),
    ); // 2 + 4 + 1 + 4 = 11
    await runTurn(db.database, person, { send: { message: 'four', conversationId }, text: 'five six seven' }); // 1 + 4 + 3 + 4 = 12
    for (const [historyTokens, from] of [
      [23, 1],
      [22, 2],
      [12, 2],
      [11, null],
      [0, null],
    ] as const) {
      const { turnId } = await accept(db.database, person, { conversationId, message: 'q' });
      const model = { ...MODEL, historyTokens };
      await reserve(db.database, turnId, { model });
      const { historyFrom, promptTokens } = await transcript(turnId, { model });
      expect([historyTokens, historyFrom, promptTokens]).toEqual([
        historyTokens,
        from,
        8 + (from === 1 ? 23 : from === 2 ? 12 : 0),
      ]);
      await fail(turnId);
    }
  });

  test('an earlier turn that was counted in another encoding is counted anew', async () => {
    const conversationId = await conversationOf(
      db.database,
      await runTurn(db.database, person, { send: { message: 'one two' }, text: 'three' }),
    );
    const { turnId } = await accept(db.database, person, { conversationId, message: 'q' });
    const model = { ...MODEL, encoding: 'cl100k_base' as const };
    await reserve(db.database, turnId, { model, countTokens: (text) => 10 * countWords(text) });
    expect((await transcript(turnId, { model })).promptTokens).toBe(20 + 4 + (10 + 4) + (10 + 4) + 3);
  });

  test('instructions count as a message of their own', async () => {
    const { turnId } = await accept(db.database, person, { message: 'q' });
    const model = { ...MODEL, instructions: 'be very kind' };
    await reserve(db.database, turnId, { model });
    expect((await open(db.database, turnId, { model })).hold.promptTokens).toBe(3 + 4 + 1 + 4 + 3);
  });
});
