import type { Report } from './measured.ts';
import type { LatencyRow } from './measures.ts';

/** One target for the cost of a durable turn on two cores, and what was measured. */
export interface Judged {
  readonly what: string;
  readonly unit: string;
  readonly measured: number;
  readonly bound: 'at most' | 'at least';
  readonly target: number;
  readonly met: boolean;
}

interface Target {
  readonly what: string;
  readonly unit: string;
  readonly bound: 'at most' | 'at least';
  readonly target: number;
  /** @returns undefined when the run did not measure it. */
  readonly of: (report: Report) => number | null | undefined;
}

const TIMES = 'times the bare handler';

/** As shares of the bare handler's in the same run, so that a slower machine misses none that a faster one meets. */
const RATIOS: readonly Target[] = [
  {
    what: 'POST → the model has the request, 1 at a time, p50',
    unit: TIMES,
    bound: 'at most',
    target: 6,
    of: (report) => ratio(report.latency, (row) => (row.atOnce === 1 ? row.received?.p50.median : undefined)),
  },
  {
    what: 'POST → the model has the request, 8 at a time, p50',
    unit: TIMES,
    bound: 'at most',
    target: 5,
    of: (report) => ratio(report.latency, (row) => (row.atOnce === 8 ? row.received?.p50.median : undefined)),
  },
  {
    what: 'turns a second, 32 at once, answers of 200 ms',
    unit: TIMES,
    bound: 'at least',
    target: 0.45,
    of: ({ throughput }) => ratio(throughput, (row) => row.turnsPerSecond.median),
  },
  {
    what: 'CPU a turn, all processes',
    unit: TIMES,
    bound: 'at most',
    target: 5,
    of: ({ throughput }) => ratio(throughput, (row) => row.ownCpuMs?.median),
  },
];

const TARGETS: readonly Target[] = [
  ...RATIOS,
  {
    what: 'POST → the model has the request, 1 at a time, p50 added',
    unit: 'ms',
    bound: 'at most',
    target: 10,
    of: (report) => latency(report, 1)?.received?.added?.median,
  },
  {
    what: 'POST → the model has the request, 1 at a time, p99',
    unit: 'ms',
    bound: 'at most',
    target: 30,
    of: (report) => latency(report, 1)?.received?.p99,
  },
  {
    what: 'POST → the model has the request, 8 at a time, p50',
    unit: 'ms',
    bound: 'at most',
    target: 40,
    of: (report) => latency(report, 8)?.received?.p50.median,
  },
  {
    what: 'POST → done, 1 at a time, p50 added',
    unit: 'ms',
    bound: 'at most',
    target: 20,
    of: (report) => latency(report, 1)?.done.added?.median,
  },
  {
    what: 'turns a second, 32 at once, answers of 200 ms',
    unit: '',
    bound: 'at least',
    target: 80,
    of: ({ throughput }) => ours(throughput)?.turnsPerSecond.median,
  },
  {
    what: 'CPU a turn, all processes',
    unit: 'ms',
    bound: 'at most',
    target: 18,
    of: ({ throughput }) => ours(throughput)?.ownCpuMs?.median,
  },
  {
    what: '400 chunks × 5 ms, alone: total over direct',
    unit: '%',
    bound: 'at most',
    target: 1,
    of: (report) => stream(report, 1)?.overDirect?.median,
  },
  {
    what: '400 chunks × 5 ms, ten at once: total over direct',
    unit: '%',
    bound: 'at most',
    target: 2,
    of: (report) => stream(report, 10)?.overDirect?.median,
  },
  {
    what: '400 chunks × 5 ms, alone: first delta added',
    unit: 'ms',
    bound: 'at most',
    target: 20,
    of: (report) => stream(report, 1)?.firstDelta.added?.median,
  },
  {
    what: 'streams of 50 chunks/s before first-delta p99 doubles',
    unit: '',
    bound: 'at least',
    target: 400,
    of: ({ ladder }) => ours(ladder)?.held,
  },
  {
    what: '600 turns at once: first delta of those admitted, p99',
    unit: 'ms',
    bound: 'at most',
    target: 1_500,
    of: ({ burst }) => ours(burst)?.firstDeltaP99.median,
  },
  {
    what: '600 turns at once: admitted',
    unit: '',
    bound: 'at least',
    target: 120,
    of: ({ burst }) => ours(burst)?.admitted.median,
  },
  {
    what: '600 turns at once: the last 503 after',
    unit: 'ms',
    bound: 'at most',
    target: 1_500,
    of: ({ burst }) => ours(burst)?.refusedWithinMs?.median,
  },
  {
    what: 'resident memory of the app, idle',
    unit: 'MB',
    bound: 'at most',
    target: 200,
    of: ({ memory }) => memory?.idleMegabytes,
  },
  {
    what: 'resident memory of the app, 400 streams',
    unit: 'MB',
    bound: 'at most',
    target: 400,
    of: ({ ladder }) => ours(ladder)?.steps.find(({ streams }) => streams === 400)?.megabytes,
  },
];

/** Judges each target that the run measured. */
export function judge(report: Report): Judged[] {
  return TARGETS.flatMap(({ of, ...target }) => {
    const measured = of(report);
    if (measured === undefined || measured === null) return [];
    return [
      { ...target, measured, met: target.bound === 'at most' ? measured <= target.target : measured >= target.target },
    ];
  });
}

function ours<Row extends { readonly contender: string }>(rows: readonly Row[] | undefined): Row | undefined {
  return rows?.find(({ contender }) => contender === 'turnkeeper');
}

/** Ours by the bare handler's; undefined when the run has not measured both. */
function ratio<Row extends { readonly contender: string }>(
  rows: readonly Row[] | undefined,
  figureOf: (row: Row) => number | undefined,
): number | undefined {
  const of = (contender: string) =>
    rows
      ?.filter((row) => row.contender === contender)
      .map(figureOf)
      .find((figure) => figure !== undefined);
  const [mine, theirs] = [of('turnkeeper'), of('bare')];
  return mine === undefined || theirs === undefined || theirs === 0 ? undefined : mine / theirs;
}

function latency({ latency: rows }: Report, atOnce: number): LatencyRow | undefined {
  return ours(rows?.filter((row) => row.atOnce === atOnce));
}

function stream({ stream: rows }: Report, atOnce: number) {
  return ours(rows?.filter((row) => row.atOnce === atOnce));
}
