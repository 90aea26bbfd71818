export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanAbout {
  readonly kind?: 'server' | 'client';
  /** W3C traceparent of what asked for it; undefined: the active span. */
  readonly parent?: string | null | undefined;
  /** Ids, codes and numbers. Never text, parameters, e-mail: spans leave for a server of somebody else's. */
  readonly attributes?: SpanAttributes;
}

export interface ActiveSpan {
  /** Null: tracing is off. */
  readonly traceId: string | null;
  /** What `work` starts has this span as its parent. */
  run<T>(work: () => T): T;
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  /** @param error of which only the kind is kept: messages quote rows and prompts. */
  end(error?: unknown): void;
}

/** A span that has passed, told by a workflow: it has no clock of ours and chose its id itself. */
export interface PastSpan {
  readonly name: string;
  readonly parent: string;
  readonly spanId: string;
  /** Milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: SpanAttributes;
  readonly failure: string | null;
}

/**
 * One turn is one trace: the request, its workflow, the activities, and what they ask PostgreSQL, Redis and the model
 * for.
 */
export interface Tracing {
  readonly on: boolean;
  start(name: string, about?: SpanAbout): ActiveSpan;
  /** A span around `work`; what it throws ends the span as failed and passes. */
  span<T>(name: string, about: SpanAbout, work: (span: ActiveSpan) => Promise<T>): Promise<T>;
  /** The same where something is under way; else `work` alone, so that no trace begins with a statement. */
  child<T>(name: string, about: SpanAbout, work: (span: ActiveSpan) => Promise<T>): Promise<T>;
  /** Adds to the active span. */
  annotate(attributes: SpanAttributes): void;
  /** W3C traceparent of the active span, to be carried along. */
  current(): string | null;
  record(span: PastSpan): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export const NO_SPAN: ActiveSpan = {
  traceId: null,
  run: (work) => work(),
  rename: () => {},
  set: () => {},
  end: () => {},
};

export const NO_TRACING: Tracing = {
  on: false,
  start: () => NO_SPAN,
  span: (_name, _about, work) => work(NO_SPAN),
  child: (_name, _about, work) => work(NO_SPAN),
  annotate: () => {},
  current: () => null,
  record: () => {},
  flush: async () => {},
  close: async () => {},
};
