import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decideAdmission } from '../../domain/admission.ts';
import type { Balance } from '../../domain/balance.ts';
import {
  ceilingOf,
  estimatedTurns,
  levelOf,
  totalAvailable,
  usagePercent,
  usedAtPercent,
  type Level,
} from '../../domain/policy.ts';
import { countPrompt } from '../../domain/prompt-tokens.ts';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { readCatalogue } from '../../platform/config/catalogue.ts';

const TOTAL = 100_000;

function balanceAt(used: number, allowance = TOTAL): Balance {
  return {
    allowance,
    purchased: 0,
    debt: 0,
    spentPurchased: 0,
    spentAllowance: Math.min(used, allowance),
    overage: Math.max(0, used - allowance),
    used,
  };
}

describe('levels', () => {
  test.each<[number, Level]>([
    [0, 'NORMAL'],
    [79_999, 'NORMAL'],
    [80_000, 'NOTICE'],
    [89_999, 'NOTICE'],
    [90_000, 'WARNING'],
    [94_999, 'WARNING'],
    [95_000, 'CRITICAL'],
    [99_999, 'CRITICAL'],
    [100_000, 'CRITICAL'],
    [104_600, 'CRITICAL'],
    // 399 left under the ceiling of 105,000
    [104_601, 'BLOCKED'],
    [104_999, 'BLOCKED'],
    [105_000, 'BLOCKED'],
    [250_000, 'BLOCKED'],
  ])('%i used of 100,000 is %s', (used, level) => {
    expect(levelOf(used, TOTAL)).toBe(level);
  });

  // 89.999… % of these totals is no whole number of tokens: the first integer at or above the share has the level.
  test.each<[number, number, Level, Level]>([
    [99_999, 80, 'NORMAL', 'NOTICE'],
    [99_999, 90, 'NOTICE', 'WARNING'],
    [99_999, 95, 'WARNING', 'CRITICAL'],
    [123_457, 80, 'NORMAL', 'NOTICE'],
    [123_457, 90, 'NOTICE', 'WARNING'],
    [123_457, 95, 'WARNING', 'CRITICAL'],
  ])(
    'of %i the %i %% boundary lies at the next whole token: %s below, %s from it on',
    (total, percent, below, from) => {
      const boundary = Math.ceil((total * percent) / 100);
      expect(levelOf(boundary - 1, total)).toBe(below);
      expect(levelOf(boundary, total)).toBe(from);
    },
  );

  test('105 % blocks even where 400 tokens and more could not be left, and 400 left never blocks below it', () => {
    // ceil: with a total of 1,001 the ceiling is floor(1051.05), which is below 105 %.
    expect(levelOf(651, 1_001)).toBe('NORMAL');
    expect(levelOf(652, 1_001)).toBe('BLOCKED');
  });

  test('an account without tokens is BLOCKED', () => {
    expect(levelOf(0, 0)).toBe('BLOCKED');
    expect(levelOf(0, 380)).toBe('BLOCKED'); // ceiling 399
    expect(levelOf(0, 381)).toBe('NORMAL'); // ceiling 400
  });

  test('they are exact for every size of account that the ledger can hold', () => {
    const sizes = fc.bigInt({ min: 0n, max: 300_000_000_000_000n });
    fc.assert(
      fc.property(
        sizes,
        fc.bigInt({ min: 0n, max: 11_000n }),
        fc.bigInt({ min: -2n, max: 2n }),
        (total, share, near) => {
          const used = (total * share) / 10_000n + near;
          if (used < 0n || used > 100_000_000_000_000n) return;
          const ceiling = (total * 105n) / 100n;
          const expected: Level =
            used * 100n >= total * 105n || ceiling - used < 400n
              ? 'BLOCKED'
              : used * 100n >= total * 95n
                ? 'CRITICAL'
                : used * 100n >= total * 90n
                  ? 'WARNING'
                  : used * 100n >= total * 80n
                    ? 'NOTICE'
                    : 'NORMAL';
          expect(ceilingOf(Number(total))).toBe(Number(ceiling));
          expect(levelOf(Number(used), Number(total))).toBe(expected);
        },
      ),
      {
        numRuns: 2_000,
        examples: [
          [90_000_000_000_001n, 9_000n, 1n],
          [180_143_985_094_819n, 9_500n, 0n],
          [95_238_095_238_095n, 10_500n, 0n],
        ],
      },
    );
  });
});

describe('total and ceiling', () => {
  test('the total is the allowance, the purchased balance and what of it was spent in the period', () => {
    expect(
      totalAvailable({
        allowance: 100_000,
        purchased: 20_000,
        debt: 7,
        spentPurchased: 5_000,
        spentAllowance: 3,
        overage: 0,
        used: 5_003,
      }),
    ).toBe(125_000);
  });

  test.each([
    [0, 0],
    [19, 19],
    [20, 21],
    [99_999, 104_998],
    [100_000, 105_000],
  ])('the ceiling of %i is %i: 105 % rounded down', (total, ceiling) => {
    expect(ceilingOf(total)).toBe(ceiling);
  });
});

describe('usagePercent', () => {
  test.each([
    [89_999, 100_000, 89.99],
    [90_000, 100_000, 90],
    [1, 30_000, 0],
    [2, 3, 66.66],
    [105_000, 100_000, 105],
    [0, 5, 0],
    [0, 0, 100],
  ])('%i of %i shows as %d: floored to 0.01', (used, total, percent) => {
    expect(usagePercent(used, total)).toBe(percent);
  });

  test('what is shown never reaches a boundary that the level has not', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000_000 }),
        fc.double({ min: 0, max: 1.05, noNaN: true }),
        (total, share) => {
          const used = Math.floor(total * share);
          const shown = usagePercent(used, total);
          const level = levelOf(used, total);
          if (shown >= 90) expect(['WARNING', 'CRITICAL', 'BLOCKED']).toContain(level);
          if (shown < 80) expect(['NORMAL', 'BLOCKED']).toContain(level);
          expect(Math.abs(shown - (used * 100) / total)).toBeLessThan(0.0101);
        },
      ),
    );
  });
});

describe('usedAtPercent', () => {
  test.each([
    [100_000, 0, 0],
    [100_000, 80, 80_000],
    [100_000, 92.5, 92_500],
    [99_999, 90, 90_000],
    [100_001, 90, 90_001],
    [100_000, 105, 105_000],
    [99_999, 105, 104_998],
    [0, 105, 0],
  ])('of %i at %d %% it is %i: rounded up, never above the ceiling', (total, percent, used) => {
    expect(usedAtPercent(total, percent)).toBe(used);
  });

  test('it lands on the level that the percentage names', () => {
    for (const [percent, level] of [
      [79, 'NORMAL'],
      [80, 'NOTICE'],
      [90, 'WARNING'],
      [95, 'CRITICAL'],
      [105, 'BLOCKED'],
    ] as const) {
      for (const total of [99_999, 100_000, 123_457])
        expect([percent, total, levelOf(usedAtPercent(total, percent), total)]).toEqual([percent, total, level]);
    }
  });
});

describe('estimatedTurns', () => {
  test.each([
    ['900 a turn until there are 5', 10_000, { count: 4, sum: 4 }, 11],
    ['the mean from the fifth on', 10_000, { count: 5, sum: 5_000 }, 10],
    ['the mean is not rounded before the division', 10_000, { count: 20, sum: 18_001 }, 11],
    ['nothing left', 0, { count: 20, sum: 20_000 }, 0],
  ])('%s', (_, remaining, debits, expected) => {
    expect(estimatedTurns(remaining, debits)).toBe(expected);
  });
});

describe('the default catalogue', () => {
  const models = readCatalogue(undefined);

  test('its instructions stay under 60 tokens', () => {
    for (const { instructions } of models) expect(countTokens(instructions)).toBeLessThan(60);
    expect(models.length).toBeGreaterThan(0);
  });

  test('a short question is refused only when the level is BLOCKED, for every total from 0 to 2,000 and around 100,000', () => {
    const question = countTokens('오늘 서울 날씨에 어울리는 저녁 메뉴를 하나 추천해 주세요.');
    const totals = [...Array(2_001).keys(), 99_999, 100_000, 100_001];
    for (const model of models) {
      const baseTokens = countPrompt([countTokens(model.instructions), question]);
      for (const total of totals) {
        // The last token that is not blocked, and the first that is.
        for (const used of [ceilingOf(total) - 400, ceilingOf(total) - 399]) {
          if (used < 0) continue;
          const decision = decideAdmission({
            balance: balanceAt(used, total),
            heldByOthers: 0,
            model,
            askedOutput: null,
            baseTokens,
            history: [],
          });
          const blocked = levelOf(used, total) === 'BLOCKED';
          if ((decision.kind === 'refused') !== blocked)
            expect({ total, used, decision: decision.kind }).toEqual({
              total,
              used,
              decision: blocked ? 'refused' : 'admitted',
            });
        }
      }
    }
  });
});
