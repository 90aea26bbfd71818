import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decideAdmission,
  estimatePrompt,
  type AdmissionDecision,
  type AdmissionInput,
} from '../../domain/admission.ts';
import type { Balance } from '../../domain/balance.ts';

const MODEL = {
  historyTokens: 4_000,
  historyFileTokens: 8_000,
  contextWindow: 100_000,
  maxOutputTokens: 32_768,
  defaultOutputTokens: 2_048,
  rate: { input: 1000, cachedInput: 1000, output: 1000 },
};

/** 100,000 of allowance: a ceiling of 105,000. */
function balanceAt(used: number): Balance {
  return {
    allowance: 100_000,
    purchased: 0,
    debt: 0,
    spentPurchased: 0,
    spentAllowance: Math.min(used, 100_000),
    overage: Math.max(0, used - 100_000),
    used,
  };
}

function decide(change: Partial<AdmissionInput> & { used?: number }): AdmissionDecision {
  const { used = 0, ...rest } = change;
  return decideAdmission({
    balance: balanceAt(used),
    heldByOthers: 0,
    model: MODEL,
    askedOutput: null,
    baseTokens: 100,
    history: [],
    ...rest,
  });
}

function holdOf(decision: AdmissionDecision) {
  if (decision.kind !== 'admitted') throw new Error(`not admitted: ${JSON.stringify(decision)}`);
  return decision.hold;
}

describe('the size of a hold', () => {
  test.each([
    [0, 16],
    [1, 18],
    [9, 26],
    [10, 27],
    [11, 29],
    [100, 126],
    [1_000_000, 1_100_016],
  ])('a prompt counted %i is estimated %i: ceil(count × 1.1) + 16', (count, estimate) => {
    expect(estimatePrompt(count)).toBe(estimate);
  });

  test('is the estimate and the output limit', () => {
    expect(holdOf(decide({ askedOutput: 500 }))).toEqual({
      tokens: 126 + 500,
      promptTokens: 100,
      outputLimit: 500,
      historyFrom: null,
      filesFrom: null,
    });
  });

  test('meters both by the rate, rounded up once', () => {
    const rate = { input: 500, cachedInput: 1, output: 1500 };
    expect(holdOf(decide({ askedOutput: 301, model: { ...MODEL, rate } })).tokens).toBe(Math.ceil(63 + 451.5));
  });
});

describe('the output limit', () => {
  test.each([
    ['the model’s default when none is asked', null, MODEL, 2_048],
    ['what was asked', 300, MODEL, 300],
    ['the model’s maximum when more is asked', 40_000, MODEL, 32_768],
    ['the model’s maximum when its default is more', null, { ...MODEL, maxOutputTokens: 1_000 }, 1_000],
    ['one token, when asked', 1, MODEL, 1],
    ['what the context window leaves', 2_000, { ...MODEL, contextWindow: 1_100 }, 1_000],
  ])('is %s', (_, askedOutput, model, limit) => {
    expect(holdOf(decide({ askedOutput, model })).outputLimit).toBe(limit);
  });

  test('shrinks to what still fits, never under 256', () => {
    // estimate 126: with 1,000 left under the ceiling 874 fit
    expect(holdOf(decide({ used: 104_000 }))).toMatchObject({ outputLimit: 874, tokens: 1_000 });
    const baseTokens = 200; // estimate 236
    expect(holdOf(decide({ used: 105_000 - 236 - 256, baseTokens }))).toMatchObject({ outputLimit: 256 });
    expect(decide({ used: 105_000 - 236 - 255, baseTokens })).toEqual({ kind: 'refused', code: 'TOKEN_EXHAUSTED' });
  });

  test('never goes under what was asked when that is less than 256', () => {
    const baseTokens = 400; // estimate 456
    expect(holdOf(decide({ used: 105_000 - 456 - 20, baseTokens, askedOutput: 20 })).outputLimit).toBe(20);
    expect(decide({ used: 105_000 - 456 - 19, baseTokens, askedOutput: 20 })).toEqual({
      kind: 'refused',
      code: 'TOKEN_EXHAUSTED',
    });
  });

  test('never goes under a model’s whole maximum when that is less than 256', () => {
    const model = { ...MODEL, maxOutputTokens: 100 };
    expect(holdOf(decide({ used: 105_000 - 456 - 100, baseTokens: 400, model })).outputLimit).toBe(100);
    expect(decide({ used: 105_000 - 456 - 99, baseTokens: 400, model })).toMatchObject({ kind: 'refused' });
  });
});

describe('no room', () => {
  test('is TOKEN_EXHAUSTED when it would not fit even without other holds, tokens_held when it would', () => {
    const baseTokens = 200; // least hold 236 + 256 = 492
    const used = 104_000; // 1,000 left
    expect(decide({ used, baseTokens, heldByOthers: 508 })).toMatchObject({ kind: 'admitted' });
    expect(decide({ used, baseTokens, heldByOthers: 509 })).toEqual({ kind: 'refused', code: 'tokens_held' });
    expect(decide({ used, baseTokens, heldByOthers: 1_000_000 })).toEqual({ kind: 'refused', code: 'tokens_held' });
    expect(decide({ used: 104_509, baseTokens, heldByOthers: 509 })).toEqual({
      kind: 'refused',
      code: 'TOKEN_EXHAUSTED',
    });
  });

  test('a BLOCKED account is refused whatever it asks; one token above it a small question passes', () => {
    expect(decide({ used: 104_601, baseTokens: 7, askedOutput: 1 })).toEqual({
      kind: 'refused',
      code: 'TOKEN_EXHAUSTED',
    });
    expect(decide({ used: 104_600, baseTokens: 7, askedOutput: 1 })).toMatchObject({ kind: 'admitted' });
  });

  test('holds do not make an account BLOCKED: what waits only for them is tokens_held', () => {
    expect(decide({ used: 0, heldByOthers: 104_900 })).toEqual({ kind: 'refused', code: 'tokens_held' });
  });

  test('used beyond a ceiling that a reversal lowered is TOKEN_EXHAUSTED', () => {
    expect(decide({ used: 200_000 })).toEqual({ kind: 'refused', code: 'TOKEN_EXHAUSTED' });
  });
});

describe('history', () => {
  const history = [
    { sequence: 3, tokens: 1_000 },
    { sequence: 2, tokens: 1_000 },
    { sequence: 1, tokens: 2_000 },
  ];

  test('is taken whole when it is exactly historyTokens', () => {
    expect(holdOf(decide({ history }))).toMatchObject({ historyFrom: 1, promptTokens: 4_100 });
  });

  test('one token more leaves the oldest turn out, whole', () => {
    const longer = [history[0]!, history[1]!, { sequence: 1, tokens: 2_001 }];
    expect(holdOf(decide({ history: longer }))).toMatchObject({ historyFrom: 2, promptTokens: 2_100 });
  });

  test('a turn too long ends it: no older one is taken instead', () => {
    const gap = [
      { sequence: 3, tokens: 10 },
      { sequence: 2, tokens: 4_001 },
      { sequence: 1, tokens: 10 },
    ];
    expect(holdOf(decide({ history: gap }))).toMatchObject({ historyFrom: 3, promptTokens: 110 });
  });

  test('does not count instructions and question against historyTokens', () => {
    expect(holdOf(decide({ history, baseTokens: 9_000 }))).toMatchObject({ historyFrom: 1, promptTokens: 13_000 });
  });

  test('is given up turn by turn before anything is refused for lack of room', () => {
    // least holds: with all three 4,526 + 256, with two 2,326 + 256, with one 1,226 + 256, with none 126 + 256
    const at = (left: number) => decide({ history, used: 105_000 - left });
    expect(holdOf(at(4_782))).toMatchObject({ historyFrom: 1, outputLimit: 256 });
    expect(holdOf(at(4_781))).toMatchObject({ historyFrom: 2, outputLimit: 2_048 });
    expect(holdOf(at(2_581))).toMatchObject({ historyFrom: 3 });
    expect(holdOf(at(1_481))).toMatchObject({ historyFrom: null, promptTokens: 100 });
    expect(holdOf(at(400))).toMatchObject({ historyFrom: null, outputLimit: 274 });
    expect(at(399)).toEqual({ kind: 'refused', code: 'TOKEN_EXHAUSTED' });
  });

  test('is given up for other turns’ holds too, before tokens_held is answered', () => {
    expect(holdOf(decide({ history, heldByOthers: 105_000 - 400 }))).toMatchObject({ historyFrom: null });
    expect(decide({ history, heldByOthers: 105_000 - 381 })).toEqual({ kind: 'refused', code: 'tokens_held' });
  });
});

describe('the files of earlier turns', () => {
  const weigh = (tokens: number, bytes = 1_000) => ({ tokens, bytes });
  const shown = [
    { sequence: 4, tokens: 100 },
    { sequence: 3, tokens: 100, files: weigh(3_000) },
    { sequence: 2, tokens: 100, files: weigh(5_000) },
    { sequence: 1, tokens: 100, files: weigh(1) },
  ];

  test('go along from the nearest on as far as they fit historyFileTokens, beside the text', () => {
    expect(holdOf(decide({ history: shown }))).toMatchObject({ historyFrom: 1, filesFrom: 2, promptTokens: 8_500 });
    const model = { ...MODEL, historyFileTokens: 8_001 };
    expect(holdOf(decide({ history: shown, model }))).toMatchObject({ filesFrom: 1, promptTokens: 8_501 });
    expect(holdOf(decide({ history: shown, model: { ...MODEL, historyFileTokens: 2_999 } }))).toMatchObject({
      historyFrom: 1,
      filesFrom: null,
      promptTokens: 500,
    });
    const heavy = [{ sequence: 1, tokens: 100, files: weigh(10, 11_000_000) }];
    expect(holdOf(decide({ history: heavy }))).toMatchObject({ historyFrom: 1, filesFrom: null });
    // Of a turn whose text does not fit, nothing goes along.
    const cut = [
      { sequence: 2, tokens: 3_990 },
      { sequence: 1, tokens: 20, files: weigh(10) },
    ];
    expect(holdOf(decide({ history: cut }))).toMatchObject({ historyFrom: 2, filesFrom: null });
  });

  test('are given up before any text is, and both before anything is refused', () => {
    // Least holds: 9,366 + 256 with all of it, 3,866 + 256 with the nearest files, 566 + 256 with the text alone.
    const at = (left: number) => decide({ history: shown, used: 105_000 - left });
    expect(holdOf(at(9_622))).toMatchObject({ historyFrom: 1, filesFrom: 2 });
    expect(holdOf(at(9_621))).toMatchObject({ historyFrom: 1, filesFrom: 3 });
    expect(holdOf(at(4_121))).toMatchObject({ historyFrom: 1, filesFrom: null });
    expect(holdOf(at(821))).toMatchObject({ historyFrom: 2, filesFrom: null });
    const model = { ...MODEL, contextWindow: 8_755 };
    expect(holdOf(decide({ history: shown, model }))).toMatchObject({ filesFrom: 3 });
  });
});

describe('the context window', () => {
  test('fits prompt and least answer exactly; one token less is context_length', () => {
    expect(holdOf(decide({ model: { ...MODEL, contextWindow: 356 } })).outputLimit).toBe(256);
    expect(decide({ model: { ...MODEL, contextWindow: 355 } })).toEqual({ kind: 'context_length' });
    expect(holdOf(decide({ askedOutput: 10, model: { ...MODEL, contextWindow: 110 } })).outputLimit).toBe(10);
  });

  test('drops history before the question is too long', () => {
    const model = { ...MODEL, contextWindow: 1_355 };
    expect(holdOf(decide({ history: [{ sequence: 1, tokens: 999 }], model })).historyFrom).toBe(1);
    expect(holdOf(decide({ history: [{ sequence: 1, tokens: 1_000 }], model })).historyFrom).toBeNull();
  });

  test('a BLOCKED account hears TOKEN_EXHAUSTED first', () => {
    expect(decide({ used: 105_000, model: { ...MODEL, contextWindow: 10 } })).toEqual({
      kind: 'refused',
      code: 'TOKEN_EXHAUSTED',
    });
  });
});

test('whatever the figures: an admitted hold fits under the ceiling beside the others, and its answer under every limit; a refusal names a lack of room that is real', () => {
  const small = fc.integer({ min: 0, max: 5_000 });
  const rate = fc.record({
    input: fc.integer({ min: 1, max: 3_000 }),
    cachedInput: fc.constant(1),
    output: fc.integer({ min: 1, max: 9_000 }),
  });
  fc.assert(
    fc.property(
      fc.record({
        used: fc.integer({ min: 95_000, max: 105_100 }),
        heldByOthers: fc.oneof(fc.constant(0), small),
        askedOutput: fc.option(fc.integer({ min: 1, max: 6_000 })),
        baseTokens: fc.integer({ min: 7, max: 3_000 }),
        history: fc.array(fc.integer({ min: 4, max: 2_500 }), { maxLength: 5 }),
        contextWindow: fc.integer({ min: 200, max: 12_000 }),
        maxOutputTokens: fc.integer({ min: 1, max: 6_000 }),
        rate,
      }),
      ({ used, heldByOthers, askedOutput, baseTokens, history, contextWindow, maxOutputTokens, rate: price }) => {
        const model = { ...MODEL, contextWindow, maxOutputTokens, rate: price };
        const turns = history.map((tokens, i) => ({ sequence: history.length - i, tokens }));
        const decision = decide({ used, heldByOthers, askedOutput, baseTokens, history: turns, model });
        const wanted = Math.min(askedOutput ?? 2_048, maxOutputTokens);
        const least = Math.min(wanted, 256);
        const exact = (prompt: number, output: number) =>
          (Math.ceil((prompt * 11) / 10) + 16) * price.input + output * price.output;
        const left = 105_000 - used;
        if (decision.kind === 'admitted') {
          const { hold } = decision;
          expect(left).toBeGreaterThanOrEqual(400);
          expect(hold.tokens + heldByOthers).toBeLessThanOrEqual(left);
          expect(hold.tokens).toBe(Math.ceil(exact(hold.promptTokens, hold.outputLimit) / 1000));
          expect(hold.outputLimit).toBeGreaterThanOrEqual(least);
          expect(hold.outputLimit).toBeLessThanOrEqual(wanted);
          expect(hold.promptTokens + hold.outputLimit).toBeLessThanOrEqual(contextWindow);
          const sent = turns
            .filter(({ sequence }) => hold.historyFrom !== null && sequence >= hold.historyFrom)
            .reduce((sum, { tokens }) => sum + tokens, 0);
          expect(hold.promptTokens).toBe(baseTokens + sent);
          expect(sent).toBeLessThanOrEqual(4_000);
        } else if (decision.kind === 'context_length') {
          expect(baseTokens + least).toBeGreaterThan(contextWindow);
        } else if (decision.code === 'tokens_held') {
          expect(exact(baseTokens, least)).toBeLessThanOrEqual(left * 1000);
          expect(exact(baseTokens, least)).toBeGreaterThan((left - heldByOthers) * 1000);
        } else {
          expect(left < 400 || exact(baseTokens, least) > left * 1000).toBe(true);
        }
      },
    ),
    { numRuns: 3_000 },
  );
});

describe('a key’s cap', () => {
  const capped = (cap: { tokens: number; used?: number; held?: number }, change: Parameters<typeof decide>[0] = {}) =>
    decide({ askedOutput: 1_000, ...change, cap: { used: 0, held: 0, ...cap } });

  test('clamps the output to what fits under it, beside what the key has used and holds', () => {
    expect(holdOf(capped({ tokens: 5_000 })).outputLimit).toBe(1_000);
    expect(holdOf(capped({ tokens: 1_000 })).tokens).toBe(1_000);
    expect(holdOf(capped({ tokens: 1_500, used: 300, held: 200 })).tokens).toBe(1_000);
  });

  test('refuses what would not fit without the key’s other holds, and asks to wait for what would', () => {
    // The least is the estimate of 126 and 256 of output.
    expect(holdOf(capped({ tokens: 382 })).outputLimit).toBe(256);
    expect(capped({ tokens: 381 })).toEqual({ kind: 'refused', code: 'KEY_CAP_REACHED' });
    expect(capped({ tokens: 1_000, used: 619 })).toEqual({ kind: 'refused', code: 'KEY_CAP_REACHED' });
    expect(capped({ tokens: 1_000, held: 619 })).toEqual({ kind: 'refused', code: 'tokens_held' });
  });

  test('is named first where the account is used up, too; under it the account decides as ever', () => {
    expect(capped({ tokens: 1 }, { used: 105_000 })).toEqual({ kind: 'refused', code: 'KEY_CAP_REACHED' });
    expect(capped({ tokens: 5_000 }, { used: 105_000 })).toEqual({ kind: 'refused', code: 'TOKEN_EXHAUSTED' });
    expect(capped({ tokens: 5_000 }, { heldByOthers: 104_900 })).toEqual({ kind: 'refused', code: 'tokens_held' });
    // Control: without a cap the same question is let on.
    expect(decide({ askedOutput: 1_000 }).kind).toBe('admitted');
  });
});
