import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { readEvents, textOf } from '../support/events.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { modelCalls, newTurn } from '../workflow/stage.ts';

let stack: TestStack;
let person: Person;
beforeAll(async () => {
  stack = await startTestStack();
  person = await stack.person();
});
afterAll(() => stack.close());

const promptOf = (message: string) =>
  stack.model.requests.find(({ body }) => body.messages.at(-1)?.content === message);

test('a question in NFD is the question: it costs as much, its form is no other body, and the model reads NFC', async () => {
  const words = '맥에서 복사한 파일 이름은 자모로 나뉘어 있습니다. '.repeat(8).trim();
  const [composed, apart] = ['NFC', 'NFD'].map((form) =>
    newTurn(stack, person, { message: `${words} ${randomUUID()}`.normalize(form) }),
  ) as [ReturnType<typeof newTurn>, ReturnType<typeof newTurn>];
  expect([(await composed.send()).status, (await apart.send()).status]).toEqual([200, 200]);
  const again = await apart.send({ message: apart.message.normalize('NFC') });
  expect([again.status, modelCalls(apart)]).toEqual([200, 0]);
  expect(promptOf(apart.message.normalize('NFC'))).toBeDefined();
  const { rows } = await sql<{ tokens: number; question: string }>`select h.prompt_tokens as tokens, t.question
    from turns t join holds h on h.turn_id = t.id where t.id in (${composed.turnId}, ${apart.turnId})`.execute(
    stack.db.database.sql,
  );
  expect(rows.map(({ question }) => question).sort()).toEqual(
    [composed.message, apart.message.normalize('NFC')].sort(),
  );
  // Random ids of 36 characters have not always as many tokens.
  expect(Math.abs((rows[0]?.tokens ?? NaN) - (rows[1]?.tokens ?? NaN))).toBeLessThan(20);
});

test('titles are NFC, measured so, and found by each form', async () => {
  const title = '각'.repeat(200);
  const { body, status } = await person.call('POST', '/api/conversations', { title: title.normalize('NFD') });
  expect([status, body.title]).toEqual([201, title]);
  const renamed = '한글 제목';
  const path = `/api/conversations/${body.conversationId}`;
  expect((await person.call('PATCH', path, { title: renamed.normalize('NFD') })).body.title).toBe(renamed);
  for (const search of [renamed, renamed.normalize('NFD')])
    expect(
      (await person.call('GET', `/api/conversations?search=${encodeURIComponent(search)}`)).body.items,
    ).toMatchObject([{ title: renamed }]);
  const longest = encodeURIComponent(title.normalize('NFD'));
  expect((await person.call('GET', `/api/conversations?search=${longest}`)).status).toBe(200);
  expect((await person.call('GET', `/api/conversations?search=${longest}a`)).status).toBe(400);
});

test('an untitled conversation is called by whole characters, from the first that is seen', async () => {
  const family = '👨‍👩‍👧‍👦';
  const someone = await stack.person();
  await newTurn(stack, someone, { message: `\u200b\u2060${'가'.repeat(36)}${family}` }).send();
  expect((await someone.call('GET', '/api/conversations')).body.items).toMatchObject([
    { title: `${'가'.repeat(36)}…` },
  ]);
});

test('what some readers take for the end of a line is escaped in events, and means the same', async () => {
  const said = 'one\u2028two\u2029three\u0085four';
  const turn = newTurn(stack, person);
  stack.model.nextFor(turn.message, { chunks: [said] });
  const response = await person.raw(
    'POST',
    '/api/chat/send',
    { turnId: turn.turnId, message: turn.message },
    {
      accept: 'text/event-stream',
    },
  );
  const [read, kept] = [response.clone(), response];
  expect(textOf(await readEvents(read))).toBe(said);
  const bytes = await kept.text();
  expect(bytes.match(/[\u0085\u2028\u2029]/g)).toBeNull();
  expect(bytes).toContain('one\\u2028two\\u2029three\\u0085four');
});

test.each([
  ['/v1/chat/completions', (said: string) => ({ messages: [{ role: 'user', content: said }] })],
  ['/v1/responses', (said: string) => ({ input: said })],
] as const)('it is escaped in the events of %s, too', async (path, asked) => {
  const said = 'one\u2028two\u2029three\u0085four';
  stack.model.nextFor(`line ends at ${path}`, { chunks: [said] });
  const response = await person.raw('POST', path, {
    model: 'gpt-4.1-mini',
    stream: true,
    ...asked(`line ends at ${path}`),
  });
  const bytes = await response.text();
  expect(bytes.match(/[\u0085\u2028\u2029]/g)).toBeNull();
  expect(bytes).toContain('one\\u2028two\\u2029three\\u0085four');
});

test('25,000 emoji fit as escapes, too; what its text is too large for is refused', async () => {
  const send = (body: string) => person.call('POST', '/api/chat/send', body, { prefer: 'respond-async' });
  const emoji = String.raw`\ud83d\ude00`;
  const answer = await send(`{"message":"${emoji.repeat(25_000)}","maxOutputTokens":16}`);
  expect([answer.status, answer.body.code]).toEqual([202, undefined]);
  const { rows } = await sql<{ question: string }>`select question from turns where id = ${answer.body.turnId}`.execute(
    stack.db.database.sql,
  );
  expect(rows).toEqual([{ question: '😀'.repeat(25_000) }]);
  // 60,000 emoji are 240 KB of text, too many characters; 70,000 are above 256 KiB, however they are written.
  expect((await send(`{"message":"${emoji.repeat(60_000)}"}`)).body.code).toBe('invalid_request');
  for (const message of [emoji.repeat(70_000), '😀'.repeat(70_000), String.raw`\u0041`.repeat(140_000)])
    expect((await send(`{"message":"${message}"}`)).status).toBe(413);
});
