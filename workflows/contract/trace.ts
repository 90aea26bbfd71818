import { defaultPayloadConverter, type Headers } from '@temporalio/common';

/** The header that Temporal's own tracing interceptors use in every SDK. */
const TRACE_HEADER = '_tracer-data';

/** @param traceparent in W3C format; null carries nothing. */
export function traceHeaders(traceparent: string | null): Headers {
  return traceparent === null ? {} : { [TRACE_HEADER]: defaultPayloadConverter.toPayload({ traceparent }) };
}

/** @returns null when there is no traceparent, or a malformed one. */
export function readTraceparent(headers: Headers): string | null {
  const payload = headers[TRACE_HEADER];
  if (payload === undefined) return null;
  const { traceparent } = defaultPayloadConverter.fromPayload<{ traceparent?: unknown }>(payload);
  return typeof traceparent === 'string' && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(traceparent)
    ? traceparent
    : null;
}

/**
 * A workflow as one span. The span's id comes from the workflow's run, so that all workers that run a part of it report
 * the same span. It holds ids and types only.
 */
export interface WorkflowSpan {
  readonly parent: string;
  readonly spanId: string;
  readonly endedAt: number;
  /** Type of the failure; null when it did not fail. */
  readonly failure: string | null;
}

/** What a workflow reports to the worker that runs it. */
export type TraceSinks = { readonly trace: { workflowEnded(span: WorkflowSpan): void } };
