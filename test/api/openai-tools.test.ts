import { createOpenAI } from '@ai-sdk/openai';
import { HumanMessage } from '@langchain/core/messages';
import { tool as langchainTool } from '@langchain/core/tools';
import { ChatOpenAI } from '@langchain/openai';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generateObject, generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai';
import { sql } from 'kysely';
import OpenAI from 'openai';
import { z } from 'zod';
import { eraseTexts } from '../../db/turns/prompts.ts';
import { promptTokens, textOfPrompt, type ApiPrompt } from '../../domain/api-prompt.ts';
import { countTokens } from '../../platform/tokens/tokenizer.ts';
import { DONE_STEP, Gate, usageChunk, usageOf } from '../fake-model/scenario.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const MODEL = 'gpt-4.1-mini';
const CANARY = 'canary-of-a-tool-5d1';
/** A schema whose names come in another order than any table would keep. */
const PARAMETERS = {
  type: 'object',
  properties: { zone: { type: 'string', description: CANARY }, at: { type: 'string' }, b: { type: 'boolean' } },
  required: ['zone'],
  additionalProperties: false,
};
const WEATHER = { name: 'weather', description: 'The weather', parameters: PARAMETERS };
const ASKED = 'How is the weather in Seoul?';
const CALL = { id: 'call_1', name: 'weather', arguments: ['{"zone"', ':"Seo', 'ul"}'] };

let stack: TestStack;
let person: Person;
let client: OpenAI;

beforeAll(async () => {
  stack = await startTestStack();
  person = await stack.person();
  client = new OpenAI({ apiKey: person.token, baseURL: `${stack.url}/v1`, maxRetries: 0 });
});
afterAll(() => stack.close());

/** The next two requests: a call of the tool, and the answer to what it said. */
function playRoundTrip(): void {
  stack.model.next({ calls: [CALL] });
  stack.model.next({ chunks: ['It is ', 'sunny.'] });
}

interface Row {
  readonly id: string;
  readonly state: string;
  readonly finish: string | null;
  readonly debited: number;
  readonly held: number;
  readonly estimated: boolean;
}

/** A person's turns, oldest first. */
async function turnsOf({ userId }: Person): Promise<Row[]> {
  const { rows } = await sql<Row>`select t.id, t.state, p.answer->>'finish' as finish, t.estimated,
      (select coalesce(sum(tokens), 0)::int from ledger_entries where turn_id = t.id and kind = 'debit') as debited,
      (select coalesce(sum(tokens), 0)::int from holds where turn_id = t.id) as held
    from turns t join turn_prompts p on p.turn_id = t.id where t.user_id = ${userId} order by t.created_at, t.id`.execute(
    stack.db.database.sql,
  );
  return rows;
}

describe('a round trip with a tool, by an unmodified client', () => {
  /** What the provider was asked the second time, and what both turns cost. */
  async function expectRoundTrip(someone: Person, requestsBefore: number, content: string | null): Promise<void> {
    const [first, second] = stack.model.requests.slice(requestsBefore).map(({ body }) => body as any);
    expect(first.tools[0]).toMatchObject({ type: 'function', function: { name: 'weather' } });
    expect(second.messages.slice(-2)).toMatchObject([
      {
        role: 'assistant',
        content,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"zone":"Seoul"}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1' },
    ]);
    expect(stack.model.requests).toHaveLength(requestsBefore + 2);
    const turns = await turnsOf(someone);
    expect(turns.map(({ state, finish }) => [state, finish])).toEqual([
      ['completed', 'tool_calls'],
      ['completed', 'stop'],
    ]);
    for (const { debited } of turns) expect(debited).toBeGreaterThan(0);
  }

  test.each([false, true])('openai-node, runTools, streamed: %s', async (stream) => {
    const someone = await stack.person();
    const before = stack.model.requests.length;
    playRoundTrip();
    const asked: unknown[] = [];
    const runner = new OpenAI({ apiKey: someone.token, baseURL: `${stack.url}/v1` }).chat.completions.runTools({
      model: MODEL,
      messages: [{ role: 'user', content: ASKED }],
      stream: stream as false,
      tools: [
        {
          type: 'function',
          function: {
            ...WEATHER,
            parse: JSON.parse,
            function: (given: object) => {
              asked.push(given);
              return 'sunny';
            },
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBe('It is sunny.');
    expect(asked).toEqual([{ zone: 'Seoul' }]);
    await expectRoundTrip(someone, before, null);
    expect(Object.keys((stack.model.requests[before]?.body as any).tools[0].function.parameters.properties)).toEqual(
      Object.keys(PARAMETERS.properties),
    );
  });

  test.each([false, true])('AI SDK, chat, streamed: %s', async (stream) => {
    const someone = await stack.person();
    const before = stack.model.requests.length;
    playRoundTrip();
    const asked: unknown[] = [];
    const request = {
      model: createOpenAI({ apiKey: someone.token, baseURL: `${stack.url}/v1` }).chat(MODEL),
      prompt: ASKED,
      stopWhen: stepCountIs(3),
      tools: {
        weather: tool({
          description: 'The weather',
          inputSchema: z.object({ zone: z.string() }),
          execute: (given) => {
            asked.push(given);
            return Promise.resolve('sunny');
          },
        }),
      },
    };
    const text = stream ? await streamText(request).text : (await generateText(request)).text;
    expect([text, asked]).toEqual(['It is sunny.', [{ zone: 'Seoul' }]]);
    const content = (stack.model.requests.at(-1)?.body.messages.at(-2) as any).content;
    expect(content === null || content === '').toBe(true);
    await expectRoundTrip(someone, before, content);
  });

  test('LangChain JS', async () => {
    const someone = await stack.person();
    const before = stack.model.requests.length;
    playRoundTrip();
    const weather = langchainTool(() => 'sunny', {
      name: 'weather',
      description: 'The weather',
      schema: z.object({ zone: z.string() }),
    });
    const model = new ChatOpenAI({
      model: MODEL,
      apiKey: someone.token,
      configuration: { baseURL: `${stack.url}/v1` },
    }).bindTools([weather]);
    const said = await model.invoke([new HumanMessage(ASKED)]);
    const [call] = said.tool_calls ?? [];
    expect(call).toMatchObject({ name: 'weather', args: { zone: 'Seoul' } });
    const result = await weather.invoke(call as never);
    const answer = await model.invoke([new HumanMessage(ASKED), said, result as never]);
    expect(answer.text).toBe('It is sunny.');
    await expectRoundTrip(someone, before, '');
  });

  test('several calls at once, by delta, with text before them; none of it in Temporal, gone with its time', async () => {
    const someone = await stack.person();
    stack.model.next({
      chunks: ['Let me ', 'look.'],
      calls: [CALL, { name: 'weather', arguments: ['{"zone":"Bus', 'an"}'] }],
    });
    const stream = await new OpenAI({ apiKey: someone.token, baseURL: `${stack.url}/v1` }).chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: ASKED }],
      tools: [{ type: 'function', function: WEATHER }],
      tool_choice: { type: 'function', function: { name: 'weather' } },
      parallel_tool_calls: true,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    const calls: { id?: string; name?: string; arguments: string }[] = [];
    let total = 0;
    for await (const { choices, usage } of stream) {
      text += choices[0]?.delta.content ?? '';
      for (const { index, id, function: called } of choices[0]?.delta.tool_calls ?? []) {
        const call = (calls[index] ??= { arguments: '' });
        Object.assign(call, id === undefined ? {} : { id, name: called?.name });
        call.arguments += called?.arguments ?? '';
      }
      total = usage?.total_tokens ?? total;
    }
    expect(text).toBe('Let me look.');
    expect(calls).toEqual([
      { id: 'call_1', name: 'weather', arguments: '{"zone":"Seoul"}' },
      { id: expect.stringMatching(/^call_/), name: 'weather', arguments: '{"zone":"Busan"}' },
    ]);
    const [turn] = await turnsOf(someone);
    expect(turn).toMatchObject({ state: 'completed', finish: 'tool_calls', debited: total, estimated: false });
    expect(stack.model.requests.at(-1)?.body).toMatchObject({
      tool_choice: { type: 'function', function: { name: 'weather' } },
      parallel_tool_calls: true,
    });
    const whole = async () =>
      (
        await sql<{ whole: string }>`select t::text || p::text as whole from turns t
          join turn_prompts p on p.turn_id = t.id where t.id = ${turn?.id}`.execute(stack.db.database.sql)
      ).rows[0]?.whole;
    expect(await whole()).toMatch(new RegExp(`${CANARY}[^]*Busan`));
    await eraseTexts(stack.db.database, { afterSeconds: 0 });
    expect(await whole()).not.toMatch(new RegExp(`${CANARY}|Busan|look`));
  });
});

describe('tokens', () => {
  test('the hold has room for tools, calls and schema; without usage our count is charged, never more than it', async () => {
    const someone = await stack.person();
    const prompt: ApiPrompt = {
      messages: [
        { role: 'user', content: ASKED },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"zone":"Seoul"}' } },
          ],
        },
        { role: 'tool', content: 'sunny', tool_call_id: 'call_1' },
      ],
      parameters: { tools: [{ type: 'function', function: { ...WEATHER, parameters: JSON.stringify(PARAMETERS) } }] },
    };
    stack.model.next({ calls: [{ ...CALL, arguments: ['{"zone":"Jeju"}'] }], omitUsage: true });
    const { usage } = await new OpenAI({ apiKey: someone.token, baseURL: `${stack.url}/v1` }).chat.completions.create({
      model: MODEL,
      messages: prompt.messages as OpenAI.ChatCompletionMessageParam[],
      tools: [{ type: 'function', function: WEATHER }],
      max_completion_tokens: 100,
    });
    const counted = promptTokens(countTokens(textOfPrompt(prompt), 'o200k_base'), prompt, null);
    const written = countTokens('weather{"zone":"Jeju"}', 'o200k_base');
    expect(usage).toMatchObject({
      prompt_tokens: counted,
      completion_tokens: written,
      total_tokens: counted + written,
    });
    const [turn] = await turnsOf(someone);
    expect(turn).toMatchObject({ estimated: true, debited: counted + written });
    expect(turn?.held).toBe(Math.ceil(counted * 1.1) + 16 + 100);
    // The frame of the tool is 12 of them.
    expect(
      counted - promptTokens(countTokens(textOfPrompt(prompt), 'o200k_base'), { ...prompt, parameters: {} }, null),
    ).toBe(12);
  });
});

describe('what a provider says is passed on, and charged', () => {
  const said = (delta: object, finish: string | null = null) => ({
    data: { id: 'x', choices: [{ index: 0, delta, finish_reason: finish }] },
  });

  test.each<[string, Parameters<TestStack['model']['next']>[0], object, string]>([
    ['a refusal', { refusal: ['I can', 'not.'] }, { content: null, refusal: 'I cannot.' }, 'stop'],
    ['an empty answer', { chunks: [] }, { content: '', refusal: null }, 'stop'],
    ['a filter', { chunks: ['Half'], finishReason: 'content_filter' }, { content: 'Half' }, 'content_filter'],
    ['a limit', { chunks: ['Half'], finishReason: 'length' }, { content: 'Half' }, 'length'],
    ['a word of another provider', { chunks: ['All'], finishReason: 'end_turn' }, { content: 'All' }, 'end_turn'],
    ['a word nobody knows', { chunks: ['All'], finishReason: 'moonrise' }, { content: 'All' }, 'moonrise'],
  ])('%s', async (_name, scenario, message, finish) => {
    for (const stream of [false, true]) {
      const someone = await stack.person();
      stack.model.next(scenario);
      const own = new OpenAI({ apiKey: someone.token, baseURL: `${stack.url}/v1`, maxRetries: 0 }).chat.completions;
      const asked = { model: MODEL, messages: [{ role: 'user' as const, content: 'Say it' }] };
      const answer = stream ? await own.stream(asked).finalChatCompletion() : await own.create(asked);
      expect(answer.choices[0]).toMatchObject({ message, finish_reason: finish });
      const [turn] = await turnsOf(someone);
      expect(turn).toMatchObject({ state: 'completed' });
      expect(turn?.debited).toBeGreaterThan(0);
    }
  });

  test('calls of a provider that answers whole, without ids', async () => {
    stack.model.next({
      raw: [
        {
          data: {
            id: 'x',
            choices: [
              {
                index: 0,
                message: {
                  role: 'assistant',
                  content: null,
                  tool_calls: [{ function: { name: 'now', arguments: {} } }],
                },
                finish_reason: 'tool_calls',
              },
            ],
            usage: usageOf(9, 5),
          },
        },
      ],
    });
    const { choices } = await client.chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: 'x' }],
    });
    expect(choices[0]?.message).toMatchObject({
      content: null,
      tool_calls: [
        { id: expect.stringMatching(/^call_/), type: 'function', function: { name: 'now', arguments: '{}' } },
      ],
    });
  });

  test('a call without arguments has an empty object, which clients parse; one that was cut has what came', async () => {
    const none = (finish: string) => ({
      raw: [
        said({ tool_calls: [{ index: 0, id: 'c', function: { name: 'now', arguments: '' } }] }),
        said({}, finish),
        usageChunk(usageOf(9, 5)),
        DONE_STEP,
      ],
    });
    const asked = { model: MODEL, messages: [{ role: 'user' as const, content: 'x' }] };
    const { completions } = client.chat;
    for (const [finish, given] of [
      ['tool_calls', '{}'],
      ['length', ''],
    ] as const) {
      for (let call = 0; call < 3; call += 1) stack.model.next(none(finish));
      const whole = await completions.create(asked);
      const streamed = await completions
        .stream(asked)
        .finalChatCompletion()
        .catch((error: unknown) => error);
      const items = await client.responses.stream({ model: MODEL, input: 'x' }).finalResponse();
      expect(whole.choices[0]?.message.tool_calls).toMatchObject([{ function: { name: 'now', arguments: given } }]);
      expect(items.output).toMatchObject([{ type: 'function_call', name: 'now', arguments: given }]);
      // Their client throws for what was cut.
      if (finish === 'tool_calls')
        expect(streamed).toMatchObject({
          choices: [{ message: { tool_calls: [{ function: { name: 'now', arguments: given } }] } }],
        });
    }
  });

  test('arguments that no table can hold are kept, and cost what they cost', async () => {
    stack.model.next({
      raw: [
        said({ tool_calls: [{ index: 0, id: 'c', function: { name: 'now', arguments: '{"a":"\0\ud83d' } }] }),
        said({ tool_calls: [{ index: 0, function: { arguments: '"}' } }] }, 'tool_calls'),
        usageChunk(usageOf(9, 5)),
        DONE_STEP,
      ],
    });
    const someone = await stack.person();
    const answer = await someone.call('POST', '/v1/chat/completions', {
      model: MODEL,
      messages: [{ role: 'user', content: 'x' }],
    });
    expect(answer.body.choices[0].message.tool_calls[0].function.arguments).toBe('{"a":"\ufffd\ufffd"}');
    expect(await turnsOf(someone)).toMatchObject([{ state: 'completed', debited: 14 }]);
  });

  test('logprobs, where they are asked for', async () => {
    const scenario = { chunks: ['Yes', '.'], logprob: -0.25 };
    const asked = {
      model: MODEL,
      messages: [{ role: 'user' as const, content: 'Yes?' }],
      logprobs: true,
      top_logprobs: 2,
    };
    stack.model.next(scenario);
    const whole = await client.chat.completions.create(asked);
    expect(whole.choices[0]?.logprobs?.content?.map(({ token, logprob }) => [token, logprob])).toEqual([
      ['Yes', -0.25],
      ['.', -0.25],
    ]);
    stack.model.next(scenario);
    const streamed = await client.chat.completions.stream(asked).finalChatCompletion();
    expect(streamed.choices[0]?.logprobs?.content).toHaveLength(2);
    expect(stack.model.requests.at(-1)?.body).toMatchObject({ logprobs: true, top_logprobs: 2 });
    stack.model.next(scenario);
    const without = await client.chat.completions.create({
      ...asked,
      logprobs: false,
      top_logprobs: undefined as never,
    });
    expect(without.choices[0]?.logprobs).toBeNull();
  });

  test('parameters, several system messages, and a schema in its own order', async () => {
    const schema = {
      type: 'object',
      properties: { thinking: { type: 'string' }, a: { type: 'number' } },
      required: ['thinking', 'a'],
      additionalProperties: false,
    };
    stack.model.next({ chunks: ['{"thinking":"hm",', '"a":1}'] });
    const parsed = await client.chat.completions.parse({
      model: MODEL,
      messages: [
        { role: 'system', content: 'Be brief.' },
        // As a Mac writes it, and not in NFC.
        { role: 'developer', content: 'Be kind in a cafe\u0301.' },
        { role: 'user', content: [{ type: 'text', text: 'Add' }] },
        { role: 'system', content: 'Again.' },
      ],
      reasoning_effort: 'low',
      verbosity: 'low',
      response_format: { type: 'json_schema', json_schema: { name: 'sum', strict: true, schema } },
    });
    expect(JSON.parse(parsed.choices[0]?.message.content ?? '')).toEqual({ thinking: 'hm', a: 1 });
    const body = stack.model.requests.at(-1)?.body as any;
    expect(body).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        // As a Mac writes it, and not in NFC.
        { role: 'developer', content: 'Be kind in a cafe\u0301.' },
        { role: 'user', content: 'Add' },
        { role: 'system', content: 'Again.' },
      ],
      ...{ reasoning_effort: 'low', verbosity: 'low' },
    });
    expect(JSON.stringify(body.response_format.json_schema.schema)).toBe(JSON.stringify(schema));
    stack.model.next({ chunks: ['{"a":', '2}'] });
    const { object } = await generateObject({
      model: createOpenAI({ apiKey: person.token, baseURL: `${stack.url}/v1` }).chat(MODEL),
      schema: jsonSchema<{ a: number }>({ type: 'object', properties: { a: { type: 'number' } } }),
      prompt: 'Add',
    });
    expect(object).toEqual({ a: 2 });
  });
});

describe('attempts', () => {
  test('a call of which a part has left is not made again: the stream ends with an error, at no cost', async () => {
    const someone = await stack.person();
    const before = stack.model.requests.length;
    stack.model.next({ calls: [{ id: 'a', name: 'now', arguments: ['{', '}'] }], dropAt: 1, chunks: [] });
    stack.model.next({
      raw: [
        {
          data: { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, id: 'a', function: { name: 'now' } }] } }] },
        },
        { pauseMs: 100 },
        { cut: true },
      ],
    });
    const stream = await new OpenAI({ apiKey: someone.token, baseURL: `${stack.url}/v1` }).chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: 'x' }],
      stream: true,
    });
    const read = async () => {
      for await (const chunk of stream) chunks.push(chunk);
    };
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    await expect(read()).rejects.toMatchObject({ code: 'interrupted' });
    expect(chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])).toHaveLength(1);
    // The first was lost before anything had left, and was tried again behind the door.
    expect(stack.model.requests).toHaveLength(before + 2);
    expect(await turnsOf(someone)).toMatchObject([{ state: 'failed', debited: 0 }]);
  });

  test('a reader who closes in the middle of a call stops the turn, and pays what came', async () => {
    const someone = await stack.person();
    const gate = new Gate('finish');
    stack.model.next({ calls: [CALL], gate });
    const stream = await new OpenAI({ apiKey: someone.token, baseURL: `${stack.url}/v1` }).chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: 'x' }],
      stream: true,
    });
    for await (const { choices } of stream) if (choices[0]?.delta.tool_calls !== undefined) break;
    await until(async () => (await turnsOf(someone))[0]?.state === 'stopped');
    expect((await turnsOf(someone))[0]?.debited).toBeGreaterThan(0);
    gate.open();
  });
});
