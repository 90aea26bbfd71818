import { activityInfo, ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { AppError } from '../domain/errors.ts';
import { ScheduleRefused } from '../domain/schedules.ts';
import { withLogFields, type LogFields } from '../platform/telemetry/log-fields.ts';
import type { Logger } from '../platform/telemetry/log.ts';

/**
 * What leaves an activity is written into Temporal's history. Typed failures pass; anything else is replaced by a bare
 * `InternalError`, because a driver's message or detail can quote a row. The log gets name, code and stack, never the
 * detail.
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
          ...describe(error),
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

function describe(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error };
  const code = 'code' in error ? error.code : undefined;
  const constraint = 'constraint' in error ? error.constraint : undefined;
  return { error: error.name, message: error.message, code, constraint, stack: error.stack };
}
