import { expect, test } from '@jest/globals';
import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/common';
import { failureCodeOf } from '../../workflows/turn-failure.ts';

const typed = (type: string) => ApplicationFailure.nonRetryable('a message', type);
const timeout = (type: ConstructorParameters<typeof TimeoutFailure>[2], cause?: Error) =>
  Object.assign(new TimeoutFailure('late', undefined, type), cause === undefined ? {} : { cause });
const activity = (cause: Error) => new ActivityFailure('failed', 'generate', '1', 'TIMEOUT', 'worker', cause);

test.each([
  ['its type', typed('LlmRateLimited'), 'model_rate_limited'],
  ['a type of ours that is no failure of a turn', typed('InternalError'), 'interrupted'],
  ['a model that was too slow', timeout('START_TO_CLOSE'), 'model_timeout'],
  ['a worker that died', timeout('HEARTBEAT'), 'interrupted'],
  ['a queue that nobody polls', timeout('SCHEDULE_TO_CLOSE'), 'interrupted'],
  [
    'attempts that together took too long: the last failure',
    timeout('SCHEDULE_TO_CLOSE', typed('LlmUnavailable')),
    'model_unavailable',
  ],
  [
    'attempts that together took too long: the last worker that died',
    timeout('SCHEDULE_TO_CLOSE', timeout('HEARTBEAT')),
    'interrupted',
  ],
  [
    'attempts that together took too long: a slow model',
    timeout('SCHEDULE_TO_CLOSE', timeout('START_TO_CLOSE')),
    'model_timeout',
  ],
  ['a cancel', new CancelledFailure('cancelled'), 'interrupted'],
] as const)('the code of a turn comes from %s', (_, cause, code) => {
  expect(failureCodeOf(activity(cause))).toBe(code);
});
