import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sql } from 'kysely';
import { createShareLink } from '../../db/sharing/share-links.ts';
import { listMessages } from '../../db/conversations/messages.ts';
import { countFeedback, rateAnswer } from '../../db/conversations/feedback.ts';
import { settleTurn } from '../../db/turns/settle.ts';
import { readTranscript } from '../../db/turns/transcript.ts';
import { reopenTurn } from '../../db/turns/turns.ts';
import { textOf } from '../fake-model/play.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  accept,
  conversationOf,
  createPerson,
  failTurn,
  newId,
  ofDoor,
  only,
  open,
  request,
  reserve,
  runTurn,
  store,
  storedAnswer,
  type Person,
} from './fixture.ts';
import { acceptTurn } from '../../db/turns/accept.ts';

let db: TestDatabase;
let person: Person;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  person = await createPerson(db.database, { allowance: 10_000_000 });
});

const ask = (message: string, place: { conversationId?: string; parentTurnId?: string | null } = {}) =>
  runTurn(db.database, person, { send: { message, ...place }, text: `re ${message}` });
const fail = (turnId: string) => failTurn(db.database, turnId);

/** What the model is sent for a new question there. */
async function promptOf(conversationId: string, parentTurnId?: string | null): Promise<string[]> {
  const { turnId } = await accept(db.database, person, { message: 'now', conversationId, parentTurnId });
  await reserve(db.database, turnId);
  const { turn, hold, number } = await open(db.database, turnId);
  const prompt = await readTranscript(db.database.sql, turn, {
    instructions: '',
    historyFrom: hold.historyFrom,
    unanswered: 'drop',
  });
  // Each word is a token, each message counts 4 and the prompt 3: the hold is that of the prompt and of nothing else.
  const words = prompt.flatMap(({ content }) => textOf(content).split(' ')).length;
  expect(hold.promptTokens).toBe(words + 4 * prompt.length + 3);
  const answer = await storedAnswer(store(db.database, turnId, number, { text: 're now', textTokens: 2 }));
  await settleTurn(db.database, { turnId, answer });
  return prompt.filter(({ role }) => role === 'user').map(({ content }) => textOf(content));
}

async function linesOf(conversationId: string, branch?: string): Promise<string[]> {
  const { items } = await listMessages(db.database, {
    conversationId,
    userId: person.userId,
    limit: 100,
    cursor: null,
    branch,
  });
  return items.filter(({ role }) => role === 'user').map(({ content }) => content);
}

/** A turn of a random tree: whom it follows among those before it (undefined: says nothing), and how it ends. */
interface Node {
  readonly parent: number | null | undefined;
  readonly fails: boolean;
}
const trees = fc.array(
  fc.record({
    parent: fc.oneof({ weight: 3, arbitrary: fc.nat(11) }, { weight: 1, arbitrary: fc.constantFrom(null, undefined) }),
    fails: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
  }),
  { minLength: 2, maxLength: 8 },
);

describe('a prompt is the ancestors of its turn and nothing else', () => {
  test('for random trees, and the lines that are shown are the same', async () => {
    let forks = 0;
    await fc.assert(
      fc.asyncProperty(trees, async (nodes: readonly Node[]) => {
        const first = await ask('q0');
        const conversationId = await conversationOf(db.database, first);
        const turns = [{ turnId: first, parent: null as number | null, message: 'q0', fails: false }];
        for (const { parent, fails } of nodes) {
          const at = parent === undefined ? turns.length - 1 : parent === null ? null : parent % turns.length;
          if (at !== turns.length - 1) forks++;
          const parentTurnId = parent === undefined ? undefined : at === null ? null : turns[at]!.turnId;
          const message = `q${turns.length}`;
          const place = { conversationId, ...(parentTurnId === undefined ? {} : { parentTurnId }) };
          if (fails) {
            const { turnId } = await accept(db.database, person, { message, ...place });
            await reserve(db.database, turnId);
            await fail(turnId);
            turns.push({ turnId, parent: at, message, fails });
          } else turns.push({ turnId: await ask(message, place), parent: at, message, fails });
        }
        const ancestors = (at: number | null): (typeof turns)[number][] =>
          at === null ? [] : [...ancestors(turns[at]!.parent), turns[at]!];
        for (const [at, { turnId }] of turns.entries()) {
          const line = await linesOf(conversationId, turnId);
          expect(line.slice(0, ancestors(at).length)).toEqual(ancestors(at).map(({ message }) => message));
        }
        const at = nodes.length % turns.length;
        expect(await promptOf(conversationId, turns[at]!.turnId)).toEqual([
          ...ancestors(at)
            .filter(({ fails }) => !fails)
            .map(({ message }) => message),
          'now',
        ]);
        // The newest line goes on from there when a send says nothing.
        const line = await linesOf(conversationId, 'newest');
        expect(line).toEqual([...ancestors(at).map(({ message }) => message), 'now']);
        expect((await linesOf(conversationId)).length).toBe(turns.length + 1);
      }),
      { numRuns: 12 },
    );
    expect(forks).toBeGreaterThan(10);
  });

  test('turns of before there were branches follow one another, and new ones fork from them', async () => {
    const first = await ask('q1');
    const conversationId = await conversationOf(db.database, first);
    const second = await ask('q2', { conversationId });
    await ask('q3', { conversationId });
    await sql`update turns set parent_sequence = null where conversation_id = ${conversationId}`.execute(
      db.database.sql,
    );
    expect(await linesOf(conversationId, second)).toEqual(['q1', 'q2', 'q3']);
    expect(await promptOf(conversationId, first)).toEqual(['q1', 'now']);
    const { items } = await listMessages(db.database, {
      conversationId,
      userId: person.userId,
      limit: 100,
      cursor: null,
      branch: second,
    });
    const [one, , two] = items;
    expect(one).toMatchObject({ parentTurnId: null, branch: { number: 1, count: 1 } });
    expect(two).toMatchObject({
      turnId: second,
      parentTurnId: first,
      branch: { number: 1, count: 2, previousTurnId: null, nextTurnId: expect.any(String) },
    });
    expect(await linesOf(conversationId, two!.branch.nextTurnId!)).toEqual(['q1', 'now']);
  });
});

test('a turn of the OpenAI door is nobody’s parent and in no copy: a question in its conversation is a first one', async () => {
  const turnId = await runTurn(db.database, person, { send: ofDoor('at the door'), text: 're door' });
  const conversationId = await conversationOf(db.database, turnId);
  const share = { conversationId, userId: person.userId, tokenHash: Buffer.alloc(32), days: 1 };
  await expect(createShareLink(db.database, { ...share, turnId })).rejects.toMatchObject({ code: 'not_found' });
  await expect(createShareLink(db.database, { ...share, turnId: null })).rejects.toMatchObject({
    code: 'invalid_request',
  });
  expect(await promptOf(conversationId)).toEqual(['now']);
  expect(await linesOf(conversationId, 'newest')).toEqual(['now']);
});

describe('sending after a turn', () => {
  test('numbers go on, a retry keeps the parent, and the parent stands in the row from the admission on', async () => {
    const first = await ask('q1');
    const conversationId = await conversationOf(db.database, first);
    await ask('q2', { conversationId });
    const other = await accept(db.database, person, { message: 'q2 anew', conversationId, parentTurnId: first });
    expect(other.sequence).toBe(3);
    await reserve(db.database, other.turnId);
    await fail(other.turnId);
    await reopenTurn(db.database, { turnId: other.turnId, userId: person.userId, reason: 'retry' });
    await reserve(db.database, other.turnId, { runId: 'run-2' });
    const parents = await only(
      db.database.sql,
      sql`select array_agg(parent_sequence order by sequence) as all from turns where conversation_id = ${conversationId}`,
    );
    expect(parents).toEqual({ all: [0, 1, 1] });
  });

  test('one turn runs in a conversation, whatever branch; what is no admitted turn of it is not found', async () => {
    const first = await ask('q1');
    const conversationId = await conversationOf(db.database, first);
    const strange = await ask('elsewhere');
    const send = (parentTurnId: string | null) =>
      acceptTurn(db.database, request(person, { conversationId, parentTurnId }));
    for (const parent of [strange, newId()]) await expect(send(parent)).rejects.toMatchObject({ code: 'not_found' });
    const { sequence, turnId } = await accept(db.database, person, { conversationId });
    expect(sequence).toBe(2);
    for (const parent of [null, first, turnId])
      await expect(send(parent)).rejects.toMatchObject({ code: 'conversation_busy' });
  });

  test('a refused turn judged anew takes the parent of its new body, in another conversation, too', async () => {
    const first = await ask('q1');
    const conversationId = await conversationOf(db.database, first);
    await ask('q2', { conversationId });
    const elsewhere = await conversationOf(db.database, await ask('elsewhere'));
    await sql`update periods set allowance_tokens = 50 where account_id = ${person.accountId}`.execute(db.database.sql);
    const refused = await accept(db.database, person, { conversationId: elsewhere });
    expect(await reserve(db.database, refused.turnId)).toMatchObject({ state: 'refused' });
    await sql`update periods set allowance_tokens = 100000 where account_id = ${person.accountId}`.execute(
      db.database.sql,
    );
    const { turnId } = refused;
    await accept(db.database, person, { turnId, conversationId, parentTurnId: first, bodyHash: Buffer.from('b') });
    await reserve(db.database, turnId);
    expect(await linesOf(conversationId, 'newest')).toEqual(['q1', 'a question']);
    await expect(
      sql`update turns set parent_sequence = sequence where id = ${turnId}`.execute(db.database.sql),
    ).rejects.toMatchObject({ constraint: 'turns_come_after_their_parent' });
  });
});

test('the questions after a turn and the answers to each are told apart', async () => {
  const first = await ask('q1');
  const conversationId = await conversationOf(db.database, first);
  const turns: string[] = [];
  for (const message of ['a', 'b', 'a', 'c', 'b'])
    turns.push(await ask(message, { conversationId, parentTurnId: first }));
  const placesOf = async (branch: string) => {
    const { items } = await listMessages(db.database, {
      conversationId,
      userId: person.userId,
      limit: 9,
      cursor: null,
      branch,
    });
    const { questions, answers } = items.at(-1)!.branch;
    return [questions, answers].map(({ number, count, previousTurnId, nextTurnId }) => [
      number,
      count,
      ...[previousTurnId, nextTurnId].map((id) => (id === null ? null : turns.indexOf(id))),
    ]);
  };
  expect(await placesOf(turns[0]!)).toEqual([
    [1, 3, null, 4],
    [1, 2, null, 2],
  ]);
  expect(await placesOf(turns[4]!)).toEqual([
    [2, 3, 2, 3],
    [2, 2, 1, null],
  ]);
  expect(await placesOf(turns[3]!)).toEqual([
    [3, 3, 4, null],
    [1, 1, null, null],
  ]);
});

test('a line is read in pages, from either end, each message once', async () => {
  const first = await ask('q1');
  const conversationId = await conversationOf(db.database, first);
  for (const message of ['x', 'y']) await ask(message, { conversationId });
  let parentTurnId = first;
  for (const message of ['q2', 'q3', 'q4']) parentTurnId = await ask(message, { conversationId, parentTurnId });
  const read = async (order: 'asc' | 'desc', limit: number) => {
    const contents: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page: Awaited<ReturnType<typeof listMessages>> = await listMessages(db.database, {
        conversationId,
        userId: person.userId,
        branch: 'newest',
        limit,
        order,
        cursor: cursor ?? null,
      });
      contents.push(...page.items.map(({ content }) => content));
      cursor = page.nextCursor;
    }
    return contents;
  };
  const whole = ['q1', 're q1', 'q2', 're q2', 'q3', 're q3', 'q4', 're q4'];
  for (const limit of [1, 2, 3, 100]) {
    expect(await read('asc', limit)).toEqual(whole);
    expect(await read('desc', limit)).toEqual(whole.toReversed());
  }
});

test('feedback: the last word counts, it can be taken back, and nobody rates another’s answer or one that is not there', async () => {
  const turnId = await ask('q1');
  const rate = (rating: 'good' | 'bad' | null, userId = person.userId) =>
    rateAnswer(db.database, { turnId, userId, rating });
  const counts = async () => (await countFeedback(db.database, { from: null, to: null }))[0];
  await rate('good');
  await rate('bad');
  expect(await counts()).toEqual({ model: 'm', good: 0, bad: 1 });
  expect(await countFeedback(db.database, { from: null, to: 0 })).toEqual([]);
  const conversationId = await conversationOf(db.database, turnId);
  const { items } = await listMessages(db.database, {
    conversationId,
    userId: person.userId,
    limit: 9,
    cursor: null,
  });
  expect(items.map(({ feedback }) => feedback)).toEqual([null, 'bad']);
  await rate(null);
  expect(await counts()).toBeUndefined();
  const stranger = await createPerson(db.database);
  await expect(rate('good', stranger.userId)).rejects.toMatchObject({ code: 'not_found' });
  await expect(rate(null, stranger.userId)).rejects.toMatchObject({ code: 'not_found' });
  const failed = await accept(db.database, person);
  await expect(
    rateAnswer(db.database, { turnId: failed.turnId, userId: person.userId, rating: 'good' }),
  ).rejects.toMatchObject({ code: 'not_found' });
});
