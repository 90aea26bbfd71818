import { expect, test } from '@jest/globals';
import {
  ATTEMPTS_PER_RUN,
  attemptsTimeoutMs,
  attemptTimeoutMs,
  holdTimeoutMs,
  STALL_LIMITS,
} from '../../domain/attempt-limits.ts';

test.each([
  [1, 60_100],
  [10, 61_000],
  [256, 85_600],
  [2_048, 264_800],
  [17_400, 1_800_000],
  [17_401, 1_800_000],
  [128_000, 1_800_000],
])(
  'an attempt of %i output tokens may take %i ms: 60 s and 1 s per 10 tokens, 30 minutes at most',
  (outputLimit, ms) => {
    expect(attemptTimeoutMs(outputLimit)).toBe(ms);
    expect(holdTimeoutMs(outputLimit)).toBe(ms + 120_000);
    expect(attemptsTimeoutMs(outputLimit)).toBe(ms + 300_000);
  },
);

test('a hold outlives the attempt that renewed it', () => {
  for (const outputLimit of [1, 8_192, 200_000])
    expect(holdTimeoutMs(outputLimit)).toBeGreaterThan(attemptTimeoutMs(outputLimit));
});

test('a run has 4 attempts; a provider stalls after 60 s before the first byte, 30 s between two', () => {
  expect(ATTEMPTS_PER_RUN).toBe(4);
  expect(STALL_LIMITS).toEqual({ firstByteMs: 60_000, betweenMs: 30_000 });
});
