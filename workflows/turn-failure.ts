import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import { TURN_FAILURE_CODES, type TurnFailureCode } from '../domain/errors.ts';
import { TURN_FAILURE_TYPES } from './contract/turn.ts';

/**
 * The code with which a turn fails after its model call failed. It comes from the typed failure of the last attempt, or
 * from what timed out.
 */
export function failureCodeOf(error: unknown): TurnFailureCode {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) return codeOfType(cause.type);
  if (!(cause instanceof TimeoutFailure)) return 'interrupted';
  // All attempts together took too long: the failure of the last one says why.
  if (cause.cause !== undefined) return failureCodeOf(cause.cause);
  // Start-to-close means that the model was too slow. Any other timeout means that no heartbeat came (the worker died
  // or hangs), or that no worker took the activity.
  return cause.timeoutType === 'START_TO_CLOSE' ? 'model_timeout' : 'interrupted';
}

function codeOfType(type: string | null | undefined): TurnFailureCode {
  return TURN_FAILURE_CODES.find((code) => TURN_FAILURE_TYPES[code] === type) ?? 'interrupted';
}
