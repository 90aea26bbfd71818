import { expect, test } from '@jest/globals';
import { decideSendAgain, mayRunAgain, type SendDecision } from '../../domain/sending.ts';
import { isAnswered, isLive, isRetryable, TURN_STATES, TURN_STEPS, type TurnState } from '../../domain/turn.ts';
import { ERROR_CODES, TURN_FAILURES } from '../../domain/errors.ts';

/** 'Sending again', policy 7, row by row. */
const TABLE = [
  // state, same body, another body, the person's retry, an admin's replay
  ['accepted', 'join', 'conflict', false, false],
  ['running', 'join', 'conflict', false, false],
  ['completed', 'stored', 'conflict', false, false],
  ['stopped', 'stored', 'conflict', false, false],
  ['failed', 'stored', 'conflict', true, true],
  ['refused', 'judge_anew', 'judge_anew', true, false],
] as const satisfies readonly (readonly [TurnState, SendDecision, SendDecision, boolean, boolean])[];

test('the table of sending again has a row for every state', () => {
  expect(TABLE.map(([state]) => state)).toEqual([...TURN_STATES]);
});

test.each(TABLE)(
  '%s: same body %s, another body %s; retry runs it: %s, replay: %s',
  (state, same, other, retry, replay) => {
    expect(decideSendAgain(state, true)).toBe(same);
    expect(decideSendAgain(state, false)).toBe(other);
    expect(mayRunAgain(state, 'retry')).toBe(retry);
    expect(mayRunAgain(state, 'replay')).toBe(replay);
  },
);

test('a completed or stopped turn never takes another step; only failed and refused ones are accepted again', () => {
  expect(TURN_STATES.filter((state) => TURN_STEPS[state].length === 0)).toEqual(['completed', 'stopped']);
  expect(
    TURN_STATES.filter((state) => !isLive(state) && (TURN_STEPS[state] as readonly TurnState[]).includes('accepted')),
  ).toEqual(['failed', 'refused']);
  expect(TURN_STATES.filter(isLive)).toEqual(['accepted', 'running']);
  expect(TURN_STATES.filter(isAnswered)).toEqual(['completed', 'stopped']);
});

test('a turn that was admitted is never refused afterwards: running has no step to refused', () => {
  expect(TURN_STATES.filter((state) => (TURN_STEPS[state] as readonly TurnState[]).includes('refused'))).toEqual([
    'accepted',
  ]);
});

test('exactly the failures of policy 7 may be sent again with hope', () => {
  expect(ERROR_CODES.filter(isRetryable)).toEqual([
    'TOKEN_EXHAUSTED',
    'KEY_CAP_REACHED',
    'account_suspended',
    'conversation_busy',
    'model_unavailable',
    'model_rate_limited',
    'model_timeout',
    'interrupted',
  ]);
  expect(Object.keys(TURN_FAILURES).filter((code) => !TURN_FAILURES[code as keyof typeof TURN_FAILURES])).toEqual([
    'model_rejected',
    'content_filtered',
    'context_length',
  ]);
});
