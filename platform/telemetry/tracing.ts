import type { Logger } from './log.ts';
import { NO_TRACING, type Tracing } from './span.ts';

export interface TracingSettings {
  /** OTLP over HTTP, without `/v1/traces`; undefined: no tracing. */
  readonly endpoint: string | undefined;
  readonly serviceName: string;
  /** Share of traces to keep, 0 to 1, where the caller has not decided. */
  readonly ratio: number;
}

/** OpenTelemetry is loaded only where an endpoint is set: it costs 120 ms and 24 MB. */
export async function openTracing(
  { endpoint, ...settings }: TracingSettings,
  role: string,
  log: Logger,
): Promise<Tracing> {
  if (endpoint === undefined) return NO_TRACING;
  const { createTracing } = await import('./otel.ts');
  return createTracing({ ...settings, url: `${endpoint.replace(/\/+$/, '')}/v1/traces`, role }, log);
}

/**
 * Makes a span for each statement, named by its first word, for `openDatabase`. Undefined: statements are not traced.
 */
export function traceStatements(
  tracing: Tracing,
): (<T>(verb: string, run: () => Promise<T>) => Promise<T>) | undefined {
  if (!tracing.on) return undefined;
  return (verb, run) =>
    tracing.child(
      `postgresql ${verb}`,
      { kind: 'client', attributes: { 'db.system.name': 'postgresql', 'db.operation.name': verb } },
      run,
    );
}
