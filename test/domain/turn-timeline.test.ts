import { expect, test } from '@jest/globals';
import { describeTimeline, type TimelineSource } from '../../domain/turn-timeline.ts';

const TURN: TimelineSource['turn'] = {
  state: 'completed',
  error: null,
  createdAt: 0,
  replayedAt: null,
  stopRequestedAt: null,
  endedAt: 900,
};
const stepsOf = (source: Partial<TimelineSource>) =>
  describeTimeline({ turn: TURN, holds: [], attempts: [], ...source }).map(({ step, at }) => `${step} ${at}`);

test('an answered turn: accepted, held, one attempt, settled, ended', () => {
  expect(
    describeTimeline({
      turn: TURN,
      holds: [{ runId: 'r', tokens: 50, state: 'settled', createdAt: 10, endedAt: 900 }],
      attempts: [{ runId: 'r', number: 1, state: 'answered', error: null, startedAt: 20, endedAt: 880 }],
    }),
  ).toEqual([
    { step: 'accepted', at: 0 },
    { step: 'held', at: 10, runId: 'r', tokens: 50 },
    { step: 'attempt_started', at: 20, runId: 'r', attempt: 1 },
    { step: 'attempt_ended', at: 880, runId: 'r', attempt: 1, outcome: 'answered', code: null, durationMs: 860 },
    { step: 'settled', at: 900, runId: 'r', tokens: 50 },
    { step: 'ended', at: 900, state: 'completed', code: null },
  ]);
});

test('a failed and replayed turn has the steps of both runs, those of one transaction in the order of their causes', () => {
  expect(
    stepsOf({
      turn: { ...TURN, replayedAt: 500 },
      holds: [
        { runId: 'a', tokens: 50, state: 'released', createdAt: 10, endedAt: 100 },
        { runId: 'b', tokens: 50, state: 'settled', createdAt: 510, endedAt: 900 },
      ],
      attempts: [
        { runId: 'a', number: 1, state: 'failed', error: 'model_timeout', startedAt: 20, endedAt: 60 },
        { runId: 'a', number: 2, state: 'lost', error: null, startedAt: 70, endedAt: 100 },
        { runId: 'b', number: 3, state: 'answered', error: null, startedAt: 510, endedAt: 890 },
      ],
    }),
  ).toEqual([
    'accepted 0',
    'held 10',
    'attempt_started 20',
    'attempt_ended 60',
    'attempt_started 70',
    'attempt_ended 100',
    'released 100',
    'replayed 500',
    'held 510',
    'attempt_started 510',
    'attempt_ended 890',
    'settled 900',
    'ended 900',
  ]);
});

test('what has not ended has no end: a turn that runs, a hold that waits, an attempt that is open', () => {
  expect(
    stepsOf({
      turn: { ...TURN, state: 'running', endedAt: null, stopRequestedAt: 30 },
      holds: [{ runId: 'a', tokens: 50, state: 'pending', createdAt: 10, endedAt: null }],
      attempts: [{ runId: 'a', number: 1, state: 'open', error: null, startedAt: 20, endedAt: null }],
    }),
  ).toEqual(['accepted 0', 'held 10', 'attempt_started 20', 'stop_requested 30']);
});

test('a refused turn: accepted and ended', () => {
  expect(
    describeTimeline({
      turn: { ...TURN, state: 'refused', error: 'TOKEN_EXHAUSTED', endedAt: 5 },
      holds: [],
      attempts: [],
    }),
  ).toEqual([
    { step: 'accepted', at: 0 },
    { step: 'ended', at: 5, state: 'refused', code: 'TOKEN_EXHAUSTED' },
  ]);
});
