import { defaultPayloadConverter, type Headers } from '@temporalio/common';

/** The name that Temporal's own tracing interceptors use in every SDK. */
const TRACE_HEADER = '_tracer-data';

/** @param traceparent W3C; null: nothing is carried. */
export function traceHeaders(traceparent: string | null): Headers {
  return traceparent === null ? {} : { [TRACE_HEADER]: defaultPayloadConverter.toPayload({ traceparent }) };
}

/** @returns null when there is none, or what is there is none. */
export function readTraceparent(headers: Headers): string | null {
  const payload = headers[TRACE_HEADER];
  if (payload === undefined) return null;
  const { traceparent } = defaultPayloadConverter.fromPayload<{ traceparent?: unknown }>(payload);
  return typeof traceparent === 'string' && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(traceparent)
    ? traceparent
    : null;
}

/**
 * A workflow as one span: its id is its run's, so that every worker that runs a part of it says the same. Ids and types
 * only.
 */
export interface WorkflowSpan {
  readonly parent: string;
  readonly spanId: string;
  readonly endedAt: number;
  /** Type of the failure. */
  readonly failure: string | null;
}

/** What a workflow tells the worker that runs it. */
export type TraceSinks = { readonly trace: { workflowEnded(span: WorkflowSpan): void } };
