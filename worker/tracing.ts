import type {
  ActivityExecuteInput,
  ActivityInboundCallsInterceptor,
  ActivityInterceptorsFactory,
  InjectedSinks,
  Next,
  WorkerOptions,
} from '@temporalio/worker';
import { addLogFields, withLogFields } from '../platform/telemetry/log-fields.ts';
import type { Tracing } from '../platform/telemetry/span.ts';
import { readTraceparent, type TraceSinks } from '../workflows/contract/trace.ts';

/**
 * Traces each activity as a span under its workflow's span, and the workflow's own once it has ended. Without tracing
 * there is only the sink, which is never called.
 */
export function traceWorker(tracing: Tracing): Pick<WorkerOptions, 'interceptors' | 'sinks'> {
  const sinks: InjectedSinks<TraceSinks> = {
    trace: {
      workflowEnded: {
        callDuringReplay: false,
        fn({ workflowType, workflowId, runId, startTime }, { parent, spanId, endedAt, failure }) {
          const attributes = { 'temporal.workflow_id': workflowId, 'temporal.run_id': runId };
          tracing.record({
            name: `workflow ${workflowType}`,
            parent,
            spanId,
            startedAt: startTime.getTime(),
            endedAt,
            attributes,
            failure,
          });
        },
      },
    },
  };
  return tracing.on ? { sinks, interceptors: { activity: [traceActivities(tracing)] } } : { sinks };
}

function traceActivities(tracing: Tracing): ActivityInterceptorsFactory {
  return ({ info }) => ({
    inbound: {
      execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown> {
        const { activityType, attempt, workflowExecution } = info;
        const attributes = {
          'temporal.workflow_id': workflowExecution?.workflowId ?? '',
          'temporal.run_id': workflowExecution?.runId ?? '',
          'temporal.attempt': attempt,
        };
        return tracing.span(
          `activity ${activityType}`,
          { parent: readTraceparent(input.headers), attributes },
          (span) =>
            withLogFields({}, () => {
              if (span.traceId !== null) addLogFields({ traceId: span.traceId });
              return next(input);
            }),
        );
      },
    },
  });
}
