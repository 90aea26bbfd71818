import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import type { TurnFailureCode } from '../domain/errors.ts';
import { TURN_FAILURE_TYPES } from './contract.ts';

/** The code with which a turn fails when its model call did: from the typed failure of the last attempt, or what timed out. */
export function failureCodeOf(error: unknown): TurnFailureCode {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) return codeOfType(cause.type);
  if (cause instanceof TimeoutFailure) {
    if (cause.cause instanceof ApplicationFailure) return codeOfType(cause.cause.type);
    // No heartbeat: the worker died or lost its way. Nobody took it up: no worker runs. Else the model was too slow.
    const lost = cause.timeoutType === 'HEARTBEAT' || cause.timeoutType === 'SCHEDULE_TO_START';
    return lost ? 'interrupted' : 'model_timeout';
  }
  return 'interrupted';
}

function codeOfType(type: string | null | undefined): TurnFailureCode {
  for (const [code, name] of Object.entries(TURN_FAILURE_TYPES)) if (name === type) return code as TurnFailureCode;
  return 'interrupted';
}
