import { expect, test } from '@jest/globals';
import { startOfMonth } from '../../domain/period.ts';
import { isTimeZone, TIME_ZONES } from '../../domain/time-zones.ts';

test.each([
  ['Asia/Seoul', true],
  ['America/Argentina/Buenos_Aires', true],
  ['UTC', true],
  ['Etc/GMT-9', true],
  ['ROK', true],
  ['Asia/Pyeongyang', false],
  ['', false],
  ['../etc', false],
  // Two spellings of one zone, and old names that IANA keeps.
  ['Asia/Kolkata', true],
  ['Asia/Calcutta', true],
  ['Europe/Kyiv', true],
  ['Europe/Kiev', true],
  ['US/Pacific', true],
  ['EST', true],
  // Offsets and other spellings, all of which `Intl` accepts.
  ['+09:00', false],
  ['-05', false],
  ['+0900', false],
  ['asia/seoul', false],
  ['ASIA/SEOUL', false],
  ['utc', false],
  ['asia/kolkata', false],
  ['Asia/KOLKATA', false],
  ['JAPAN', false],
  // Names that only `Intl` knows.
  ['JST', false],
  ['PST', false],
  ['BST', false],
  ['IST', false],
  ['CST', false],
  ['ACT', false],
  ['SystemV/PST8', false],
  ['US/Pacific-New', false],
])('%j is a time zone: %s', (name, known) => {
  expect(isTimeZone(name)).toBe(known);
});

test('a month can be counted in every time zone', () => {
  const begun = [...TIME_ZONES].filter((zone) => Number.isFinite(startOfMonth('2026-11', zone)));
  expect(begun).toHaveLength(TIME_ZONES.size);
});
