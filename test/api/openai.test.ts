import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import OpenAI from 'openai';
import { eraseTexts } from '../../db/turns/prompts.ts';
import { turnWorkflowId } from '../../workflows/contract/ids.ts';
import { Gate } from '../fake-model/scenario.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const CANARY = 'canary-7f3a9';
const ASK = { model: 'gpt-4.1-mini', messages: [{ role: 'user' as const, content: `Say hello, ${CANARY}` }] };
const tool = (name: string, parameters?: object) => ({ type: 'function', function: { name, parameters } });
const choose = (name: string) => ({ type: 'function', function: { name } });
const calls = (...ids: string[]) => ({
  role: 'assistant',
  content: null,
  tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'a', arguments: '{}' } })),
});
const SAID = { role: 'tool', tool_call_id: 'c', content: 'x' };
let stack: TestStack;
let person: Person;
let client: OpenAI;

beforeAll(async () => {
  stack = await startTestStack();
  person = await stack.person();
  client = clientOf(person);
});
afterAll(() => stack.close());

function clientOf({ token }: Person, more: { maxRetries?: number } = {}): OpenAI {
  return new OpenAI({ apiKey: token, baseURL: `${stack.url}/v1`, maxRetries: 0, ...more });
}

interface Books {
  readonly id: string;
  readonly state: string;
  readonly debits: number;
  readonly debited: number;
  readonly liveHolds: number;
}

/** A person's turns, newest first, with what they cost. */
async function booksOf({ userId }: Person): Promise<Books[]> {
  const { rows } = await sql<Books>`select t.id, t.state,
      (select count(*)::int from ledger_entries where turn_id = t.id and kind = 'debit') as debits,
      (select coalesce(sum(tokens), 0)::int from ledger_entries where turn_id = t.id) as debited,
      (select count(*)::int from holds where turn_id = t.id and state = 'pending') as "liveHolds"
    from turns t where user_id = ${userId} order by created_at desc, id desc`.execute(stack.db.database.sql);
  return rows;
}

describe('an answer', () => {
  test('whole: as OpenAI shapes it, with the usage of its one debit', async () => {
    const before = stack.model.requests.length;
    const answer = await client.chat.completions.create({
      ...ASK,
      messages: [{ role: 'system', content: 'Be brief.' }, ...ASK.messages],
      temperature: 0.2,
      response_format: { type: 'json_object' },
      max_completion_tokens: 300,
    });
    const [turn] = await booksOf(person);
    expect(answer).toMatchObject({
      id: `chatcmpl-${turn?.id}`,
      object: 'chat.completion',
      model: 'gpt-4.1-mini',
      choices: [{ message: { role: 'assistant', content: '안녕하세요. 무엇을 도와드릴까요?' }, finish_reason: 'stop' }],
    });
    expect(answer._request_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(turn).toMatchObject({ state: 'completed', debits: 1, debited: answer.usage?.total_tokens, liveHolds: 0 });
    // The catalogue's instructions are not before the caller's own.
    expect(stack.model.requests.at(-1)?.body).toMatchObject({
      messages: [{ role: 'system', content: 'Be brief.' }, ...ASK.messages],
      temperature: 0.2,
      response_format: { type: 'json_object' },
      max_completion_tokens: 300,
    });
    expect(stack.model.requests).toHaveLength(before + 1);
  });

  test('streamed: the same text, and usage when it is asked for, equal to the debit', async () => {
    const { data: stream, response } = await client.chat.completions
      .create({ ...ASK, stream: true, stream_options: { include_usage: true } })
      .withResponse();
    let text = '';
    const ends: unknown[] = [];
    let usage: OpenAI.CompletionUsage | null = null;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      if (chunk.choices[0]?.finish_reason) ends.push(chunk.choices[0].finish_reason);
      usage = chunk.usage ?? usage;
    }
    const [turn] = await booksOf(person);
    expect({ text, ends, total: usage?.total_tokens }).toEqual({
      text: '안녕하세요. 무엇을 도와드릴까요?',
      ends: ['stop'],
      total: turn?.debited,
    });
    expect(response.headers.get('x-turnkeeper-turn-id')).toBe(turn?.id);
    expect(response.headers.get('x-turnkeeper-usage')).toMatch(/^level=NORMAL; remaining=\d+$/);
    for (const name of ['x-ratelimit-remaining-requests', 'x-ratelimit-remaining-tokens', 'openai-processing-ms'])
      expect([name, response.headers.get(name)]).toEqual([name, expect.stringMatching(/^\d+$/)]);
  });

  test('is shown under the label that its client gave, cut, and money does not ask for it', async () => {
    const someone = await stack.person();
    const own = clientOf(someone);
    await own.chat.completions.create({ ...ASK, user: 'team-a' });
    await own.chat.completions.create({ ...ASK, safety_identifier: ` ${'한'.repeat(65)} ` });
    await own.responses.create({ model: ASK.model, input: 'Hello?', user: 'team-a' });
    await own.chat.completions.create({ ...ASK, user: ' ' });
    const history = (by: string) => someone.call('GET', `/api/ai-usage/history?by=${by}`);
    const { items } = (await history('label')).body;
    expect(items.map(({ label, turns }: any) => [label, turns])).toEqual([
      ['team-a', 2],
      ['한'.repeat(64), 1],
      [null, 1],
    ]);
    const debited = (await booksOf(someone)).reduce((sum, turn) => sum + turn.debited, 0);
    expect(items.reduce((sum: number, item: any) => sum + item.usedTokens, 0)).toBe(debited);
    const turns = (await history('turn')).body.items;
    expect(turns.map(({ label }: any) => label)).toEqual([null, 'team-a', '한'.repeat(64), 'team-a']);
  });

  test('its text is in PostgreSQL alone, in no list, and never in Temporal', async () => {
    const [turn] = await booksOf(person);
    const { rows } = await sql<{
      prompt: string;
      question: string;
      listed: boolean;
    }>`select p.prompt::text as prompt, t.question,
        c.listed_at is not null or c.title is not null as listed
      from turns t join turn_prompts p on p.turn_id = t.id join conversations c on c.id = t.conversation_id where t.id = ${turn?.id}`.execute(
      stack.db.database.sql,
    );
    expect(rows).toEqual([{ prompt: expect.stringContaining(CANARY), question: '', listed: false }]);
    expect((await person.call('GET', '/api/conversations')).body.items).toEqual([]);
    const handle = stack.temporal.client.workflow.getHandle(turnWorkflowId(person.userId, turn?.id ?? ''));
    const history = JSON.stringify((await handle.fetchHistory()).events);
    expect(history).toContain(turn?.id);
    expect(history).not.toContain(CANARY);
  });
});

describe('refusals in OpenAI’s envelope', () => {
  test('used up: 402 with our sentence and the way to buy, which no client tries again', async () => {
    const spent = await stack.person();
    await spent.call('POST', '/api/ai-usage/test-usage', { userId: spent.userId, usagePercent: 105 });
    const before = stack.model.requests.length;
    const refused = await clientOf(spent, { maxRetries: 3 })
      .chat.completions.create(ASK)
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OpenAI.APIError);
    expect(refused).toMatchObject({
      status: 402,
      code: 'insufficient_quota',
      type: 'insufficient_quota',
      error: {
        message: expect.stringContaining('토큰'),
        turnkeeper: { code: 'TOKEN_EXHAUSTED', purchaseUrl: expect.any(String), resetsAt: expect.any(String) },
      },
    });
    expect(stack.model.requests).toHaveLength(before);
  });

  test.each([
    ['a model that is not offered', { model: 'gpt-none' }, 404, 'model_not_found', 'model'],
    [
      'a tool of another kind',
      { tools: [{ type: 'custom', custom: { name: 'x' } }] },
      400,
      'invalid_request',
      'tools.0.type',
    ],
    ['a tool’s name', { tools: [tool('a b')] }, 400, 'invalid_request', 'tools.0.function.name'],
    ['two tools of one name', { tools: [tool('a'), tool('a')] }, 400, 'invalid_request', 'tools.1.function.name'],
    ['no such tool', { tools: [tool('a')], tool_choice: choose('b') }, 400, 'invalid_request', 'tool_choice'],
    ['a tool required of none', { tool_choice: 'required' }, 400, 'invalid_request', 'tool_choice'],
    [
      'a schema that is none',
      { tools: [tool('a', { type: 'object', properties: { b: { type: 'text' } } })] },
      ...([400, 'invalid_request', 'tools.0.function.parameters.properties.b.type'] as const),
    ],
    [
      'a format’s schema that is none',
      { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { anyOf: [] } } } },
      ...([400, 'invalid_request', 'response_format.json_schema.schema.anyOf'] as const),
    ],
    ['the older functions', { functions: [{ name: 'a' }] }, 400, 'unsupported_parameter', 'functions'],
    ['logprobs that nobody asked for', { top_logprobs: 2 }, 400, 'invalid_request', 'top_logprobs'],
    ['too many logprobs', { logprobs: true, top_logprobs: 21 }, 400, 'invalid_request', 'top_logprobs'],
    ['an answer to no call', { messages: [SAID] }, 400, 'invalid_request', 'messages.0.tool_call_id'],
    ['a call that nobody answers', { messages: [calls('c')] }, 400, 'invalid_request', 'messages.0.tool_calls'],
    ['two calls of one id', { messages: [calls('c', 'c'), SAID] }, 400, 'invalid_request', 'messages.0.tool_calls'],
    [
      'a call answered twice',
      { messages: [calls('c'), SAID, SAID] },
      400,
      'invalid_request',
      'messages.2.tool_call_id',
    ],
    [
      'an answer that comes too late',
      { messages: [calls('c'), { role: 'user', content: 'x' }, SAID] },
      ...([400, 'invalid_request', 'messages.0.tool_calls'] as const),
    ],
    [
      'an assistant who says nothing',
      { messages: [{ role: 'assistant' }] },
      400,
      'invalid_request',
      'messages.0.content',
    ],
    [
      'an image at an address',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://a.example/b.png' } }] }] },
      ...([400, 'unsupported_parameter', 'messages.0.content.0.image_url.url'] as const),
    ],
    [
      'half a character in a part',
      { messages: [{ role: 'user', content: [{ type: 'text', text: '\ud800' }] }] },
      ...([400, 'invalid_request', 'messages.0.content.0.text'] as const),
    ],
    ['two answers', { n: 2 }, 400, 'unsupported_parameter', 'n'],
    // A name that every object has.
    ['a name of no parameter', { constructor: 1 }, 400, 'unsupported_parameter', 'constructor'],
    ['no messages', { messages: [] }, 400, 'invalid_request', 'messages'],
    ['too warm', { temperature: 2.1 }, 400, 'invalid_request', 'temperature'],
    ['five stops', { stop: ['a', 'b', 'c', 'd', 'e'] }, 400, 'invalid_request', 'stop'],
    ['no output', { max_tokens: 0 }, 400, 'invalid_request', 'max_tokens'],
    ['two limits', { max_tokens: 5, max_completion_tokens: 5 }, 400, 'invalid_request', 'max_tokens'],
    ['a stream as text', { stream: 'true' }, 400, 'invalid_request', 'stream'],
    ['an unknown role', { messages: [{ role: 'robot', content: 'x' }] }, 400, 'invalid_request', 'messages.0.role'],
    [
      'a user without content',
      { messages: [{ role: 'user', content: null }] },
      400,
      'invalid_request',
      'messages.0.content',
    ],
    [
      'half a character',
      { messages: [{ role: 'user', content: '\ud800' }] },
      400,
      'invalid_request',
      'messages.0.content',
    ],
  ])('%s', async (_name, change, status, code, param) => {
    const answer = await person.call('POST', '/v1/chat/completions', { ...ASK, ...change });
    expect(answer).toMatchObject({ status, body: { error: { code, param, message: expect.any(String) } } });
  });

  test('a body that is too large is told the door’s own limit, in the reader’s language', async () => {
    const messages = [{ role: 'user', content: 'x'.repeat(1_048_576) }];
    for (const path of ['/v1/chat/completions', '/v1/responses'])
      for (const [language, sentence] of [
        ['ko', '요청 본문이 1 MiB를 넘습니다.'],
        ['en', 'The request body is over 1 MiB.'],
      ] as const)
        expect(await person.call('POST', path, { ...ASK, messages }, { 'accept-language': language })).toMatchObject({
          status: 413,
          body: { error: { message: sentence, code: 'payload_too_large', turnkeeper: { mostBytes: 1_048_576 } } },
        });
    // Control: another route has another.
    expect(await person.call('POST', '/api/chat/send', { message: 'x'.repeat(262_144) })).toMatchObject({
      status: 413,
      body: { message: '요청 본문이 256 KiB를 넘습니다.' },
    });
  });

  test('strangers and unknown addresses', async () => {
    const stranger = await fetch(`${stack.url}/v1/models`);
    expect([stranger.status, await stranger.json()]).toMatchObject([401, { error: { code: 'invalid_api_key' } }]);
    const unknown = await person.call('POST', '/v1/embeddings', {});
    expect(unknown).toMatchObject({ status: 404, body: { error: { type: 'invalid_request_error' } } });
    await expect(client.models.retrieve('gpt-none')).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['gpt-4.1-mini', 'gpt-5-mini']);
  });

  test('a provider that refuses before the first text has its own status; after it, the stream ends with an error', async () => {
    stack.model.next({ status: 400, error: { code: 'context_length_exceeded' } });
    await expect(client.chat.completions.create({ ...ASK, stream: true })).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    });
    const before = stack.model.requests.length;
    stack.model.next({ chunks: ['one ', 'two '], errorAt: 2, error: { type: 'server_error' } });
    const stream = await client.chat.completions.create({ ...ASK, stream: true });
    let text = '';
    const read = async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    };
    await expect(read()).rejects.toMatchObject({ code: 'interrupted' });
    expect(text).toBe('one ');
    expect(stack.model.requests).toHaveLength(before + 1);
    expect((await booksOf(person))[0]).toMatchObject({ state: 'failed', debits: 0, liveHolds: 0 });
  });

  test('whole: tried again behind the door, so that one answer and one debit come of it', async () => {
    stack.model.next({ chunks: ['one ', 'two '], errorAt: 2, error: { type: 'server_error' } });
    stack.model.next({ chunks: ['three'] });
    expect((await client.chat.completions.create(ASK)).choices[0]?.message.content).toBe('three');
    expect((await booksOf(person))[0]).toMatchObject({ state: 'completed', debits: 1 });
  });
});

describe('readers who go', () => {
  test('closing a stream stops the turn, and what came is paid', async () => {
    const gate = new Gate(2);
    stack.model.next({ chunks: ['first ', 'second'], gate });
    const stream = await client.chat.completions.create({ ...ASK, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content === 'first ') break;
    await until(async () => (await booksOf(person))[0]?.state === 'stopped');
    expect((await booksOf(person))[0]).toMatchObject({ debits: 1, liveHolds: 0 });
    gate.open();
  });

  test('the same Idempotency-Key is the same turn', async () => {
    const before = stack.model.requests.length;
    const headers = { 'idempotency-key': 'once' };
    const [one, two] = [
      await client.chat.completions.create(ASK, { headers }),
      await client.chat.completions.create(ASK, { headers }),
    ];
    expect(two.id).toBe(one.id);
    expect(stack.model.requests).toHaveLength(before + 1);
    await expect(client.chat.completions.create({ ...ASK, seed: 1 }, { headers })).rejects.toMatchObject({
      status: 409,
    });
  });
});

test('texts are erased after their time; figures stay, and the key answers 409 without another call', async () => {
  const someone = await stack.person();
  const headers = { 'idempotency-key': 'kept' };
  const { usage } = await clientOf(someone).chat.completions.create(ASK, { headers });
  await eraseTexts(stack.db.database, { afterSeconds: 3_600 });
  expect(await clientOf(someone).chat.completions.create(ASK, { headers })).toMatchObject({
    object: 'chat.completion',
  });
  await eraseTexts(stack.db.database, { afterSeconds: 0 });
  const [turn] = await booksOf(someone);
  const { rows } = await sql<{ whole: string }>`select t::text || p::text as whole from turns t
    join turn_prompts p on p.turn_id = t.id where t.id = ${turn?.id}`.execute(stack.db.database.sql);
  expect(rows).toHaveLength(1);
  expect(rows[0]?.whole).not.toMatch(new RegExp(`${CANARY}|안녕`));
  expect(turn).toMatchObject({ state: 'completed', debits: 1, debited: usage?.total_tokens });
  const before = stack.model.requests.length;
  await expect(clientOf(someone, { maxRetries: 2 }).chat.completions.create(ASK, { headers })).rejects.toMatchObject({
    status: 409,
    code: 'answer_erased',
  });
  expect(stack.model.requests).toHaveLength(before);
});

test('a failed turn of the door is never run again: its reader has gone', async () => {
  stack.model.next({ status: 400, error: { code: 'invalid_prompt_shape' } });
  await expect(client.chat.completions.create(ASK)).rejects.toMatchObject({ status: 502, code: 'model_rejected' });
  const [turn] = await booksOf(person);
  const admin = await stack.person('admin');
  expect(await admin.call('POST', `/api/admin/turns/${turn?.id}/replay`, { reason: 'try' })).toMatchObject({
    status: 409,
    body: { code: 'nobody_waits' },
  });
  expect(await person.call('POST', `/api/chat/turns/${turn?.id}/retry`)).toMatchObject({ status: 409 });
});
