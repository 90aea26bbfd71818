import { activityInfo, ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { AppError } from '../domain/errors.ts';
import { ScheduleRefused } from '../domain/schedules.ts';
import { describeError } from '../platform/telemetry/describe-error.ts';
import { withLogFields, type LogFields } from '../platform/telemetry/log-fields.ts';
import type { Logger } from '../platform/telemetry/log.ts';

/**
 * Keeps private text out of Temporal's history, into which every failure of an activity is written. Typed failures
 * pass. Any other becomes a bare `InternalError`, because a driver's message or detail can quote a row.
 */
export function guard<Input extends unknown[], Output>(
  log: Logger,
  name: string,
  activity: (...input: Input) => Promise<Output>,
): (...input: Input) => Promise<Output> {
  return async (...input) => {
    try {
      return await withLogFields(fieldsOf(input[0]), () => activity(...input));
    } catch (error) {
      if (error instanceof ApplicationFailure || error instanceof CancelledFailure) throw error;
      if (error instanceof AppError) throw ApplicationFailure.nonRetryable(error.code, 'Refused');
      const { workflowExecution, attempt } = activityInfo();
      log.error(
        {
          ...fieldsOf(input[0]),
          activity: name,
          workflowId: workflowExecution?.workflowId,
          attempt,
          err: describeError(error),
        },
        'an activity failed',
      );
      if (error instanceof ScheduleRefused)
        throw ApplicationFailure.nonRetryable('Temporal refuses the schedule, see the worker’s log', error.name);
      throw ApplicationFailure.retryable('internal error, see the worker’s log', 'InternalError');
    }
  };
}

function fieldsOf(input: unknown): LogFields {
  return typeof input === 'object' && input !== null && 'turnId' in input && typeof input.turnId === 'string'
    ? { turnId: input.turnId }
    : {};
}
