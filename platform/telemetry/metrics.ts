import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { TURN_FAILURE_CODES, TURN_REFUSALS, type ErrorCode, type TurnFailureCode } from '../../domain/errors.ts';
import { PROVIDERS, type ProviderName } from '../../domain/payments/provider.ts';
import type { ProviderOddity } from '../../domain/provider-oddities.ts';
import type { TurnEnding } from '../../domain/turn.ts';
import type { ReconcileReport } from '../../workflows/contract/reconcile.ts';
import { Gauges, type OverloadSource, type StateSources } from './gauges.ts';
import type { Logger } from './log.ts';
import { watchLoopPauses } from './loop-pauses.ts';

/**
 * The parts of the time to the first delta, in their order. `accept`: from the request until its question is committed.
 * `hold`: until its hold is made. `start`: until the model is called. `model`: until the model's first delta.
 */
export type FirstDeltaPart = 'accept' | 'hold' | 'start' | 'model';

/** Counts of a comparison that a person may have to see to. */
export type PaymentFindings = Readonly<Record<(typeof PAYMENT_FINDINGS)[number], number>>;
const PAYMENT_FINDINGS = ['converged', 'mismatches', 'unmatched', 'missing'] as const;

/** How a model call ended. */
export type AttemptOutcome = 'answered' | 'stopped' | TurnFailureCode;

/**
 * Counts in this process, at a cost of microseconds a turn: no server is asked while a turn runs. Labels come from
 * closed lists, and are never an id or a text.
 */
export interface Metrics {
  turnEnded(ending: TurnEnding): void;
  attemptEnded(attempt: { model: string; outcome: AttemptOutcome }): void;
  providerOddity(odd: { model: string; oddity: ProviderOddity }): void;
  firstDelta(seconds: number): void;
  firstDeltaPart(part: FirstDeltaPart, seconds: number): void;
  /** @param characters of an answer that never went through Redis. Readers get them from PostgreSQL. */
  deltasDropped(characters: number): void;
  reconciled(report: ReconcileReport): void;
  deliveryTried(attempt: { channel: string; outcome: string }): void;
  objectStoreAsked(request: { method: string; outcome: 'done' | 'refused' | 'away' }): void;
  /** @param found what one comparison with a provider's lists found. */
  paymentsCompared(provider: ProviderName, found: PaymentFindings): void;
  /** @param request.route the route's template; `none` when no route matched. */
  requestEnded(request: { method: string; route: string; status: number; seconds: number }): void;
  errorSent(code: ErrorCode): void;
  streamOpened(): void;
  streamClosed(): void;
  /** Sets what a scrape looks up beside the counters. */
  observe(sources: StateSources): void;
  observeOverload(gate: OverloadSource): void;
  /** Prometheus's text format, with the SDK's own figures. It never fails: what cannot be looked up is left out. */
  render(): Promise<string>;
}

export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

const UP_TO_A_MINUTE = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** @param options.readSdk reads the Temporal SDK's figures in the same format; null: this process collects none. */
export function createMetrics(options: { role: string; readSdk: (() => Promise<string>) | null }): Metrics {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  // The event loop is sampled every 50 ms instead of every 10, so that an idle process stays idle.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 });
  const counter = <Label extends string = never>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <Label extends string = never>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge({ name, help, labelNames, registers });
  const seconds = <Label extends string = never>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Histogram({ name, help, labelNames, buckets: UP_TO_A_MINUTE, registers });

  gauge('turnkeeper_info', 'Which role this process has: all, api or worker', ['role']).set({ role: options.role }, 1);
  const turns = counter(
    'turnkeeper_turns_total',
    'Turns that ended, by outcome and failure code, counted by the process that ended them',
    ['outcome', 'code'],
  );
  const attempts = counter(
    'turnkeeper_attempts_total',
    'Model calls that ended, by model and outcome (answered, stopped or a failure code)',
    ['model', 'outcome'],
  );
  const oddities = counter(
    'turnkeeper_provider_oddities_total',
    'Answers with something odd: finish_word (unknown), finish_missing, usage (ours counts instead), cut (beyond its hold), empty',
    ['model', 'oddity'],
  );
  const debited = counter('turnkeeper_debited_tokens_total', 'Tokens debited for turns', ['model']);
  const firstDelta = seconds(
    'turnkeeper_time_to_first_delta_seconds',
    'From a streamed send to its first delta on the wire',
  );
  const parts = seconds(
    'turnkeeper_first_delta_part_seconds',
    'Its parts: accept (question committed), hold (hold made), start (model called), model (first delta of the model)',
    ['part'],
  );
  const dropped = counter(
    'turnkeeper_delta_characters_dropped_total',
    'Characters of answers that never went through Redis; their readers got them from PostgreSQL',
  );
  const findings = counter(
    'turnkeeper_reconcile_findings_total',
    'What reconcile found: turns settled, started, interrupted, or not to be mended (failed); holds expired; counters that differ from the ledger',
    ['finding'],
  );
  const deliveries = counter(
    'turnkeeper_delivery_attempts_total',
    'Attempts to deliver a notification, by channel and outcome: accepted, later (tried again), refused, unknown',
    ['channel', 'outcome'],
  );
  const objects = counter(
    'turnkeeper_object_store_requests_total',
    'Requests to the store of images, each try, by method and outcome: done, refused, away',
    ['method', 'outcome'],
  );
  for (const method of ['PUT', 'GET', 'DELETE'])
    for (const outcome of ['done', 'refused', 'away']) objects.inc({ method, outcome }, 0);
  const payments = counter(
    'turnkeeper_payment_findings_total',
    'What comparisons with the providers’ lists found: purchases brought up to date (converged), mismatches, payments that are no purchase’s (unmatched), purchases that are paid here only (missing)',
    ['provider', 'finding'],
  );
  for (const provider of PROVIDERS) for (const finding of PAYMENT_FINDINGS) payments.inc({ provider, finding }, 0);
  const requests = seconds(
    'turnkeeper_http_request_duration_seconds',
    'Requests by route, until the answer was sent (a stream: until it began)',
    ['method', 'route', 'status'],
  );
  const errors = counter('turnkeeper_http_errors_total', 'Error answers by their code', ['code']);
  const streams = gauge('turnkeeper_open_streams', 'Server-sent event streams open now');
  startAtZero(turns, findings);
  const gauges = new Gauges(gauge);
  gauges.watchLoop(watchLoopPauses());

  return {
    turnEnded({ outcome, code, model, debitedTokens }) {
      turns.inc({ outcome, code: code ?? 'none' });
      if (debitedTokens > 0) debited.inc({ model }, debitedTokens);
    },
    attemptEnded: (attempt) => attempts.inc(attempt),
    providerOddity: (odd) => oddities.inc(odd),
    firstDelta: (value) => firstDelta.observe(value),
    firstDeltaPart: (part, value) => parts.observe({ part }, Math.max(0, value)),
    deltasDropped: (characters) => dropped.inc(characters),
    reconciled(report) {
      for (const [finding, count] of Object.entries(findingsOf(report))) findings.inc({ finding }, count);
    },
    deliveryTried: (attempt) => deliveries.inc(attempt),
    objectStoreAsked: (request) => objects.inc(request),
    paymentsCompared(provider, found) {
      for (const finding of PAYMENT_FINDINGS) payments.inc({ provider, finding }, found[finding]);
    },
    requestEnded: ({ method, route, status, seconds: value }) =>
      requests.observe({ method: METHODS.has(method) ? method : 'OTHER', route, status }, value),
    errorSent: (code) => errors.inc({ code }),
    streamOpened: () => streams.inc(),
    streamClosed: () => streams.dec(),
    observe: (sources) => gauges.watch(sources),
    observeOverload: (gate) => gauges.watchOverload(gate),
    async render() {
      const [sdk] = await Promise.all([options.readSdk?.().catch(() => ''), gauges.look()]);
      return `${await registry.metrics()}\n${sdk ?? ''}`;
    },
  };
}

/**
 * Every counter with an alarm exists from the start, because a counter that appears with its first increment hides that
 * increment from `rate()`.
 */
function startAtZero(turns: Counter<'outcome' | 'code'>, findings: Counter<'finding'>): void {
  for (const outcome of ['completed', 'stopped']) turns.inc({ outcome, code: 'none' }, 0);
  for (const code of TURN_FAILURE_CODES) turns.inc({ outcome: 'failed', code }, 0);
  for (const code of TURN_REFUSALS) turns.inc({ outcome: 'refused', code }, 0);
  for (const finding of Object.keys(
    findingsOf({ settled: 0, started: 0, interrupted: 0, expiredHolds: 0, mismatches: 0 }),
  ))
    findings.inc({ finding }, 0);
}

function findingsOf({
  settled,
  started,
  interrupted,
  failed = 0,
  redrives = 0,
  payments = 0,
  expiredHolds,
  mismatches,
}: ReconcileReport) {
  return { settled, started, interrupted, failed, redrives, payments, expired_holds: expiredHolds, mismatches };
}

/** Logs one line and counts one ending for each turn, in the process that ended it. */
export function countAndLogEndings(metrics: Pick<Metrics, 'turnEnded'>, log: Logger): (ending: TurnEnding) => void {
  return (ending) => {
    metrics.turnEnded(ending);
    log.info(ending, 'turn ended');
  };
}
