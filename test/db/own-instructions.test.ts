import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { readInstructions, writeInstructions } from '../../db/conversations/own-instructions.ts';
import { createConversation } from '../../db/conversations/conversations.ts';
import { readTranscript } from '../../db/turns/transcript.ts';
import { acceptTurn } from '../../db/turns/accept.ts';
import { releaseTurn } from '../../db/turns/end.ts';
import { findTurn, reopenTurn } from '../../db/turns/turns.ts';
import { systemText } from '../../domain/own-instructions.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { accept, countWords, createPerson, MODEL, open, request, reserve, type Person } from './fixture.ts';

let db: TestDatabase;
let person: Person;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  person = await createPerson(db.database);
});

const write = (
  text: string,
  change: { conversationId?: string | null; version?: number | null; userId?: number } = {},
) =>
  writeInstructions(
    db.database,
    { userId: change.userId ?? person.userId, conversationId: change.conversationId ?? null },
    { text, tokens: countWords(text), version: change.version ?? null },
  );
const read = (conversationId: string | null = null) =>
  readInstructions(db.database.sql, { userId: person.userId, conversationId });
const begin = async () =>
  (await createConversation(db.database, { userId: person.userId, title: 'a title' })).conversationId;
const turnOf = async (turnId: string) => (await findTurn(db.database, { turnId, userId: null }))!;
const fail = (turnId: string, runId: string) =>
  releaseTurn(db.database, { turnId, runId, reason: { as: 'failed', code: 'model_timeout' }, scheduledAt: Date.now() });
const setAllowance = (tokens: number) =>
  sql`update accounts set monthly_allowance_tokens = ${tokens} where id = ${person.accountId}`.execute(db.database.sql);

test('each change has a number, which a writer may insist on; the same text again is the same', async () => {
  expect(await read()).toEqual({ text: '', tokens: 0, version: 0, updatedAt: null });
  expect(await write('be short', { version: 0 })).toMatchObject({ text: 'be short', tokens: 2, version: 1 });
  expect(await write('be short', { version: 0 })).toMatchObject({ version: 1 });
  await expect(write('be long', { version: 0 })).rejects.toMatchObject({
    code: 'version_conflict',
    details: { version: 1 },
  });
  const both = await Promise.allSettled(['one', 'two'].map((text) => write(text, { version: 1 })));
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(await write('whatever is there')).toMatchObject({ version: 3 });
  expect(await write('')).toMatchObject({ text: '', tokens: 0, version: 4 });
  const conversationId = await begin();
  expect(await write('for this one', { conversationId })).toMatchObject({ version: 1 });
  expect((await read()).text).toBe('');
  await expect(write('never read', { conversationId: await begin(), version: 3 })).rejects.toMatchObject({
    code: 'version_conflict',
    details: { version: 0 },
  });
  const other = await createPerson(db.database);
  await expect(write('mine', { conversationId, userId: other.userId })).rejects.toMatchObject({ code: 'not_found' });
  await expect(readInstructions(db.database.sql, { userId: other.userId, conversationId })).rejects.toMatchObject({
    code: 'not_found',
  });
  await expect(write('x '.repeat(301))).rejects.toThrow(/own_instructions_tokens_are_at_most_300/);
});

test('a turn is told what it was admitted with in each of its runs, and its hold counts it', async () => {
  const conversationId = await begin();
  await write('be short');
  await write('speak as a sailor', { conversationId });
  const { turnId } = await accept(db.database, person, { conversationId });
  await reserve(db.database, turnId);
  const first = await open(db.database, turnId);
  const told = { person: { version: 1, text: 'be short' }, conversation: { version: 1, text: 'speak as a sailor' } };
  expect(first.turn.instructions).toEqual(told);
  const instructions = systemText(MODEL.instructions, first.turn.instructions);
  const prompt = await readTranscript(db.database.sql, first.turn, {
    instructions,
    historyFrom: null,
    unanswered: 'drop',
  });
  expect(prompt.map(({ role }) => role)).toEqual(['system', 'user']);
  expect(prompt[0]?.content).toMatch(/be short[^]*speak as a sailor/);
  const words = prompt.reduce((sum, { content }) => sum + countWords(content as string), 0);
  expect(first.hold.promptTokens).toBe(words + 4 * 2 + 3);
  await write('be long');
  await write('', { conversationId });
  await fail(turnId, 'run-1');
  await reopenTurn(db.database, { turnId, userId: person.userId, reason: 'replay' });
  await reserve(db.database, turnId, { runId: 'run-2' });
  const again = await open(db.database, turnId, { runId: 'run-2' });
  expect([again.turn.instructions, again.hold.promptTokens]).toEqual([told, first.hold.promptTokens]);
  await fail(turnId, 'run-2');
  const { turnId: next } = await accept(db.database, person, { conversationId, message: 'another question' });
  await reserve(db.database, next);
  expect((await turnOf(next)).instructions).toEqual({ person: { version: 2, text: 'be long' } });
});

test('a refusal says when they alone are in the way, and the question is judged anew once they are gone', async () => {
  // The ceiling is 525: the question alone takes 26 + 256, with 300 words more it takes over 600.
  await setAllowance(500);
  await write('w '.repeat(300).trim());
  const { turnId } = await accept(db.database, person);
  await reserve(db.database, turnId);
  expect(await turnOf(turnId)).toMatchObject({
    state: 'refused',
    error: 'TOKEN_EXHAUSTED',
    instructions: { person: { version: 1 }, inTheWay: true },
  });
  const long = await accept(db.database, person, { message: 'word '.repeat(500).trim() });
  await reserve(db.database, long.turnId);
  const control = await turnOf(long.turnId);
  expect([control.state, control.error, control.instructions?.inTheWay]).toEqual([
    'refused',
    'TOKEN_EXHAUSTED',
    undefined,
  ]);
  await write('w');
  await acceptTurn(db.database, request(person, { turnId }));
  expect((await reserve(db.database, turnId, { runId: 'run-2' })).kind).toBe('held');
  expect((await turnOf(turnId)).instructions).toEqual({ person: { version: 2, text: 'w' } });
});

test('a retry that only they keep out fails and says so; with room again it runs with what it was admitted with', async () => {
  await write('w '.repeat(300).trim());
  const { turnId } = await accept(db.database, person);
  await reserve(db.database, turnId);
  await fail(turnId, 'run-1');
  await write('');
  const setRoom = (tokens: number) =>
    sql`update periods set allowance_tokens = ${tokens} where account_id = ${person.accountId}`.execute(
      db.database.sql,
    );
  const retry = async (runId: string) => {
    await reopenTurn(db.database, { turnId, userId: person.userId, reason: 'retry' });
    return reserve(db.database, turnId, { runId });
  };
  await setRoom(500);
  expect(await retry('run-2')).toEqual({ kind: 'failed', code: 'TOKEN_EXHAUSTED' });
  expect((await turnOf(turnId)).instructions).toMatchObject({ person: { version: 1 }, inTheWay: true });
  await setRoom(100_000);
  expect((await retry('run-3')).kind).toBe('held');
  const { instructions } = await turnOf(turnId);
  expect([instructions?.person?.version, instructions?.inTheWay]).toEqual([1, undefined]);
});
