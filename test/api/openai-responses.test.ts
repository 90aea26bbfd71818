import { createOpenAI } from '@ai-sdk/openai';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generateText, Output, stepCountIs, streamText, tool, type ModelMessage } from 'ai';
import { sql } from 'kysely';
import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { eraseTexts } from '../../db/turns/prompts.ts';
import { Gate } from '../fake-model/scenario.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const MODEL = 'gpt-4.1-mini';
const CALL = { id: 'call_1', name: 'weather', arguments: ['{"zone"', ':"Seo', 'ul"}'] };
const WEATHER = {
  type: 'function' as const,
  name: 'weather',
  description: 'The weather',
  parameters: { type: 'object', properties: { zone: { type: 'string' } }, required: ['zone'] },
  strict: false,
};
let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

function clientOf({ token }: Person): OpenAI {
  return new OpenAI({ apiKey: token, baseURL: `${stack.url}/v1`, maxRetries: 0 });
}

async function turnsOf({ userId }: Person) {
  const { rows } = await sql<{ id: string; state: string; debited: number }>`select t.id, t.state,
      (select coalesce(sum(tokens), 0)::int from ledger_entries where turn_id = t.id and kind = 'debit') as debited
    from turns t where user_id = ${userId} order by created_at, id`.execute(stack.db.database.sql);
  return rows;
}

/** What the model was asked last. */
function lastAsked(): any {
  return stack.model.requests.at(-1)?.body;
}

describe('openai-node', () => {
  test('a whole response: instructions before the input, its text, and the usage of its one debit', async () => {
    const someone = await stack.person();
    const response = await clientOf(someone).responses.create({
      model: MODEL,
      instructions: 'Be brief.',
      input: 'Say hello',
      temperature: 0.5,
      max_output_tokens: 200,
      reasoning: { effort: 'low' },
      text: { verbosity: 'low' },
      metadata: { from: 'a test' },
    });
    const [turn] = await turnsOf(someone);
    expect(response).toMatchObject({
      id: `resp_${turn?.id}`,
      status: 'completed',
      output_text: '안녕하세요. 무엇을 도와드릴까요?',
      output: [{ type: 'message', role: 'assistant', status: 'completed' }],
      instructions: 'Be brief.',
      store: false,
      metadata: { from: 'a test' },
    });
    expect(turn).toMatchObject({ state: 'completed', debited: response.usage?.total_tokens });
    expect(lastAsked()).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Say hello' },
      ],
      ...{ temperature: 0.5, max_completion_tokens: 200, reasoning_effort: 'low', verbosity: 'low' },
    });
  });

  test('a stream: every event in its place, numbered without a hole', async () => {
    const someone = await stack.person();
    stack.model.next({ chunks: ['Let me ', 'look.'], calls: [CALL] });
    const events: OpenAI.Responses.ResponseStreamEvent[] = [];
    const stream = clientOf(someone).responses.stream({ model: MODEL, input: 'Weather?', tools: [WEATHER] });
    for await (const event of stream) events.push(event);
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, i) => i));
    const names = events.map(({ type }) => type.replace('response.', ''));
    // How often a delta comes is the network's business.
    expect(names.filter((name, i) => name !== names[i - 1])).toEqual([
      ...['created', 'in_progress', 'output_item.added', 'content_part.added', 'output_text.delta'],
      ...['output_item.added', 'function_call_arguments.delta', 'output_text.done', 'content_part.done'],
      ...['output_item.done', 'function_call_arguments.done', 'output_item.done', 'completed'],
    ]);
    const response = await stream.finalResponse();
    const [turn] = await turnsOf(someone);
    expect(response).toMatchObject({
      output_text: 'Let me look.',
      output: [
        { id: `msg_${turn?.id}`, type: 'message' },
        { id: `fc_${turn?.id}_0`, type: 'function_call', call_id: 'call_1', arguments: '{"zone":"Seoul"}' },
      ],
      usage: { total_tokens: turn?.debited },
    });
  });

  test('a round trip with a function, its items sent back as they came', async () => {
    const client = clientOf(await stack.person());
    stack.model.next({ calls: [CALL, { id: 'call_2', name: 'weather', arguments: ['{"zone":"Busan"}'] }] });
    const first = await client.responses.create({ model: MODEL, input: 'Weather?', tools: [WEATHER] });
    stack.model.next({ chunks: ['Sunny.'] });
    const second = await client.responses.create({
      model: MODEL,
      input: [
        { role: 'user', content: 'Weather?' },
        ...first.output,
        { type: 'function_call_output', call_id: 'call_2', output: 'rain' },
        { type: 'function_call_output', call_id: 'call_1', output: 'sun' },
      ] as OpenAI.Responses.ResponseInput,
      tools: [WEATHER],
      tool_choice: { type: 'function', name: 'weather' },
      parallel_tool_calls: false,
    });
    expect(second.output_text).toBe('Sunny.');
    expect(lastAsked()).toMatchObject({
      messages: [
        { role: 'user', content: 'Weather?' },
        { role: 'assistant', content: null, tool_calls: [{ id: 'call_1' }, { id: 'call_2' }] },
        { role: 'tool', tool_call_id: 'call_1', content: 'sun' },
        { role: 'tool', tool_call_id: 'call_2', content: 'rain' },
      ],
      tools: [{ type: 'function', function: { name: 'weather', strict: false } }],
      tool_choice: { type: 'function', function: { name: 'weather' } },
      parallel_tool_calls: false,
    });
  });

  test('responses.parse, and logprobs where they are asked for', async () => {
    const client = clientOf(await stack.person());
    stack.model.next({ chunks: ['{"sum"', ':3}'], logprob: -0.5 });
    const parsed = await client.responses.parse({
      model: MODEL,
      input: [{ role: 'user', content: [{ type: 'input_text', text: '1 + 2' }] }],
      text: { format: zodTextFormat(z.object({ sum: z.number() }), 'sum') },
      include: ['message.output_text.logprobs'],
      top_logprobs: 1,
    });
    expect(parsed.output_parsed).toEqual({ sum: 3 });
    const [message] = parsed.output;
    expect((message as any).content[0].logprobs).toMatchObject([{ token: '{"sum"', logprob: -0.5 }, { token: ':3}' }]);
    expect(lastAsked()).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { name: 'sum', strict: true } },
      ...{ logprobs: true, top_logprobs: 1 },
    });
  });

  test.each([false, true])('refused, cut, filtered, empty; streamed: %s', async (streamed) => {
    const client = clientOf(await stack.person());
    const ask = async () => {
      const asked = { model: MODEL, input: 'Say it' };
      return streamed ? client.responses.stream(asked).finalResponse() : client.responses.create(asked);
    };
    stack.model.next({ refusal: ['I can', 'not.'] });
    expect(await ask()).toMatchObject({
      status: 'completed',
      output: [{ content: [{ type: 'refusal', refusal: 'I cannot.' }] }],
    });
    stack.model.next({ chunks: ['Half'], finishReason: 'length' });
    expect(await ask()).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output_text: 'Half',
    });
    stack.model.next({ chunks: ['Half'], finishReason: 'content_filter' });
    expect(await ask()).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'content_filter' } });
    stack.model.next({ chunks: [] });
    expect(await ask()).toMatchObject({ status: 'completed', output: [{ content: [{ text: '' }] }] });
  });

  test('a failure after the first text ends the stream with response.failed, at no cost; closing stops the turn', async () => {
    const someone = await stack.person();
    const client = clientOf(someone);
    stack.model.next({ chunks: ['one ', 'two '], errorAt: 2, error: { type: 'server_error' } });
    const events: OpenAI.Responses.ResponseStreamEvent[] = [];
    for await (const event of await client.responses.create({ model: MODEL, input: 'x', stream: true }))
      events.push(event);
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      response: { status: 'failed', error: { code: 'interrupted', message: expect.any(String) } },
    });
    expect(await turnsOf(someone)).toMatchObject([{ state: 'failed', debited: 0 }]);
    const gate = new Gate(2);
    stack.model.next({ chunks: ['first ', 'second'], gate });
    for await (const { type } of await client.responses.create({ model: MODEL, input: 'x', stream: true }))
      if (type === 'response.output_text.delta') break;
    await until(async () => (await turnsOf(someone)).at(-1)?.state === 'stopped');
    expect((await turnsOf(someone)).at(-1)?.debited).toBeGreaterThan(0);
    gate.open();
  });
});

describe('AI SDK’s default, openai(…)', () => {
  const modelOf = ({ token }: Person) => createOpenAI({ apiKey: token, baseURL: `${stack.url}/v1` })(MODEL);
  const weather = tool({
    description: 'The weather',
    inputSchema: z.object({ zone: z.string() }),
    execute: () => Promise.resolve('sunny'),
  });

  test.each([false, true])('text before a tool’s call, and the answer; streamed: %s', async (streamed) => {
    const someone = await stack.person();
    stack.model.next({ chunks: ['Let me look. '], calls: [CALL] });
    stack.model.next({ chunks: ['It is ', 'sunny.'] });
    const request = { model: modelOf(someone), prompt: 'Weather?', tools: { weather }, stopWhen: stepCountIs(3) };
    const result = streamed ? streamText(request) : await generateText(request);
    expect(await result.text).toBe('It is sunny.');
    expect((await result.steps).map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'stop']);
    const turns = await turnsOf(someone);
    expect(turns.map(({ state }) => state)).toEqual(['completed', 'completed']);
    const last = (await result.steps).at(-1);
    expect(last?.usage.totalTokens).toBe(turns.at(-1)?.debited);
    // The client named what was said by its id, and the model got the text.
    expect(lastAsked().messages).toMatchObject([
      { role: 'user', content: 'Weather?' },
      { role: 'assistant', content: 'Let me look. ', tool_calls: [{ id: 'call_1' }] },
      { role: 'tool', tool_call_id: 'call_1', content: expect.stringContaining('sunny') },
    ]);
  });

  test('a structured answer', async () => {
    stack.model.next({ chunks: ['{"sum":', '3}'] });
    const { output } = await generateText({
      model: modelOf(await stack.person()),
      prompt: '1 + 2',
      output: Output.object({ schema: z.object({ sum: z.number() }) }),
    });
    expect(output).toEqual({ sum: 3 });
    expect(lastAsked().response_format).toMatchObject({ type: 'json_schema' });
  });

  test('an earlier answer by its id, while it is kept, to its own person alone; then the refusal says what to send', async () => {
    const [someone, other] = [await stack.person(), await stack.person()];
    stack.model.next({ chunks: ['I am Tara.'] });
    const first = await generateText({ model: modelOf(someone), prompt: 'Who are you?' });
    const messages: ModelMessage[] = [
      { role: 'user', content: 'Who are you?' },
      ...first.response.messages,
      { role: 'user', content: 'Again?' },
    ];
    const again = (person: Person, store?: boolean) =>
      generateText({
        model: modelOf(person),
        messages,
        maxRetries: 0,
        ...(store === undefined ? {} : { providerOptions: { openai: { store } } }),
      });
    await again(someone);
    expect(lastAsked().messages).toMatchObject([
      { content: 'Who are you?' },
      { role: 'assistant', content: 'I am Tara.' },
      { content: 'Again?' },
    ]);
    await expect(again(other)).rejects.toMatchObject({ statusCode: 400 });
    await eraseTexts(stack.db.database, { afterSeconds: 0 });
    await expect(again(someone)).rejects.toMatchObject({
      statusCode: 400,
      message: expect.stringContaining('providerOptions.openai.store = false'),
    });
    await again(someone, false);
    expect(lastAsked().messages[1]).toMatchObject({ role: 'assistant', content: 'I am Tara.' });
  });
});

describe('what is refused says what to do', () => {
  const ASK = { model: MODEL, input: 'x' };
  const called = { type: 'function_call', call_id: 'c', name: 'a', arguments: '{}' };
  const output = { type: 'function_call_output', call_id: 'c', output: 'x' };
  test.each<[string, object, string, RegExp?]>([
    ['a kept answer', { store: true }, 'store', /leave it out/],
    ['an earlier response', { previous_response_id: 'resp_1' }, 'previous_response_id', /earlier items/],
    ['a conversation', { conversation: 'conv_1' }, 'conversation', /earlier items/],
    ['the background', { background: true }, 'background', /stream: true/],
    ['a stored prompt', { prompt: { id: 'p' } }, 'prompt', /instructions/],
    ['a hosted tool', { tools: [{ type: 'web_search' }] }, 'tools.0.type', /type function/],
    ['cutting', { truncation: 'auto' }, 'truncation', /what fits/],
    ['what is not told', { include: ['file_search_call.results'] }, 'include.0'],
    ['a summary of thoughts', { reasoning: { summary: 'detailed' } }, 'reasoning.summary', /leave it out/],
    ['another item', { input: [{ type: 'computer_call' }] }, 'input.0.type', /function_call/],
    [
      'an image',
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'x' }] }] },
      'input.0.content.0.image_url',
    ],
    ['another parameter', { max_tokens: 7 }, 'max_tokens'],
    ['one named like every object’s own', { valueOf: 7 }, 'valueOf'],
    ['a call without an output', { input: [called] }, 'input.0.call_id', /function_call_output/],
    ['an output without a call', { input: [output] }, 'input.0.call_id'],
    ['a call twice', { input: [called, called, output] }, 'input.1.call_id'],
    ['an output twice', { input: [called, output, output] }, 'input.2.call_id'],
    ['an id of nobody’s', { input: [{ type: 'item_reference', id: 'msg_1' }] }, 'input.0.id', /the item itself/],
    ['a role nobody has', { input: [{ role: 'robot', content: 'x' }] }, 'input.0.role'],
    ['half a character', { input: [{ role: 'user', content: '\ud800' }] }, 'input.0.content'],
    ['a schema that is none', { tools: [{ ...WEATHER, parameters: { type: 'x' } }] }, 'tools.0.parameters.type'],
    ['no input', { input: [] }, 'input'],
  ])('%s', async (_name, change, param, says = /./) => {
    const someone = await stack.person();
    const before = stack.model.requests.length;
    const answer = await someone.call('POST', '/v1/responses', { ...ASK, ...change });
    expect(answer).toMatchObject({ status: 400, body: { error: { param, message: expect.stringMatching(says) } } });
    expect(stack.model.requests).toHaveLength(before);
  });

  test('an earlier item by its id: of the person’s own alone, and no more text than a body may have', async () => {
    const [someone, other] = [await stack.person(), await stack.person()];
    const said = '가'.repeat(1_000);
    stack.model.next({ chunks: [said] });
    const { id } = (await someone.call('POST', '/v1/responses', ASK)).body.output[0];
    const again = (by: Person, times: number) =>
      by.call('POST', '/v1/responses', {
        ...ASK,
        input: [...Array(times).fill({ type: 'item_reference', id }), { role: 'user', content: 'and?' }],
      });
    expect((await again(someone, 1)).status).toBe(200);
    expect(lastAsked()).toMatchObject({
      messages: [
        { role: 'assistant', content: said },
        { role: 'user', content: 'and?' },
      ],
    });
    expect((await again(other, 1)).body.error).toMatchObject({ code: 'invalid_request', param: 'input.0.id' });
    expect(await again(someone, 2_000)).toMatchObject({ status: 413, body: { error: { code: 'payload_too_large' } } });
  });

  test('what is not offered at all is 404 in the same envelope', async () => {
    const someone = await stack.person();
    for (const path of [
      '/v1/responses/resp_1',
      '/v1/embeddings',
      '/v1/images/generations',
      '/v1/files',
      '/v1/completions',
    ])
      expect(await someone.call('POST', path, {})).toMatchObject({
        status: 404,
        body: { error: { type: 'invalid_request_error', code: 'not_found', message: expect.any(String) } },
      });
  });
});
