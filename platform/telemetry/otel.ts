import { AsyncLocalStorage } from 'node:async_hooks';
import {
  diag,
  DiagLogLevel,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  RandomIdGenerator,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type IdGenerator,
} from '@opentelemetry/sdk-trace';
import type { Logger } from './log.ts';
import { NO_SPAN, type ActiveSpan, type SpanAbout, type Tracing } from './span.ts';

// Nothing is registered with OpenTelemetry's globals. Contexts use a storage of our own, because a process may trace to
// several places (tests do).

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT } as const;
/** An exporter whose collector is away fails with every batch. One log line a minute is enough. */
const COMPLAIN_EVERY_MS = 60_000;

export function createTracing(
  { url, serviceName, ratio, role }: { url: string; serviceName: string; ratio: number; role: string },
  log: Logger,
): Tracing {
  complainTo(log);
  const ids = new ChosenIds();
  const provider = new TracerProvider({
    resource: defaultResource().merge(resourceFromAttributes({ 'service.name': serviceName, 'turnkeeper.role': role })),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    idGenerator: ids,
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url }) })],
  });
  const tracer = provider.getTracer('turnkeeper');
  const active = new AsyncLocalStorage<Context>();

  function start(name: string, { kind, parent, attributes = {} }: SpanAbout = {}): ActiveSpan {
    const context = parent === undefined ? (active.getStore() ?? ROOT_CONTEXT) : contextOf(parent);
    const span = tracer.startSpan(
      name,
      { kind: kind === undefined ? SpanKind.INTERNAL : KINDS[kind], attributes },
      context,
    );
    return {
      traceId: span.spanContext().traceId,
      run: (work) => active.run(trace.setSpan(context, span), work),
      rename: (better) => span.updateName(better),
      set: (more) => span.setAttributes(more),
      end(error) {
        if (error !== undefined) fail(span, kindOf(error));
        span.end();
      },
    };
  }

  async function span<T>(name: string, about: SpanAbout, work: (span: ActiveSpan) => Promise<T>): Promise<T> {
    const started = start(name, about);
    try {
      const result = await started.run(() => work(started));
      started.end();
      return result;
    } catch (error) {
      started.end(error ?? 'unknown');
      throw error;
    }
  }

  const activeSpan = () => trace.getSpan(active.getStore() ?? ROOT_CONTEXT);
  return {
    on: true,
    start,
    span,
    child: (name, about, work) => (activeSpan() === undefined ? work(NO_SPAN) : span(name, about, work)),
    annotate: (attributes) => activeSpan()?.setAttributes(attributes),
    current() {
      const context = activeSpan()?.spanContext();
      return context === undefined
        ? null
        : `00-${context.traceId}-${context.spanId}-${context.traceFlags.toString(16).padStart(2, '0')}`;
    },
    record({ name, parent, spanId, startedAt, endedAt, attributes, failure }) {
      const past = ids.choose(spanId, () =>
        tracer.startSpan(name, { startTime: startedAt, attributes }, contextOf(parent)),
      );
      if (failure !== null) fail(past, failure);
      past.end(endedAt);
    },
    flush: () => provider.forceFlush(),
    close: () => provider.shutdown(),
  };
}

/** Lets a workflow choose its span's id, because its activities name it as their parent long before it ends. */
class ChosenIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #chosen: string | null = null;

  generateTraceId(): string {
    return this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#chosen ?? this.#random.generateSpanId();
  }

  choose<T>(id: string, work: () => T): T {
    this.#chosen = id;
    try {
      return work();
    } finally {
      this.#chosen = null;
    }
  }
}

/** A malformed traceparent counts as none: a new trace begins. */
function contextOf(traceparent: string | null): Context {
  const [, traceId = '', spanId = '', flags = ''] =
    /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/.exec(traceparent ?? '') ?? [];
  const context: SpanContext = {
    traceId,
    spanId,
    traceFlags: parseInt(flags, 16) & TraceFlags.SAMPLED,
    isRemote: true,
  };
  return isSpanContextValid(context) ? trace.setSpanContext(ROOT_CONTEXT, context) : ROOT_CONTEXT;
}

function fail(span: Span, kind: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', kind);
}

/** The error's code or class. Its message may quote a row, a prompt or an address. */
function kindOf(error: unknown): string {
  if (typeof error === 'string') return error;
  if (!(error instanceof Error)) return typeof error;
  for (const name of ['code', 'type'] as const) {
    const value: unknown = (error as { code?: unknown; type?: unknown })[name];
    if (typeof value === 'string' && /^\w{1,60}$/.test(value)) return value;
  }
  return error.name;
}

function complainTo(log: Logger): void {
  let silentUntil = 0;
  const complain = (...said: unknown[]) => {
    if (Date.now() < silentUntil) return;
    silentUntil = Date.now() + COMPLAIN_EVERY_MS;
    log.warn({ reason: String(said[0]).slice(0, 200) }, 'spans are not exported');
  };
  diag.setLogger(
    { error: complain, warn: complain, info: () => {}, debug: () => {}, verbose: () => {} },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}
