import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { readMostUnpaidTokens, readUnpaidTokens } from '../../db/money/unpaid.ts';
import type { TurnFailureCode } from '../../domain/errors.ts';
import { countPrompt } from '../../domain/prompt-tokens.ts';
import { countTokens } from '../../platform/tokens/tokenizer.ts';
import { textOf as textOfMessage } from '../fake-model/play.ts';
import { DONE_STEP as DONE, piece, usageChunk, usageOf, type RawStep, type Scenario } from '../fake-model/scenario.ts';
import { readEvents, textOf } from '../support/events.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import type { TestTurn } from '../support/turn.ts';
import { modelCalls, newTurn } from '../workflow/stage.ts';
import { parseExposition, valueOf } from '../ops/exposition.ts';

/**
 * What providers really send (docs/providers.md), played as bytes through the whole service: what the person gets, what
 * is debited and how often the model was called. All turns run beside each other, because they mostly wait.
 */
interface Case {
  /** The last step list is played for every further call. */
  readonly calls: readonly (readonly RawStep[] | Scenario)[];
  /** Of the body; `code` of a failed one. */
  readonly ends: 'completed' | 'length' | 'stopped' | TurnFailureCode;
  /** The content; by default that of `PIECES`. */
  readonly text?: string;
  /** What is debited. A function gets our own count of the prompt. */
  readonly debit: number | ((prompt: number) => number);
  readonly estimated?: boolean;
  /** How often the model is called: once by default. */
  readonly times?: number;
  /** Columns of the answering attempt. */
  readonly attempt?: Readonly<Record<string, unknown>>;
  /** The person stops when this much text has come. */
  readonly stopAt?: number;
}

const PIECES = Array.from({ length: 12 }, (_, n) => `piece ${n} `);
const WHOLE = PIECES.join('');
const LONG = 'The quick brown fox jumps over the lazy dog and runs. '.repeat(19).slice(0, 1_000);
const ours = (text: string) => countTokens(text, 'o200k_base');
const USAGE = usageOf(40, 36);
const END = [piece(null, { finish: 'stop' }), usageChunk(USAGE), DONE];
const texts = (...more: object[]): RawStep[] => PIECES.map((text, n) => piece(text, more[n]));
const slowly = (steps: readonly RawStep[], pauseMs: number) => steps.flatMap((step) => [{ pauseMs }, step]);
const beats = (bytes: string, times: number, pauseMs: number) =>
  Array.from({ length: times }, () => [{ pauseMs }, { bytes }]).flat();
const json = (body: unknown, indent?: number): RawStep => ({ bytes: JSON.stringify(body, null, indent) });
const message = (content: string) => ({
  id: 'x',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  usage: USAGE,
});
const delta = (more: object, finish: string | null = null): RawStep => ({
  data: { choices: [{ index: 0, delta: more, finish_reason: finish }] },
});
const whole = { ends: 'completed', debit: 76 } as const;
const given = (usage: unknown) => [[piece(LONG), piece(null, { finish: 'stop' }), usageChunk(usage), DONE]];
const word = (finish: string) => [[...texts(), piece(null, { finish }), usageChunk(USAGE), DONE]];
const failsOnce = (code: TurnFailureCode) => ({ ends: code, debit: 0, times: 1 });
const failsOften = (code: TurnFailureCode) => ({ ends: code, debit: 0, times: 4 });

const THE_END: Record<string, Case> = {
  'an empty word in each chunk, 500 ms apart': {
    calls: [
      [
        ...slowly(
          PIECES.map((text) => piece(text, { finish: '' })),
          500,
        ),
        ...END,
      ],
    ],
    ...whole,
  },
  'stop and running usage in each chunk, 300 ms apart': {
    calls: [
      [
        ...slowly(
          PIECES.map((text, n) => piece(text, { finish: 'stop', usage: usageOf(40, 3 * (n + 1)) })),
          300,
        ),
        DONE,
      ],
    ],
    ...whole,
  },
  'an empty word three times, and a dead socket': {
    calls: [[...PIECES.slice(0, 3).map((text) => piece(text, { finish: '' })), { pauseMs: 50 }, { cut: true }]],
    ...failsOften('model_unavailable'),
  },
  'a reason, then more text and another reason': {
    calls: [[...texts({}, {}, { finish: 'stop' }), piece(null, { finish: 'length' }), usageChunk(USAGE), DONE]],
    ends: 'length',
    debit: 76,
  },
  'a reason and usage, and the connection stays': {
    calls: [[...texts(), piece(null, { finish: 'stop' }), usageChunk(USAGE), { open: true }]],
    ...whole,
  },
  'a reason, and the connection stays': {
    calls: [[...texts(), piece(null, { finish: 'stop' }), { open: true }]],
    ends: 'completed',
    debit: (prompt) => prompt + ours(WHOLE),
    estimated: true,
  },
  'a reason, and empty chunks for ever': {
    calls: [
      [...texts(), piece(null, { finish: 'stop', usage: USAGE }), { data: { choices: [] }, times: 200, everyMs: 100 }],
    ],
    ...whole,
  },
  '[DONE] and usage, but no reason': {
    calls: [[...texts(), usageChunk(USAGE), DONE]],
    ...whole,
    attempt: { finish_unknown: true, finish_word: null },
  },
  '[DONE], but no reason and usage of less than the text': {
    calls: [[...texts(), usageChunk(usageOf(40, 3)), DONE]],
    ...failsOften('model_unavailable'),
  },
  'heartbeats of all kinds for longer than it may be silent': {
    calls: [
      [
        ...beats(': OPENROUTER PROCESSING\n\n', 5, 300),
        ...beats(': keep-alive\n\n', 2, 300),
        ...beats('data:\n\n', 3, 300),
        ...beats('data: ping\n\n', 5, 300),
        ...beats('event: keepalive\ndata: {"type":"keepalive"}\n\n', 5, 300),
        ...texts(),
        ...beats('event: ping\ndata: {}\n\n', 8, 300),
        ...END,
      ],
    ],
    ...whole,
  },
  'whole JSON in place of a stream': { calls: [[json(message(WHOLE))]], ...whole },
  'whole JSON over several lines': { calls: [[json(message(WHOLE), 2)]], ...whole },
  'lines that end in CR LF, and an event without its empty line': {
    calls: [
      [
        {
          bytes: `id: 1\r\nevent: message\r\ndata:${JSON.stringify(message(WHOLE)).replace('"message"', '"delta"')}\r\n\r\n`,
        },
        { bytes: 'data: [DONE]' },
      ],
    ],
    ...whole,
  },
  'an event in two halves that are lost in the middle': {
    calls: [[piece('a'), { bytes: 'data: {"choices":[{"index":0,"delta":{"content":"b' }]],
    ...failsOften('model_unavailable'),
  },
};

const HOW_IT_ENDED: Record<string, Case> = {
  ...Object.fromEntries(
    ['MAX_TOKENS', 'max_output_tokens', 'model_length'].map((cut) => [
      cut,
      { calls: word(cut), ends: 'length', debit: 76, attempt: { finish_word: cut, finish_unknown: false } },
    ]),
  ),
  ...Object.fromEntries(
    ['sensitive', 'SAFETY', 'PROHIBITED_CONTENT', 'recitation', 'refusal', 'content-filter'].map((filter) => [
      filter,
      { calls: word(filter), ...failsOnce('content_filtered') },
    ]),
  ),
  network_error: { calls: word('network_error'), ...failsOften('model_unavailable') },
  repetition: { calls: word('repetition'), ...whole, attempt: { finish_word: 'repetition', finish_unknown: true } },
  'an error as whole JSON': {
    calls: [[json({ error: { message: 'no', code: 'insufficient_quota' } })]],
    ...failsOnce('model_rejected'),
  },
  'an error as a chunk': {
    calls: [[piece('a'), { data: { object: 'error', message: 'no', type: 'BadRequestError', code: 400 } }]],
    ...failsOnce('model_rejected'),
  },
  invalid_prompt: { calls: [{ status: 400, error: { code: 'invalid_prompt' } }], ...failsOnce('content_filtered') },
  moderation_blocked: {
    calls: [{ status: 400, error: { code: 'moderation_blocked' } }],
    ...failsOnce('content_filtered'),
  },
  ...Object.fromEntries(
    [425, 498, 499, 529].map((status) => [
      `${status}, and then an answer`,
      { calls: [{ status }, [...texts(), ...END]], ...whole, times: 2 },
    ]),
  ),
  'a redirect with the prompt': {
    calls: [{ status: 307, headers: { location: '/v1/chat/completions' } }],
    ...failsOnce('model_rejected'),
  },
};

const WHAT_IT_USED: Record<string, Case> = {
  'usage in the first chunk, 1,000 characters, then a stop': {
    calls: [[piece(null, { usage: usageOf(40, 1) }), piece(LONG), { open: true }]],
    ends: 'stopped',
    text: LONG,
    debit: 40 + ours(LONG),
    estimated: true,
    stopAt: LONG.length,
  },
  '0/60 at the end': {
    calls: [[...texts(), piece(null, { finish: 'stop' }), usageChunk(usageOf(0, 60)), DONE]],
    ends: 'completed',
    debit: (prompt) => prompt + 60,
    estimated: true,
    attempt: { provider_usage: { prompt_tokens: 0, completion_tokens: 60 } },
  },
  '40/0 with 1,000 characters': {
    calls: given(usageOf(40, 0)),
    ends: 'completed',
    text: LONG,
    debit: 40 + ours(LONG),
    estimated: true,
  },
  '4000/900, then 0/0': {
    calls: [[...texts(), piece(null, { finish: 'stop', usage: usageOf(4_000, 900) }), usageChunk(usageOf(0, 0)), DONE]],
    ends: 'completed',
    debit: 4_900,
  },
  '40/1 with the reason, then 40/600 after 400 ms': {
    calls: [
      [
        piece(LONG),
        piece(null, { finish: 'stop', usage: usageOf(40, 1) }),
        { pauseMs: 400 },
        usageChunk(usageOf(40, 600)),
        DONE,
      ],
    ],
    ends: 'completed',
    text: LONG,
    debit: 640,
  },
  'a total that holds the thoughts too': {
    calls: [
      [
        ...texts(),
        piece(null, { finish: 'stop' }),
        usageChunk(usageOf(40, 3, { total_tokens: 1_043, completion_tokens_details: { reasoning_tokens: 1_000 } })),
        DONE,
      ],
    ],
    ends: 'completed',
    debit: 1_043,
  },
  'usage inside the choice (Moonshot)': {
    calls: [[...texts(), { data: { choices: [{ index: 0, delta: {}, finish_reason: 'stop', usage: USAGE }] } }, DONE]],
    ...whole,
  },
  'cached tokens at the top (Moonshot)': {
    calls: [[...texts(), piece(null, { finish: 'stop' }), usageChunk(usageOf(40, 36, { cached_tokens: 30 })), DONE]],
    ...whole,
    attempt: { cached_tokens: 30 },
  },
  'hits and misses (DeepSeek)': {
    calls: [
      [
        ...texts(),
        piece(null, { finish: 'stop' }),
        usageChunk(usageOf(40, 36, { prompt_cache_hit_tokens: 30, prompt_cache_miss_tokens: 10 })),
        DONE,
      ],
    ],
    ...whole,
    attempt: { cached_tokens: 30 },
  },
  'figures as text': {
    calls: [[...texts(), piece(null, { finish: 'stop' }), usageChunk(usageOf('40', '36')), DONE]],
    ...whole,
  },
  ...Object.fromEntries(
    (
      [
        ['a fraction', 36.5],
        ['a negative figure', -36],
        ['a figure above 2^53', 2 ** 60],
      ] as const
    ).map(([what, tokens]) => [
      what,
      {
        calls: given(usageOf(40, tokens)),
        ends: 'completed',
        text: LONG,
        debit: 40 + ours(LONG),
        estimated: true,
        attempt: { provider_usage: { prompt_tokens: 40, completion_tokens: tokens } },
      },
    ]),
  ),
  '99,999,999 + 99,999,999 for a word': {
    calls: [[piece('Yes'), piece(null, { finish: 'stop' }), usageChunk(usageOf(99_999_999, 99_999_999)), DONE]],
    ends: 'completed',
    text: 'Yes',
    debit: (prompt) => prompt + 1,
    estimated: true,
    attempt: { provider_usage: { prompt_tokens: 99_999_999, completion_tokens: 99_999_999 } },
  },
  'more than the hold, and possible': {
    calls: given(usageOf(90_000, 3_000)),
    ends: 'completed',
    text: LONG,
    debit: 93_000,
  },
  'half of what we count': {
    calls: given(usageOf(40, Math.ceil(ours(LONG) / 2))),
    ends: 'completed',
    text: LONG,
    debit: 40 + Math.ceil(ours(LONG) / 2),
  },
  'less than half of what we count': {
    calls: given(usageOf(40, Math.ceil(ours(LONG) / 2) - 1)),
    ends: 'completed',
    text: LONG,
    debit: 40 + ours(LONG),
    estimated: true,
  },
};

const WHAT_IT_SAID: Record<string, Case> = {
  'parts of a list': {
    calls: [[...PIECES.map((text) => delta({ content: [{ type: 'text', text }] })), ...END]],
    ...whole,
  },
  'a refusal as text': { calls: [[delta({ refusal: 'I cannot.' }), ...END]], ...whole, text: 'I cannot.' },
  'the message whole in the last chunk': {
    calls: [[delta({ role: 'assistant' }), { data: message(WHOLE) }, DONE]],
    ...whole,
  },
  'the message again in the last chunk': { calls: [[...texts(), { data: message(WHOLE) }, DONE]], ...whole },
  'thoughts, which are booked and not shown': {
    calls: [
      [
        delta({ reasoning_content: LONG }),
        ...texts(),
        piece(null, { finish: 'stop' }),
        usageChunk(usageOf(40, 36)),
        DONE,
      ],
    ],
    ends: 'completed',
    debit: 40 + ours(LONG) + ours(WHOLE),
    estimated: true,
    attempt: { reasoning_tokens: ours(LONG) },
  },
  'nothing after length': {
    calls: [[delta({ reasoning: 'hm' }), piece(null, { finish: 'length' }), usageChunk(usageOf(40, 2_048)), DONE]],
    ends: 'length',
    text: '',
    debit: 2_088,
  },
  'nothing after stop': { calls: [END], ends: 'model_unavailable', debit: 0, times: 2 },
  'nothing after stop, and then an answer': { calls: [END, [...texts(), ...END]], ...whole, times: 2 },
  'the call of a tool': {
    calls: [
      [
        delta({ tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '{}' } }] }),
        piece(null, { finish: 'tool_calls' }),
        usageChunk(USAGE),
        DONE,
      ],
    ],
    ...whole,
    text: '',
  },
};

const CASES = { ...THE_END, ...HOW_IT_ENDED, ...WHAT_IT_USED, ...WHAT_IT_SAID };

let stack: TestStack;
const runs = new Map<string, Promise<{ turn: TestTurn; body: any }>>();
beforeAll(async () => {
  stack = await startTestStack({ MODEL_FIRST_BYTE_SECONDS: '2', MODEL_SILENCE_SECONDS: '2' });
  for (const [what, played] of Object.entries(CASES)) {
    const run = play(played);
    run.catch(() => {});
    runs.set(what, run);
  }
});
afterAll(() => stack.close());

const scenarioOf = (call: readonly RawStep[] | Scenario): Scenario => ('length' in call ? { raw: call } : call);

async function play({ calls, stopAt }: Case) {
  const turn = newTurn(stack, await stack.person());
  const scenarios = calls.map(scenarioOf);
  const last = scenarios.at(-1) ?? {};
  stack.model.nextFor(turn.message, ...scenarios, last, last, last);
  if (stopAt === undefined) return { turn, body: (await turn.send()).body };
  await turn.send({}, { prefer: 'respond-async' });
  await readEvents(await turn.follow(), (seen) => textOf(seen).length >= stopAt);
  await turn.stop();
  await turn.ended();
  return { turn, body: (await turn.read()).body };
}

test.each(Object.entries(CASES))(
  '%s',
  async (what, { ends, text = WHOLE, debit, estimated = false, times = 1, attempt = {} }) => {
    const run = await runs.get(what);
    if (run === undefined) throw new Error('every case was begun');
    const { turn, body } = run;
    const isAnswered = ends === 'completed' || ends === 'length' || ends === 'stopped';
    const request = stack.model.requests.find(({ body: asked }) => asked.messages.at(-1)?.content === turn.message);
    const prompt = countPrompt((request?.body.messages ?? []).map(({ content }) => ours(textOfMessage(content))));
    const tokens = typeof debit === 'number' ? debit : debit(prompt);
    if (isAnswered)
      expect(body).toMatchObject({
        state: ends === 'stopped' ? 'stopped' : 'completed',
        content: text,
        usage: { debitedTokens: tokens, estimated },
        ...(ends === 'stopped' ? {} : { finishReason: ends === 'length' ? 'length' : 'stop' }),
      });
    else expect(body).toMatchObject({ code: ends, turnId: turn.turnId });
    expect(modelCalls(turn)).toBe(times);
    expect(await turn.books()).toEqual({ debits: isAnswered ? 1 : 0, debited: isAnswered ? tokens : 0, liveHolds: 0 });
    const { rows } =
      await sql<object>`select * from attempts where turn_id = ${turn.turnId} order by number desc limit 1`.execute(
        stack.db.database.sql,
      );
    expect(rows[0]).toMatchObject(attempt);
  },
  180_000,
);

test('what is odd is counted by model', async () => {
  await Promise.all(runs.values());
  const seen = parseExposition(await stack.metrics.render());
  for (const oddity of ['finish_word', 'finish_missing', 'usage', 'empty'])
    expect(valueOf(seen, 'turnkeeper_provider_oddities_total', { model: 'gpt-4.1-mini', oddity })).toBeGreaterThan(0);
});

test('empty answers that nobody paid have a bound an hour: beyond it one is charged (policy 11)', async () => {
  const person = await stack.person();
  const ask = async () => {
    const turn = newTurn(stack, person);
    const empty = { raw: [piece(null, { finish: 'stop' }), usageChunk(usageOf(40, 30_000)), DONE] };
    stack.model.nextFor(turn.message, empty, empty);
    return { turn, body: (await turn.send({ maxOutputTokens: 20_000 })).body };
  };
  const free = await ask();
  expect(free.body).toMatchObject({ code: 'model_unavailable', retryable: true });
  expect(modelCalls(free.turn)).toBe(2);
  expect(await readUnpaidTokens(stack.db.database.sql, person.userId)).toBe(60_080);
  expect(await readMostUnpaidTokens(stack.db.database.sql)).toBe(60_080);
  const paid = await ask();
  expect(paid.body).toMatchObject({ state: 'completed', content: '', usage: { debitedTokens: 30_040 } });
  expect(modelCalls(paid.turn)).toBe(1);
}, 180_000);

/** The answer's limit is 256 tokens here, and its hold some 350. */
test.each<[string, Scenario, 'length' | 'model_unavailable']>([
  ['40 MB of text in small pieces', { raw: [{ ...piece('word '.repeat(20)), times: 400_000 } as RawStep] }, 'length'],
  [
    'one line of 200 MB',
    { raw: [{ bytes: 'data: {"choices":[{"delta":{"content":"' }, ...lots('x', 200)] },
    'model_unavailable',
  ],
  ['a gzip bomb of 1 GB', { headers: { 'content-encoding': 'gzip' }, raw: [{ bytes: bomb() }] }, 'model_unavailable'],
])(
  '%s: as much as the hold allows is kept, and the provider is let go',
  async (_, scenario, ends) => {
    const turn = newTurn(stack, await stack.person());
    stack.model.nextFor(turn.message, scenario, ...Array.from({ length: 3 }, () => ({ status: 400 })));
    const before = process.resourceUsage().maxRSS;
    const { body } = await turn.send({ maxOutputTokens: 256 });
    // KiB, at its highest.
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(150 * 1_024);
    const [first] = stack.model.requests.filter(({ body: asked }) => asked.messages.at(-1)?.content === turn.message);
    // The bomb's megabyte is sent before anybody can refuse it.
    if (scenario.headers === undefined) expect(first?.aborted).toBe(true);
    if (ends !== 'length') return;
    const { rows } = await sql<{
      tokens: number;
    }>`select tokens::int from holds where turn_id = ${turn.turnId}`.execute(stack.db.database.sql);
    expect(body).toMatchObject({ state: 'completed', finishReason: 'length', usage: { estimated: true } });
    expect(ours(body.content)).toBeLessThanOrEqual(rows[0]?.tokens ?? 0);
    expect(ours(body.content)).toBeGreaterThan(256);
    expect(body.usage.debitedTokens).toBeLessThanOrEqual(rows[0]?.tokens ?? 0);
  },
  180_000,
);

function lots(text: string, megabytes: number): RawStep[] {
  const bytes = text.repeat(1_048_576);
  return Array.from({ length: megabytes }, () => ({ bytes }));
}

/** Its 1 MB holds a thousandfold of zeros in one line. */
function bomb(): Uint8Array {
  const part = gzipSync(Buffer.alloc(16 * 1_048_576, 'x'), { level: 9 });
  return Buffer.concat([
    gzipSync('data: {"choices":[{"delta":{"content":"'),
    ...Array.from({ length: 64 }, () => part),
  ]);
}
