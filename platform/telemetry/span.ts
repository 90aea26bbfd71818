export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanAbout {
  readonly kind?: 'server' | 'client';
  /** W3C traceparent of the caller; undefined: the active span. */
  readonly parent?: string | null | undefined;
  /** Ids, codes and numbers. Never text, parameters or e-mail, because spans leave for somebody else's server. */
  readonly attributes?: SpanAttributes;
}

export interface ActiveSpan {
  /** Null when tracing is off. */
  readonly traceId: string | null;
  /** Runs `work` with this span as the parent of all that it starts. */
  run<T>(work: () => T): T;
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  /** @param error only its kind is kept, because messages quote rows and prompts. */
  end(error?: unknown): void;
}

/** A span that is over, as a workflow reports it: a workflow does not have our clock, and it chooses its span's id. */
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
 * Each turn is one trace: the request, its workflow, the activities, and their calls of PostgreSQL, Redis and the
 * model.
 */
export interface Tracing {
  readonly on: boolean;
  start(name: string, about?: SpanAbout): ActiveSpan;
  /** Runs `work` in a span. An error of `work` ends the span as failed and is passed on. */
  span<T>(name: string, about: SpanAbout, work: (span: ActiveSpan) => Promise<T>): Promise<T>;
  /** Does the same inside an active span. Without one it only runs `work`, so that no trace begins with a statement. */
  child<T>(name: string, about: SpanAbout, work: (span: ActiveSpan) => Promise<T>): Promise<T>;
  /** Adds attributes to the active span. */
  annotate(attributes: SpanAttributes): void;
  /** W3C traceparent of the active span, to be passed on. */
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
