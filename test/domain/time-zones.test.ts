import { expect, test } from '@jest/globals';
import { startOfMonth } from '../../domain/period.ts';
import { guessTimeZone, LINKS, noTimeZone, resolveTimeZone, TIME_ZONES } from '../../domain/time-zones.ts';

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
  expect(resolveTimeZone(name) !== null).toBe(known);
});

test('a month can be counted in every time zone', () => {
  const begun = [...TIME_ZONES].filter((zone) => Number.isFinite(startOfMonth('2026-11', zone)));
  expect(begun).toHaveLength(TIME_ZONES.size);
});

test.each([
  ['Asia/Seoul', 'Asia/Seoul'],
  ['Asia/Calcutta', 'Asia/Kolkata'],
  ['Asia/Kolkata', 'Asia/Kolkata'],
  ['Europe/Kiev', 'Europe/Kyiv'],
  ['US/Pacific', 'America/Los_Angeles'],
  ['ROK', 'Asia/Seoul'],
  ['Etc/UTC', 'UTC'],
  // IANA has merged these into the zones of other countries; whose clock it is still counts.
  ['Europe/Oslo', 'Europe/Oslo'],
  ['Iceland', 'Atlantic/Reykjavik'],
])('%s is kept as %s', (name, zone) => {
  expect(resolveTimeZone(name)).toBe(zone);
});

test('every link leads to a zone that may be chosen, which has the same clock', () => {
  const clock = (timeZone: string, at: number) =>
    new Intl.DateTimeFormat('en', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(at);
  const wrong = [...LINKS].filter(
    ([link, zone]) =>
      !TIME_ZONES.has(zone) ||
      TIME_ZONES.has(link) ||
      [1, 3, 5, 7, 9, 11].some((month) => {
        const at = Date.UTC(2026, month, 15);
        return clock(link, at) !== clock(zone, at);
      }),
  );
  expect(wrong).toEqual([]);
});

test.each([
  ['JST', 'Asia/Tokyo'],
  ['asia/seoul', 'Asia/Seoul'],
  ['ASIA/KOLKATA', 'Asia/Kolkata'],
  ['America/New York', 'America/New_York'],
  ['+09:00', 'Etc/GMT-9'],
  ['UTC-5', 'Etc/GMT+5'],
  ['+0000', 'UTC'],
  ['+05:30', null],
  ['Mars/Olympus', null],
  ['', null],
])('%j may have meant %s', (name, meant) => {
  expect(guessTimeZone(name)).toBe(meant);
  expect(noTimeZone(name).includes('did you mean')).toBe(meant !== null);
});
