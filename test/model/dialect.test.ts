import { describe, expect, test } from '@jest/globals';
import { Calls } from '../../platform/model/calls.ts';
import { readChunk, type CallPart, type Piece } from '../../platform/model/dialect.ts';
import { finishOf, readFinish, type Finish } from '../../platform/model/finish.ts';
import { mergeUsage, readUsage, type ReadUsage } from '../../platform/model/usage.ts';

const pieceOf = (value: unknown): Piece => {
  const said = readChunk(value);
  if (said?.kind !== 'piece') throw new Error(`no piece: ${JSON.stringify(said)}`);
  return said.piece;
};
const chunk = (choice: object, more: object = {}) => ({ id: 'x', choices: [{ index: 0, ...choice }], ...more });

describe('the text of a chunk', () => {
  test.each<[string, object, Partial<Piece>]>([
    ['a string', { delta: { content: 'a' } }, { text: 'a', thought: '' }],
    ['null', { delta: { content: null } }, { text: '' }],
    [
      'parts',
      {
        delta: {
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      },
      { text: 'ab' },
    ],
    ['a part that holds parts', { delta: { content: [{ type: 'text', text: [{ text: 'a' }] }] } }, { text: 'a' }],
    ['a refusal, which is no text', { delta: { refusal: 'no' } }, { text: '', refusal: 'no' }],
    [
      'a whole message',
      { message: { content: 'all' }, finish_reason: 'stop' },
      { text: '', whole: 'all', finish: 'stop' },
    ],
    ['a completion of the older kind', { text: 'old' }, { text: 'old' }],
    ['thoughts in reasoning_content', { delta: { reasoning_content: 'hm' } }, { text: '', thought: 'hm' }],
    ['thoughts in reasoning', { delta: { reasoning: 'hm', content: '' } }, { text: '', thought: 'hm' }],
    ['thoughts in both', { delta: { reasoning: 'hm', reasoning_content: 'hm' } }, { text: '', thought: 'hm' }],
    [
      'thoughts as parts',
      {
        delta: {
          content: [
            { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
            { type: 'text', text: 'a' },
          ],
        },
      },
      { text: 'a', thought: 'hm' },
    ],
    [
      'a call of a tool',
      { delta: { tool_calls: [{ index: 0, id: 'a', function: { name: 'now', arguments: '{"a"' } }] } },
      { text: '', isCall: true, calls: [{ index: 0, id: 'a', name: 'now', arguments: '{"a"' }] },
    ],
    [
      'a call without id or index, its arguments as an object',
      { delta: { tool_calls: [{ function: { name: 'now', arguments: { a: 1 } } }] } },
      { calls: [{ index: null, id: null, name: 'now', arguments: '{"a":1}' }] },
    ],
    [
      'the calls of a whole message',
      { message: { content: null, tool_calls: [{ id: 'a', function: { name: 'now', arguments: '{}' } }] } },
      { whole: '', isCall: true, wholeCalls: [{ index: null, id: 'a', name: 'now', arguments: '{}' }] },
    ],
    [
      'how likely it was, of which half a character is told by its bytes',
      {
        delta: { content: 'a' },
        logprobs: { content: [{ token: '\ud83d', logprob: -1, bytes: [240] }], refusal: null },
      },
      { logprobs: { content: [{ token: '\ufffd', logprob: -1, bytes: [240], top_logprobs: [] }] } },
    ],
    ['no call', { delta: { content: 'a', tool_calls: [] } }, { text: 'a', isCall: false }],
    [
      'the finish word of LiteLLM, where only the original is left',
      { delta: {}, finish_reason: null, native_finish_reason: 'MAX_TOKENS' },
      { finish: 'MAX_TOKENS' },
    ],
    [
      'the finish word of OpenRouter',
      { delta: {}, finish_reason: 'length', native_finish_reason: 'MAX' },
      { finish: 'length' },
    ],
  ])('%s', (_, choice, expected) => {
    expect(pieceOf(chunk(choice))).toMatchObject(expected);
  });

  test('is that of the first answer, whatever comes beside it', () => {
    const both = {
      choices: [
        { index: 1, delta: { content: 'other' } },
        { index: 0, delta: { content: 'mine' } },
      ],
    };
    expect(pieceOf(both).text).toBe('mine');
    expect(pieceOf({ choices: [{ index: 1, delta: { content: 'other' } }] }).text).toBe('');
  });

  test.each([null, 17, 'ping', [], undefined])('%j is no chunk', (value) => {
    expect(readChunk(value)).toBeNull();
  });

  test.each([
    {},
    { choices: null },
    { choices: [null] },
    {
      choices: [],
      prompt_filter_results: [{ prompt_index: 0, content_filter_results: { hate: { filtered: false } } }],
    },
    { choices: [{ index: 0, content_filter_offsets: { check_offset: 44 }, finish_reason: null }], object: '' },
    { choices: [{ delta: 'x' }] },
    { error: null },
    chunk({ error: null }),
  ])('%j says nothing, and is no failure', (value) => {
    expect(pieceOf(value)).toEqual({
      ...{ text: '', refusal: '', thought: '', whole: '', wholeRefusal: '', finish: null, usage: null },
      ...{ isCall: false, calls: [], wholeCalls: [], logprobs: null },
    });
  });
});

describe('a finish word', () => {
  test.each<[string, Finish | null]>([
    ['stop', 'stop'],
    ['STOP', 'stop'],
    ['end_turn', 'stop'],
    ['eos', 'stop'],
    ['length', 'length'],
    ['MAX_TOKENS', 'length'],
    ['max_output_tokens', 'length'],
    ['model_length', 'length'],
    ['tool_calls', 'calls'],
    ['function_call', 'calls'],
    ['content_filter', 'content_filtered'],
    ['content-filter', 'content_filtered'],
    ['sensitive', 'content_filtered'],
    ['SAFETY', 'content_filtered'],
    ['PROHIBITED_CONTENT', 'content_filtered'],
    ['recitation', 'content_filtered'],
    ['refusal', 'content_filtered'],
    ['network_error', 'model_unavailable'],
    ['error', 'model_unavailable'],
    ['timeout', 'model_unavailable'],
    ['insufficient_system_resource', 'model_unavailable'],
    ['abort', 'model_unavailable'],
    ['repetition', null],
    ['constructor', null],
  ])('%s means %s', (word, finish) => {
    expect(finishOf(word)).toBe(finish);
  });

  test.each([[''], [' '], ['null'], ['None'], [null], [undefined], [0], [false], [{}]])('%j is none', (reason) => {
    expect(readFinish(reason)).toBeNull();
  });
});

describe('usage', () => {
  const read = (usage: unknown) => readUsage(usage)?.usage;
  test.each<[string, object, [number | null, number | null, number, number]]>([
    ['as OpenAI says it', { prompt_tokens: 40, completion_tokens: 36, total_tokens: 76 }, [40, 36, 0, 0]],
    ['in Anthropic’s words', { input_tokens: 40, output_tokens: 36 }, [40, 36, 0, 0]],
    ['as text', { prompt_tokens: '40', completion_tokens: '36.0' }, [40, 36, 0, 0]],
    ['with a fraction', { prompt_tokens: 40, completion_tokens: 3.5 }, [40, null, 0, 0]],
    ['below nothing', { prompt_tokens: -40, completion_tokens: 36 }, [null, 36, 0, 0]],
    ['above 2^53', { prompt_tokens: 40, completion_tokens: 2 ** 60 }, [40, null, 0, 0]],
    ['that has no completion', { prompt_tokens: 40 }, [40, null, 0, 0]],
    [
      'whose total holds the thoughts too (xAI, Gemini)',
      {
        prompt_tokens: 40,
        completion_tokens: 3,
        total_tokens: 1_043,
        completion_tokens_details: { reasoning_tokens: 1_000 },
      },
      [40, 1_003, 0, 1_000],
    ],
    ['whose total is too small', { prompt_tokens: 40, completion_tokens: 36, total_tokens: 1 }, [40, 36, 0, 0]],
    ['whose total may hold the prompt', { prompt_tokens: 0, completion_tokens: 36, total_tokens: 76 }, [0, 36, 0, 0]],
    [
      'with cached tokens at the top (Moonshot)',
      { prompt_tokens: 40, completion_tokens: 3, cached_tokens: 30 },
      [40, 3, 30, 0],
    ],
    [
      'with hits and misses (DeepSeek)',
      { prompt_tokens: 40, completion_tokens: 3, prompt_cache_hit_tokens: 30, prompt_cache_miss_tokens: 10 },
      [40, 3, 30, 0],
    ],
    [
      'of hits and misses only',
      { completion_tokens: 3, prompt_cache_hit_tokens: 30, prompt_cache_miss_tokens: 10 },
      [40, 3, 30, 0],
    ],
  ])('%s', (_, usage, [promptTokens, completionTokens, cachedTokens, reasoningTokens]) => {
    expect(read(usage)).toEqual({ promptTokens, completionTokens, cachedTokens, reasoningTokens });
  });

  test.each([null, undefined, 17, 'x', [], {}, { prompt_tokens: 'the prompt itself' }])('%j says nothing', (usage) => {
    expect(readUsage(usage)).toBeNull();
  });

  test('is found in the choice (Moonshot) and beside the chunk (Groq)', () => {
    const usage = { prompt_tokens: 40, completion_tokens: 36 };
    for (const value of [
      chunk({ delta: {}, usage }),
      chunk({ delta: {} }, { x_groq: { usage } }),
      chunk({ delta: {} }, { usage }),
    ])
      expect(pieceOf(value).usage?.usage).toMatchObject({ promptTokens: 40, completionTokens: 36 });
  });

  test('keeps the figures as they came, and only figures', () => {
    expect(readUsage({ prompt_tokens: 2 ** 60, completion_tokens: '-3', total_tokens: 'a secret' })?.figures).toEqual({
      prompt_tokens: 2 ** 60,
      completion_tokens: '-3',
    });
  });

  test.each<[string, object[], [number | null, number | null]]>([
    [
      'nothing after sense',
      [
        { prompt_tokens: 4_000, completion_tokens: 900 },
        { prompt_tokens: 0, completion_tokens: 0 },
      ],
      [4_000, 900],
    ],
    [
      'nonsense after sense',
      [
        { prompt_tokens: 4_000, completion_tokens: 900 },
        { prompt_tokens: -1, completion_tokens: 1.5 },
      ],
      [4_000, 900],
    ],
    [
      'more after less',
      [
        { prompt_tokens: 40, completion_tokens: 1 },
        { prompt_tokens: 40, completion_tokens: 600 },
      ],
      [40, 600],
    ],
    ['one half after the other', [{ prompt_tokens: 40, completion_tokens: 0 }, { completion_tokens: 600 }], [40, 600]],
  ])('%s', (_, usages, [promptTokens, completionTokens]) => {
    const merged = usages.reduce<ReadUsage | null>((before, usage) => {
      const next = readUsage(usage);
      return next === null ? before : mergeUsage(before, next);
    }, null);
    expect(merged?.usage).toMatchObject({ promptTokens, completionTokens });
  });
});

describe('calls of tools, however their parts are named', () => {
  const part = (more: Partial<CallPart>): CallPart => ({ index: null, id: null, name: '', arguments: '', ...more });
  const callsOf = (...parts: CallPart[]) => {
    const calls = new Calls();
    calls.take(parts, (text) => text);
    return calls.all.map(({ name, arguments: given }) => `${name}(${given})`);
  };
  test.each<[string, CallPart[]]>([
    [
      'by an index, as OpenAI does',
      [
        part({ index: 0, id: 'a', name: 'one' }),
        part({ index: 0, arguments: '1' }),
        part({ index: 1, id: 'b', name: 'two', arguments: '2' }),
        part({ index: 0, arguments: '1' }),
      ],
    ],
    [
      'by an id, with one index for all',
      [
        part({ index: 0, id: 'a', name: 'one', arguments: '11' }),
        part({ index: 0, id: 'b', name: 'two' }),
        part({ index: 0, arguments: '2' }),
      ],
    ],
    [
      'with the name after the id, or after a part of the arguments',
      [
        part({ index: 0, id: 'a' }),
        part({ index: 0, name: 'one', arguments: '1' }),
        part({ index: 1, id: 'b', arguments: '2' }),
        part({ index: 0, arguments: '1' }),
        part({ index: 1, name: 'two' }),
      ],
    ],
    [
      'by their order, with neither',
      [part({ name: 'one' }), part({ arguments: '11' }), part({ name: 'two', arguments: '2' })],
    ],
    [
      'with the name in each part, and holes between the indexes',
      [
        part({ index: 3, id: 'a', name: 'one', arguments: '1' }),
        part({ index: 3, id: 'a', name: 'one', arguments: '1' }),
        part({ index: 7, id: 'b', name: 'two', arguments: '2' }),
      ],
    ],
    [
      'by their names alone, with one index for all and no id',
      [
        part({ index: 0, name: 'one', arguments: '1' }),
        part({ index: 0, name: 'one', arguments: '1' }),
        part({ index: 0, name: 'two', arguments: '' }),
        part({ index: 0, name: 'two', arguments: '2' }),
      ],
    ],
  ])('%s', (_, parts) => {
    expect(callsOf(...parts)).toEqual(['one(11)', 'two(2)']);
  });

  test('of one tool, with one index for all and no id, are told apart by their arguments', () => {
    const named = (json: string) => part({ index: 0, name: 'read', arguments: json });
    expect(callsOf(named('{"a":"{"'), named('}'), named(''), named('{"b":2}'), named(''))).toEqual([
      'read({"a":"{"})',
      'read({"b":2})',
    ]);
    const nested = [named('{"a":'), named('{"b":1}'), named('}')];
    expect(callsOf(...nested)).toEqual(['read({"a":{"b":1}})']);
  });

  test('keep the id that came before their name', () => {
    const calls = new Calls();
    const said = calls.take(
      [part({ index: 0, id: 'a' }), part({ index: 0, name: 'one', arguments: '1' })],
      (text) => text,
    );
    expect(said).toEqual([{ index: 0, id: 'a', name: 'one', arguments: '1' }]);
  });

  test('each has an id, also where the provider gave none', () => {
    const calls = new Calls();
    calls.take([part({ name: 'one' }), part({ name: 'two' })], (text) => text);
    expect(new Set(calls.all.map(({ id }) => id)).size).toBe(2);
    for (const { id } of calls.all) expect(id).toMatch(/^call_[0-9a-f]{24}$/);
  });
});
