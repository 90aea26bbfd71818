import { expect, test } from '@jest/globals';
import { nextLookMs, type Waiting } from '../../../domain/payments/next-look.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MADE: Waiting = { provider: 'stripe', state: 'created', createdAt: 0, expiresAt: HOUR, dueAt: null };

test.each<[string, Partial<Waiting>, number, number | null]>([
  ['nobody has paid yet', {}, 0, 2 * MINUTE],
  ['nobody has paid for a while', {}, 5 * MINUTE, 5 * MINUTE],
  ['a failed one may yet be approved', { state: 'failed' }, 30 * MINUTE, 30 * MINUTE],
  ['once more after its end', {}, HOUR + 1, 10 * MINUTE - 1],
  ['and never again', {}, HOUR + 10 * MINUTE, null],
  ['a bank that takes days, soon after its end', { state: 'pending' }, HOUR, 10 * MINUTE],
  ['a bank that takes days, on the first day', { state: 'pending' }, 2 * HOUR, 4 * HOUR],
  ['a bank that takes days, every day', { state: 'pending' }, 3 * DAY, DAY],
  ['a bank that takes too long', { state: 'pending' }, HOUR + 14 * DAY, null],
  ['a paid one', { state: 'paid' }, MINUTE, null],
  ['a disputed one, every day', { state: 'disputed' }, 100 * DAY, DAY],
  ['a deposit before its due time', { state: 'awaiting_deposit', dueAt: DAY }, HOUR, 10 * MINUTE],
  ['a deposit after it', { state: 'expired', dueAt: DAY }, 2 * DAY, HOUR],
  ['a deposit a week after it', { state: 'expired', dueAt: DAY }, 9 * DAY, null],
])('%s', (_, change, now, next) => {
  expect(nextLookMs({ ...MADE, ...change }, now)).toBe(next);
});
