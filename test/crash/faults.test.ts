import { describe, expect, test } from '@jest/globals';
import type { SeenEvent } from '../support/events.ts';
import { faultsOf } from './reader.ts';
import { moneyFaultsOf, type Expected, type TurnFacts } from './turn.ts';

/** The controls of the crash tests: each wrong that their checks must find is refused. */
const ENDED: SeenEvent = { id: '2-4', event: 'completed', data: { turn: { content: '안녕하세요' } } };
const RIGHT: readonly SeenEvent[] = [
  { id: '0-1', event: 'accepted', data: {} },
  { id: '1-1', event: 'delta', data: { text: '안녕', attempt: 1 } },
  { id: '2-1', event: 'restarted', data: { attempt: 2, reason: 'retry' } },
  { id: '2-2', event: 'delta', data: { text: '안녕', attempt: 2 } },
  { id: '2-3', event: 'delta', data: { text: '하세요', attempt: 2 } },
  ENDED,
];
const STORED = { state: 'completed', content: '안녕하세요' };
const FACTS: TurnFacts = {
  state: 'completed',
  content: '안녕하세요',
  debits: [30],
  debitedTokens: 30,
  liveHolds: 0,
  answers: ['안녕하세요'],
  calls: 2,
  workflow: 'COMPLETED',
};
const EXPECTED: Expected = { state: 'completed', content: '안녕하세요', isCharged: true, calls: 2 };

const without = (id: string) => RIGHT.filter((event) => event.id !== id);
const twice = (id: string) => RIGHT.flatMap((event) => (event.id === id ? [event, event] : [event]));

describe('a reader', () => {
  test('who saw it right is believed', () => {
    expect(faultsOf(RIGHT, STORED)).toEqual([]);
  });

  test.each<[string, readonly SeenEvent[], string]>([
    [
      'text repeated without restarted',
      without('2-1'),
      'text of attempt 2 follows that of attempt 1 without restarted',
    ],
    ['an event twice', twice('2-2'), '2-2 comes after 2-2'],
    ['a gap', without('2-3'), 'the reader has "안녕"'],
    ['an older attempt after a newer one', [...RIGHT.slice(0, 5), RIGHT[1]!, ENDED], '1-1 comes after 2-3'],
    ['two endings', twice('2-4'), 'completed is not the last event'],
    ['no ending', without('2-4'), 'it ended with delta'],
    [
      'an ending of another kind',
      [...without('2-4'), { ...ENDED, event: 'failed' }],
      'it ended with failed, the turn is completed',
    ],
    [
      'an ending with another answer',
      [...without('2-4'), { ...ENDED, data: { turn: { content: '안녕' } } }],
      'the ending tells another answer',
    ],
    ['accepted twice', twice('0-1'), 'accepted is event 2'],
    [
      'text under another attempt’s number',
      RIGHT.map((event) => (event.id === '2-3' ? { ...event, data: { ...event.data, attempt: 1 } } : event)),
      '2-3 says attempt 1',
    ],
  ])('who saw %s is refused', (_, events, fault) => {
    expect(faultsOf(events, STORED).join('\n')).toContain(fault);
  });
});

describe('the end of a turn', () => {
  test('a correct end has no faults', () => {
    expect(moneyFaultsOf(FACTS, EXPECTED)).toEqual([]);
    expect(
      moneyFaultsOf(
        { ...FACTS, state: 'failed', content: '', answers: [], debits: [], debitedTokens: 0, workflow: 'FAILED' },
        { state: 'failed', content: '', isCharged: false, calls: 2 },
      ),
    ).toEqual([]);
  });

  test.each<[string, Partial<TurnFacts>, string]>([
    ['a second debit', { debits: [30, 30] }, '2 debits'],
    ['no debit', { debits: [], debitedTokens: 0 }, '0 debits'],
    ['a debit of another size than is shown', { debits: [31] }, 'it says 30 tokens were debited'],
    ['a live hold', { liveHolds: 1 }, '1 live holds'],
    ['a second answer', { answers: ['안녕하세요', '안녕하세요'] }, 'the conversation shows 2 answers'],
    ['another answer', { content: '안녕' }, 'its answer is "안녕"'],
    ['a model call too many', { calls: 3 }, 'the model was called 3 times'],
    ['another state', { state: 'running' }, 'it is running'],
    ['a workflow left open', { workflow: 'RUNNING' }, 'its workflow is RUNNING'],
  ])('with %s is refused', (_, wrong, fault) => {
    expect(moneyFaultsOf({ ...FACTS, ...wrong }, EXPECTED)).toContain(fault);
  });
});
