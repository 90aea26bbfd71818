import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import { TURN_FAILURE_CODES, type TurnFailureCode } from '../domain/errors.ts';
import { TURN_FAILURE_TYPES } from './contract/turn.ts';

/**
 * The code with which a turn fails when its model call did: from the typed failure of the last attempt, or what timed
 * out.
 */
export function failureCodeOf(error: unknown): TurnFailureCode {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) return codeOfType(cause.type);
  if (!(cause instanceof TimeoutFailure)) return 'interrupted';
  // All of them together took too long: what ended the last one says why.
  if (cause.cause !== undefined) return failureCodeOf(cause.cause);
  // The model was too slow. Else no heartbeat came (its worker died or lost its way), or nobody took it up (no worker
  // runs).
  return cause.timeoutType === 'START_TO_CLOSE' ? 'model_timeout' : 'interrupted';
}

function codeOfType(type: string | null | undefined): TurnFailureCode {
  return TURN_FAILURE_CODES.find((code) => TURN_FAILURE_TYPES[code] === type) ?? 'interrupted';
}
