import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ACCEPTED_ID, compareEventIds, formatEventId, isEnding, parseEventId } from '../../domain/stream-events.ts';
import { TURN_STATES } from '../../domain/turn.ts';

const ids = fc.record({
  attempt: fc.integer({ min: 0, max: 999_999_999_999_999 }),
  entry: fc.integer({ min: 0, max: 999_999_999_999_999 }),
});

describe('an event’s id', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(ids, (id) => {
        expect(parseEventId(formatEventId(id))).toEqual(id);
      }),
    );
    expect(formatEventId(ACCEPTED_ID)).toBe('0-1');
  });

  test('has one way to be written: what is read is written the same', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9]{1,4}-?[0-9]{0,4}$/), (text) => {
        const id = parseEventId(text);
        if (id !== null) expect(formatEventId(id)).toBe(text);
      }),
    );
  });

  test.each([
    '',
    '-',
    '1',
    '1-',
    '-1',
    '01-1',
    '1-01',
    '1-1-1',
    ' 1-1',
    '1-1 ',
    '1-1\n',
    '+1-1',
    '1.0-1',
    '1e3-1',
    '٣-١',
    '1000000000000000-1',
    '1-1000000000000000',
    '$',
    '*',
    '0-0,',
  ])('%j is malformed', (text) => {
    expect(parseEventId(text)).toBeNull();
  });

  test.each(['0-0', '0-1', '7-0', '999999999999999-999999999999999'])('%j is well-formed, given out or not', (text) => {
    expect(parseEventId(text)).not.toBeNull();
  });

  test('sorts by attempt, then by entry, as numbers', () => {
    const shuffled = ['10-1', '2-10', '2-9', '0-1', '2-0'].map((text) => parseEventId(text)!);
    expect(shuffled.sort(compareEventIds).map(formatEventId)).toEqual(['0-1', '2-0', '2-9', '2-10', '10-1']);
    expect(compareEventIds({ attempt: 3, entry: 4 }, { attempt: 3, entry: 4 })).toBe(0);
  });
});

test('a stream ends with completed, stopped or failed; a refusal is no stream', () => {
  expect(TURN_STATES.filter(isEnding)).toEqual(['completed', 'stopped', 'failed']);
});
