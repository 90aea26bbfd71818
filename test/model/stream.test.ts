import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { TurnFailureCode } from '../../domain/errors.ts';
import { SetupError } from '../../domain/setup-error.ts';
import { ModelFailure } from '../../platform/model/exchange.ts';
import { createModelClient } from '../../platform/model/client.ts';
import { countTokens } from '../../platform/tokens/tokenizer.ts';
import { Gate, mark, type RawStep, type Scenario } from '../fake-model/scenario.ts';
import { MODEL, openModelStage, QUESTION, type Call, type ModelStage } from './stage.ts';

let stage: ModelStage;
beforeAll(async () => {
  stage = await openModelStage();
});
afterAll(() => stage.close());
afterEach(() => {
  stage.fake.release();
  stage.fake.always({});
});

const call = (scenario: Scenario, request: Parameters<ModelStage['call']>[0] = {}): Call => {
  stage.fake.next(scenario);
  return stage.call(request);
};
const failureOf = async ({ ended }: Call): Promise<ModelFailure> => {
  const error: unknown = await ended.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ModelFailure)) throw new Error(`expected a ModelFailure, got ${String(error)}`);
  return error;
};
const lastRequest = () => {
  const request = stage.fake.requests.at(-1);
  if (request === undefined) throw new Error('no request came');
  return request;
};
/** Waits for a fact on the provider's side of the socket. */
const until = async (isTrue: () => boolean) => {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 2));
};
/**
 * The finish reason was sent before the gate at usage. Nothing tells that the client has read it, so a short wait must
 * do.
 */
const finishRead = async (gate: Gate) => {
  await gate.reached;
  await new Promise((resolve) => setTimeout(resolve, 100));
};
const PIECES = { chunks: { count: 12, text: 'x' } };
const USAGE = {
  prompt_tokens: 9,
  completion_tokens: 4,
  prompt_tokens_details: { cached_tokens: 3 },
  completion_tokens_details: { reasoning_tokens: 2 },
};

describe('an answer', () => {
  test('arrives delta by delta, with its usage and the id of the request', async () => {
    const { ended, deltas } = call({ chunks: ['안', '녕', ' 😀'] });
    const completionTokens = countTokens('안녕 😀', 'o200k_base');
    expect(await ended).toMatchObject({
      finishReason: 'stop',
      finishWord: 'stop',
      isFinishUnknown: false,
      isCut: false,
      aborted: false,
      providerRequestId: expect.stringMatching(/^req_fake_\d+$/),
      usage: { promptTokens: 2 + 4 + 3, cachedTokens: 0, completionTokens, reasoningTokens: 0 },
    });
    expect(deltas).toEqual(['안', '녕', ' 😀']);
  });

  test.each(['max_completion_tokens', 'max_tokens'] as const)(
    'is limited by %s, where the catalogue says so',
    async (limitField) => {
      await call({}, { model: { ...MODEL, limitField }, outputLimit: 77 }).ended;
      const { body, authorization } = lastRequest();
      expect(body).toEqual({
        model: MODEL.name,
        messages: QUESTION,
        [limitField]: 77,
        stream: true,
        stream_options: { include_usage: true },
      });
      expect(authorization).toBe('Bearer sk-of-the-test');
    },
  );

  test('that its limit cut ends with length', async () => {
    const { ended, deltas } = call({ chunks: { count: 50, text: ' token' } }, { outputLimit: 20 });
    expect(await ended).toMatchObject({ finishReason: 'length', usage: { completionTokens: 20 } });
    expect(deltas).toHaveLength(20);
  });

  test('over its limit is passed on with the usage that the provider charges', async () => {
    const { ended, deltas } = call({ chunks: { count: 50, text: ' token' }, honourLimit: false }, { outputLimit: 20 });
    expect(await ended).toMatchObject({ finishReason: 'stop', usage: { completionTokens: 50 } });
    expect(deltas).toHaveLength(50);
  });

  test.each([1, 2, 3, 7])(
    'is whole when its bytes arrive %i at a time, in the midst of characters',
    async (splitBytes) => {
      const chunks = ['안녕하세요 ', '👨‍👩‍👧‍👦', ' é'];
      const { ended, deltas } = call({ chunks, splitBytes });
      expect(await ended).toMatchObject({ finishReason: 'stop', usage: { promptTokens: 9 } });
      expect(deltas).toEqual(chunks);
    },
  );

  test('without text is an answer too, and onDelta is not called', async () => {
    const { ended, deltas } = call({ chunks: [], usage: USAGE, finishReason: 'length' });
    expect(await ended).toMatchObject({ finishReason: 'length', usage: { completionTokens: 4 } });
    expect(deltas).toEqual([]);
  });

  test.each<[string, 'stop' | 'length']>([
    ['stop', 'stop'],
    ['length', 'length'],
    ['max_tokens', 'length'],
    ['tool_calls', 'stop'],
    ['function_call', 'stop'],
    ['eos', 'stop'],
  ])('that ends with %s ends with %s', async (finishReason, expected) => {
    expect(await call({ finishReason }).ended).toMatchObject({ finishReason: expected });
  });

  test.each([
    ['an empty word in every chunk', { 0: '', 1: '', 2: '', 3: '', 4: '', 5: '' }],
    ['null as a word', { 3: 'null' }],
    ['a word nobody knows', { 3: 'going_on' }],
  ])('goes on after %s: it is whole, however long that takes, and the last reason counts', async (_, finishReasons) => {
    const scenario = { chunks: { count: 6, text: 'x' }, usage: USAGE, usageAlong: true, delayMs: 150, finishReasons };
    for (const finishReason of ['stop', 'length'] as const) {
      const { ended, deltas } = call({ ...scenario, finishReason });
      expect(await ended).toMatchObject({ finishReason, usage: { completionTokens: 4 } });
      expect(deltas).toHaveLength(6);
    }
  });

  test('goes on with text after a reason, and the last reason counts', async () => {
    const { ended, deltas } = call({
      ...PIECES,
      finishReasons: { 3: 'content_filter', 5: 'stop' },
      finishReason: 'length',
    });
    expect(await ended).toMatchObject({ finishReason: 'length' });
    expect(deltas).toHaveLength(12);
  });

  test('can be asked for by a mark in the question, for providers in a process of their own', async () => {
    const { ended, deltas } = stage.call({
      messages: [{ role: 'user', content: `hi ${mark({ chunks: { count: 3, text: 'x' }, finishReason: 'length' })}` }],
    });
    expect(await ended).toMatchObject({ finishReason: 'length' });
    expect(deltas).toEqual(['x', 'x', 'x']);
  });
});

describe('usage', () => {
  test('keeps cached tokens within the prompt and reasoning within the completion', async () => {
    expect((await call({ usage: USAGE }).ended).usage).toEqual({
      promptTokens: 9,
      cachedTokens: 3,
      completionTokens: 4,
      reasoningTokens: 2,
    });
    const beyond = {
      prompt_tokens: 9,
      completion_tokens: 4,
      prompt_tokens_details: { cached_tokens: 99 },
      completion_tokens_details: { reasoning_tokens: 99 },
    };
    expect((await call({ usage: beyond }).ended).usage).toEqual({
      promptTokens: 9,
      cachedTokens: 9,
      completionTokens: 4,
      reasoningTokens: 4,
    });
    const nonsense = {
      prompt_tokens: 9,
      completion_tokens: 4,
      prompt_tokens_details: { cached_tokens: -1 },
      completion_tokens_details: { reasoning_tokens: 0.5 },
    };
    expect((await call({ usage: nonsense }).ended).usage).toEqual({
      promptTokens: 9,
      cachedTokens: 0,
      completionTokens: 4,
      reasoningTokens: 0,
    });
    expect((await call({ usage: { prompt_tokens: 9, completion_tokens: 4 } }).ended).usage).toMatchObject({
      cachedTokens: 0,
      reasoningTokens: 0,
    });
  });

  test.each<[Record<string, unknown>, number | null, number | null]>([
    [{ prompt_tokens: -1, completion_tokens: 4 }, null, 4],
    [{ prompt_tokens: 9, completion_tokens: 4.5 }, 9, null],
    [{ prompt_tokens: Number.NaN, completion_tokens: 4 }, null, 4],
    [{ prompt_tokens: 9 }, 9, null],
    [{ prompt_tokens: 0, completion_tokens: 0 }, 0, 0],
    [{ prompt_tokens: 9, completion_tokens: 2 ** 53 }, 9, null],
  ])(
    'is read half by half, and a half that cannot be true is none: %j',
    async (usage, promptTokens, completionTokens) => {
      expect(await call({ usage }).ended).toMatchObject({
        finishReason: 'stop',
        usage: { promptTokens, completionTokens },
      });
    },
  );

  test('that is not sent leaves a whole answer without usage', async () => {
    expect(await call({ omitUsage: true }).ended).toMatchObject({ finishReason: 'stop', usage: null, aborted: false });
  });

  test('that is late is waited for', async () => {
    const gate = new Gate('usage');
    const { ended } = call({ gate, usage: USAGE });
    await gate.reached;
    setTimeout(() => gate.open(), 300);
    expect(await ended).toMatchObject({ finishReason: 'stop', usage: { promptTokens: 9 } });
  });

  test('that never comes holds up the answer for two seconds', async () => {
    const { ended } = call({ gate: new Gate('usage') });
    const start = performance.now();
    expect(await ended).toMatchObject({ finishReason: 'stop', usage: null, aborted: false });
    expect(performance.now() - start).toBeGreaterThan(1_900);
    // Not the 30 s of a stall.
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test('that has come is not kept waiting for the end of the stream', async () => {
    const { ended } = call({ gate: new Gate('done'), usage: USAGE });
    const start = performance.now();
    expect(await ended).toMatchObject({ finishReason: 'stop', usage: { promptTokens: 9 } });
    // A second for another chunk, and not the 30 s of a stall.
    expect(performance.now() - start).toBeLessThan(8_000);
  });

  test('counted along with every chunk is taken from the last', async () => {
    const piece = (choices: object[], n: number) =>
      `data: ${JSON.stringify({ id: 'x', choices, usage: { prompt_tokens: 9, completion_tokens: n } })}\n\n`;
    const provider = await openProvider(
      [
        piece([{ index: 0, delta: { content: 'a' }, finish_reason: null }], 1),
        piece([{ index: 0, delta: {}, finish_reason: 'stop' }], 2),
        piece([], 3),
        'data: [DONE]\n\n',
      ].join(''),
    );
    try {
      expect(await provider.ask()).toMatchObject({ finishReason: 'stop', usage: { completionTokens: 3 } });
    } finally {
      await provider.close();
    }
  });
});

describe('what a provider refuses', () => {
  const refusal = {
    status: 400,
    error: { code: 'unsupported_parameter', message: 'Unrecognized request argument supplied: stream_options' },
  };
  const asked = (from: number) => stage.fake.requests.slice(from).map(({ body }) => 'stream_options' in body);

  test('stream_options: it is found out once, and remembered for that model', async () => {
    const before = stage.fake.requests.length;
    const model = { ...MODEL, name: 'without-options' };
    expect(await call(refusal, { model }).ended).toMatchObject({ finishReason: 'stop', usage: null });
    expect(await call({}, { model }).ended).toMatchObject({ finishReason: 'stop' });
    expect(await call({}).ended).toMatchObject({ usage: { promptTokens: 9 } });
    expect(asked(before)).toEqual([true, false, false, true]);
  });

  test('stream_options: nothing is sent where the catalogue says so', async () => {
    const before = stage.fake.requests.length;
    await call({}, { model: { ...MODEL, refuses: ['stream_options'] } }).ended;
    expect(asked(before)).toEqual([false]);
  });

  test('control: another refusal is final, and nothing is found out by it', async () => {
    const before = stage.fake.requests.length;
    expect(await failureOf(call({ status: 400, error: { code: 'unsupported_parameter' } }))).toMatchObject({
      code: 'model_rejected',
    });
    await call({}).ended;
    expect(asked(before)).toEqual([true, true]);
  });

  test.each([
    ['system', ['system: be kind', 'user: hi']],
    ['developer', ['developer: be kind', 'user: hi']],
    ['merged', ['user: be kind\n\nhi']],
  ] as const)('a role: instructions as %s', async (systemRole, expected) => {
    const messages = [
      { role: 'system', content: 'be kind' },
      { role: 'user', content: 'hi' },
    ] as const;
    await call({}, { model: { ...MODEL, systemRole }, messages }).ended;
    expect(lastRequest().body.messages.map(({ role, content }) => `${role}: ${content as string}`)).toEqual(expected);
  });
});

describe('a failure', () => {
  test.each<[string, RawStep[], TurnFailureCode]>([
    [
      'a field of llama.cpp',
      [{ bytes: 'error: {"code":400,"type":"exceed_context_size_error"}\n\n' }],
      'context_length',
    ],
    ['an event of Anthropic', [{ data: { type: 'error', error: { type: 'overloaded_error' } } }], 'model_unavailable'],
    ['a choice of OpenRouter', [{ data: { choices: [{ delta: {}, error: { code: 429 } }] } }], 'model_rate_limited'],
    ['a list of Gemini', [{ bytes: '[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}]' }], 'model_rate_limited'],
    ['the words of Moonshot', [{ data: { error: { type: 'exceeded_current_quota_error' } } }], 'model_rejected'],
    ['a number of Zhipu', [{ data: { error: { code: '1301', message: 'no' } } }], 'content_filtered'],
    ['a sentence', [{ data: { error: 'the prompt is quoted here', error_type: 'overloaded' } }], 'model_unavailable'],
    [
      'the filter of Azure',
      [{ data: { error: { innererror: { code: 'ResponsibleAIPolicyViolation' } } } }],
      'content_filtered',
    ],
  ])('within a 200, in %s, keeps its class', async (_, raw, code) => {
    const failure = await failureOf(call({ raw }));
    expect(failure.code).toBe(code);
    expect(JSON.stringify(failure)).not.toContain('quoted');
  });

  test.each<[string, Scenario, TurnFailureCode, boolean, number | null]>([
    [
      '429',
      { status: 429, headers: { 'retry-after': '2' }, error: { code: 'rate_limit_exceeded', type: 'requests' } },
      'model_rate_limited',
      true,
      2_000,
    ],
    ['429 for an hour', { status: 429, headers: { 'retry-after': '3600' } }, 'model_rate_limited', true, 60_000],
    [
      'no quota',
      { status: 429, error: { code: 'insufficient_quota', type: 'insufficient_quota' } },
      'model_rejected',
      false,
      null,
    ],
    ['500', { status: 500 }, 'model_unavailable', true, null],
    ['503', { status: 503, headers: { 'retry-after': '1' } }, 'model_unavailable', true, 1_000],
    [
      'a wrong key',
      { status: 401, error: { code: 'invalid_api_key', type: 'invalid_request_error' } },
      'model_rejected',
      false,
      null,
    ],
    ['an unknown model', { status: 404, error: { code: 'model_not_found' } }, 'model_rejected', false, null],
    ['too long a prompt', { status: 400, error: { code: 'context_length_exceeded' } }, 'context_length', false, null],
    ['a filtered prompt', { status: 400, error: { code: 'content_filter' } }, 'content_filtered', false, null],
    ['an error in mid-stream', { errorAt: 2, error: { type: 'server_error' } }, 'model_unavailable', true, null],
    ['a limit in mid-stream', { errorAt: 2, error: { code: 'rate_limit_exceeded' } }, 'model_rate_limited', true, null],
    ['a lost connection before the first delta', { dropAt: 1 }, 'model_unavailable', true, null],
    ['a lost connection in mid-stream', { dropAt: 3 }, 'model_unavailable', true, null],
    ['a lost connection before the finish reason', { dropAt: 5 }, 'model_unavailable', true, null],
    [
      'a stream that ends without a finish reason',
      { omitFinish: true, omitUsage: true },
      'model_unavailable',
      true,
      null,
    ],
    [
      'a stream that ends with an empty finish reason',
      { finishReason: '', omitUsage: true },
      'model_unavailable',
      true,
      null,
    ],
    [
      'a stream that ends with null as a word',
      { finishReason: 'null', omitUsage: true },
      'model_unavailable',
      true,
      null,
    ],
    [
      'an answer given up by the provider',
      { finishReason: 'insufficient_system_resource' },
      'model_unavailable',
      true,
      null,
    ],
  ])('%s', async (_, scenario, code, retryable, retryAfterMs) => {
    const before = stage.fake.requests.length;
    const failure = await failureOf(call(scenario));
    expect(failure).toMatchObject({ code, retryable, retryAfterMs });
    // Only Temporal retries, so one call is one request.
    expect(stage.fake.requests).toHaveLength(before + 1);
  });

  test.each([
    ['an empty finish reason', { 3: '' }],
    ['null as a word', { 3: 'null' }],
    ['a finish reason and more text', { 2: 'stop' }],
    ['a word nobody knows', { 3: 'going_on' }],
  ])('a connection lost after %s: 3 of 12 pieces are no answer', async (_, finishReasons) => {
    const gate = new Gate(4);
    const lost = call({ ...PIECES, finishReasons, gate, dropAt: 4 });
    // Text that was not read when the connection ends is lost.
    await until(() => lost.deltas.length === 3);
    gate.open();
    expect(await failureOf(lost)).toMatchObject({ code: 'model_unavailable', retryable: true });
  });

  test('says nothing of what the provider said', async () => {
    for (const scenario of [{ status: 400 }, { errorAt: 1 }]) {
      const failure = await failureOf(call(scenario));
      expect(`${failure.message} ${failure.stack} ${JSON.stringify(failure)} ${String(failure.cause)}`).not.toContain(
        'quotes the prompt',
      );
    }
  });

  test('a filtered answer keeps what it used', async () => {
    expect(await failureOf(call({ finishReason: 'content_filter', usage: USAGE }))).toMatchObject({
      code: 'content_filtered',
      retryable: false,
      seen: { usage: { promptTokens: 9, completionTokens: 4 } },
    });
    expect(await failureOf(call({ finishReason: 'content_filter', omitUsage: true }))).toMatchObject({
      code: 'content_filtered',
      seen: { usage: null },
    });
  });

  test('usage without a finish reason stays with the failure', async () => {
    expect(await failureOf(call({ omitFinish: true, usage: USAGE }))).toMatchObject({
      code: 'model_unavailable',
      seen: { usage: { completionTokens: 4 } },
    });
  });

  test('a connection lost after the finish reason takes nothing from the answer', async () => {
    const gate = new Gate('usage');
    const { ended, deltas } = call({ dropAt: 6, gate });
    await finishRead(gate);
    gate.open();
    expect(await ended).toMatchObject({ finishReason: 'stop', usage: null, aborted: false });
    expect(deltas).toHaveLength(4);
  });

  test('a refused connection', async () => {
    const provider = await openProvider('');
    await provider.close();
    await expect(provider.ask()).rejects.toMatchObject({
      name: 'ModelFailure',
      code: 'model_unavailable',
      retryable: true,
    });
  });

  test.each([
    ['a page of a proxy', '<html>'],
    ['a broken event', 'data: {"choices":[{"ind\n\n'],
    ['nothing', ''],
  ])('%s instead of a stream', async (_, body) => {
    const provider = await openProvider(body);
    try {
      await expect(provider.ask()).rejects.toMatchObject({
        name: 'ModelFailure',
        code: 'model_unavailable',
        retryable: true,
      });
    } finally {
      await provider.close();
    }
  });

  test("of onDelta is the caller's own, and ends the call", async () => {
    const bug = new Error('ours');
    stage.fake.next({ gate: new Gate(2) });
    const calls = stage.client.stream(
      { model: MODEL, messages: QUESTION, outputLimit: 10, signal: new AbortController().signal },
      () => {
        throw bug;
      },
    );
    await expect(calls).rejects.toBe(bug);
    await until(() => lastRequest().aborted);
  });
});

describe('a stall', () => {
  const stall = { firstByteMs: 80, betweenMs: 80 };

  test.each(['request', 'first-delta', 3, 'finish'] as const)(
    'at %s is a timeout, and the provider is let go',
    async (point) => {
      const failure = await failureOf(call({ gate: new Gate(point) }, { stall }));
      expect(failure).toMatchObject({
        code: 'model_timeout',
        retryable: true,
        retryAfterMs: null,
        seen: { usage: null },
      });
      await until(() => lastRequest().aborted);
    },
  );

  test.each([
    ['an empty finish reason', { 3: '' }],
    ['null as a word', { 3: 'null' }],
    ['a finish reason and more text', { 2: 'stop' }],
  ])('after %s is a timeout, and no end of the answer', async (_, finishReasons) => {
    expect(await failureOf(call({ ...PIECES, finishReasons, gate: new Gate(4) }, { stall }))).toMatchObject({
      code: 'model_timeout',
      retryable: true,
    });
  });

  test('is measured from chunk to chunk: a slow answer is none', async () => {
    const { ended } = call(
      { chunks: { count: 24, text: 'x' }, delayMs: 60 },
      { stall: { firstByteMs: 1_000, betweenMs: 1_000 } },
    );
    expect(await ended).toMatchObject({ finishReason: 'stop' });
  });

  test('begins with the first text: the silence after the empty opening chunk has the limit of the first byte', async () => {
    const gate = new Gate('first-delta');
    const { ended } = call({ gate }, { stall: { firstByteMs: 5_000, betweenMs: 50 } });
    await gate.reached;
    setTimeout(() => gate.open(), 200);
    expect(await ended).toMatchObject({ finishReason: 'stop' });
  });

  test('of a model that thinks aloud is measured from thought to thought', async () => {
    const thinking = { chunks: { count: 20, text: '' }, delayMs: 60 };
    expect(await call(thinking, { stall: { firstByteMs: 800, betweenMs: 20 } }).ended).toMatchObject({
      finishReason: 'stop',
    });
    expect(await failureOf(call(thinking, { stall: { firstByteMs: 30, betweenMs: 5_000 } }))).toMatchObject({
      code: 'model_timeout',
    });
  });

  test('before the first byte has a limit of its own', async () => {
    const gate = new Gate('request');
    const { ended } = call({ gate }, { stall: { firstByteMs: 5_000, betweenMs: 50 } });
    await gate.reached;
    setTimeout(() => gate.open(), 200);
    expect(await ended).toMatchObject({ finishReason: 'stop' });
  });
});

describe('an abort', () => {
  test('before the call sends nothing', async () => {
    const before = stage.fake.requests.length;
    const ended = stage.client.stream(
      { model: MODEL, messages: QUESTION, outputLimit: 10, signal: AbortSignal.abort() },
      () => {},
    );
    expect(await ended).toMatchObject({ finishReason: null, usage: null, aborted: true, providerRequestId: null });
    expect(stage.fake.requests).toHaveLength(before);
  });

  test('before the first byte', async () => {
    const gate = new Gate('request');
    const { ended, abort, deltas } = call({ gate });
    await gate.reached;
    abort.abort();
    expect(await ended).toMatchObject({ finishReason: null, usage: null, aborted: true });
    expect(deltas).toEqual([]);
    await until(() => lastRequest().aborted);
  });

  test('in mid-stream keeps what came, and the provider sees it go', async () => {
    const gate = new Gate(3);
    const { ended, abort, deltas } = call({ gate });
    await gate.reached;
    await until(() => deltas.length === 2);
    abort.abort();
    expect(await ended).toMatchObject({
      finishReason: null,
      usage: null,
      aborted: true,
      providerRequestId: expect.stringContaining('req_fake_'),
    });
    expect(deltas).toEqual(['안녕', '하세요']);
    await until(() => lastRequest().aborted);
  });

  test('after the finish reason is an answer, with or without its usage', async () => {
    const gate = new Gate('usage');
    const { ended, abort } = call({ gate });
    await finishRead(gate);
    abort.abort();
    expect(await ended).toMatchObject({ finishReason: 'stop', usage: null, aborted: false });
  });

  test('from onDelta ends the call with that delta', async () => {
    const abort = new AbortController();
    const deltas: string[] = [];
    stage.fake.next({ chunks: { count: 100, text: 'x' } });
    const end = await stage.client.stream(
      { model: MODEL, messages: QUESTION, outputLimit: 100, signal: abort.signal },
      (text) => {
        deltas.push(text);
        abort.abort();
      },
    );
    expect(end).toMatchObject({ finishReason: null, aborted: true });
    expect(deltas).toHaveLength(1);
  });
});

describe('the client', () => {
  test('keeps its connections from call to call', async () => {
    await call({}).ended;
    const before = stage.fake.connections();
    for (let i = 0; i < 10; i += 1) await call({}).ended;
    // One whose body has not quite ended yet is not free: the next call may open a second, and a third under load.
    expect(stage.fake.connections() - before).toBeLessThanOrEqual(2);
  });

  test('lets a call go on whose connection served another, when that one is aborted afterwards', async () => {
    const first = call({});
    await first.ended;
    await until(() => lastRequest().ended);
    const gate = new Gate(2);
    const second = call({ gate });
    await second.started;
    first.abort.abort();
    gate.open();
    expect(await second.ended).toMatchObject({ finishReason: 'stop', aborted: false });
  });

  test('streams 200 answers at once', async () => {
    const gate = new Gate(2);
    stage.fake.always({ gate });
    const calls = Array.from({ length: 200 }, () => stage.call());
    await Promise.all(calls.map(({ started }) => started));
    gate.open();
    const ends = await Promise.all(calls.map(({ ended }) => ended));
    expect(ends.every(({ finishReason, usage }) => finishReason === 'stop' && usage !== null)).toBe(true);
    expect(calls.every(({ deltas }) => deltas.length === 4)).toBe(true);
  });

  test('ends its calls when it closes, as aborted', async () => {
    const other = await openModelStage();
    const gate = new Gate(2);
    other.fake.next({ gate });
    const { ended, started } = other.call();
    await started;
    await other.client.close();
    expect(await ended).toMatchObject({ finishReason: null, aborted: true });
    expect(await other.call().ended).toMatchObject({ finishReason: null, aborted: true });
    await other.close();
  });

  test('refuses to start with neither a key nor a provider', () => {
    expect(() => createModelClient({ apiKey: undefined, baseUrl: undefined })).toThrow(SetupError);
    expect(() => createModelClient({ apiKey: undefined, baseUrl: stage.fake.url })).not.toThrow();
  });
});

/** A provider that always sends the same bytes. */
async function openProvider(body: string) {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = createModelClient({ apiKey: 'x', baseUrl: `http://127.0.0.1:${port}/v1` });
  return {
    ask: () =>
      client.stream(
        { model: MODEL, messages: QUESTION, outputLimit: 10, signal: new AbortController().signal },
        () => {},
      ),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
