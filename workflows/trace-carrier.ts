import {
  ApplicationFailure,
  ContinueAsNew,
  proxySinks,
  workflowInfo,
  type ActivityInput,
  type LocalActivityInput,
  type Next,
  type WorkflowExecuteInput,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInterceptorsFactory,
  type WorkflowOutboundCallsInterceptor,
} from '@temporalio/workflow';
import { readTraceparent, traceHeaders, type TraceSinks } from './contract/trace.ts';

/**
 * Passes the trace in which a workflow was started on to its activities. It travels in a header, so it adds no event
 * and no command. A workflow without a trace (nobody traces, or a schedule started it) costs one look.
 */
class TraceCarrier implements WorkflowInboundCallsInterceptor, WorkflowOutboundCallsInterceptor {
  #own: string | null = null;

  async execute(input: WorkflowExecuteInput, next: Next<WorkflowInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    const parent = readTraceparent(input.headers);
    if (parent === null) return next(input);
    const { runId } = workflowInfo();
    const [, traceId = '', , flags = '00'] = parent.split('-');
    // 16 of the 32 digits: the second half of a UUID is random whatever its version.
    const spanId = runId.replaceAll('-', '').slice(16);
    this.#own = `00-${traceId}-${spanId}-${flags}`;
    const tell = (failure: string | null) =>
      proxySinks<TraceSinks>().trace.workflowEnded({ parent, spanId, endedAt: Date.now(), failure });
    try {
      const result = await next(input);
      tell(null);
      return result;
    } catch (error) {
      tell(
        error instanceof ContinueAsNew
          ? null
          : error instanceof ApplicationFailure
            ? (error.type ?? 'ApplicationFailure')
            : 'WorkflowFailure',
      );
      throw error;
    }
  }

  scheduleActivity(
    input: ActivityInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'scheduleActivity'>,
  ): Promise<unknown> {
    return next(this.#own === null ? input : { ...input, headers: { ...input.headers, ...traceHeaders(this.#own) } });
  }

  scheduleLocalActivity(
    input: LocalActivityInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'scheduleLocalActivity'>,
  ): Promise<unknown> {
    return next(this.#own === null ? input : { ...input, headers: { ...input.headers, ...traceHeaders(this.#own) } });
  }
}

export const interceptors: WorkflowInterceptorsFactory = () => {
  const carrier = new TraceCarrier();
  return { inbound: [carrier], outbound: [carrier] };
};
