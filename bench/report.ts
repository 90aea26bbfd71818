import type { BurstRow } from './burst.ts';
import type { Spread } from './figures.ts';
import type { LadderRow } from './ladder.ts';
import type { Report } from './measured.ts';
import type { Latency, LatencyRow, StreamRow, ThroughputRow } from './measures.ts';
import { judge, type Judged } from './targets.ts';

/**
 * The report for people: medians of the blocks, with their least and most in brackets where contenders are compared.
 */
export function textOf(report: Report): string {
  const { machine, latency, throughput, stream, ladder, burst, memory, failures = {} } = report;
  return [
    `${machine.cores} cores (${machine.cpu}), node ${machine.node}; all processes and the bench itself on them`,
    ...(latency === undefined ? [] : ['', 'A model without delay, 20 chunks: ms from the POST', latencyTable(latency)]),
    ...(throughput === undefined
      ? []
      : ['', '32 at once, answers of 20 chunks in 200 ms: CPU in ms a turn', throughputTable(throughput)]),
    ...(stream === undefined ? [] : ['', '400 chunks at 5 ms: ms from the POST', streamTable(stream)]),
    ...(ladder === undefined
      ? []
      : ['', 'First deltas while others stream 50 chunks a second each: ms from the POST', ladderTable(ladder)]),
    ...(burst === undefined ? [] : ['', 'Turns thrown in at once: ms from the POST', burstTable(burst)]),
    ...(memory === undefined
      ? []
      : [
          '',
          `Resident memory of the app: ${number(memory.startedMegabytes, 0)} MB started, ${number(memory.idleMegabytes, 0)} MB idle after the warm-up`,
        ]),
    ...Object.entries(failures).flatMap(([name, message]) => ['', `${name} FAILED: ${message}`]),
    '',
    'Turnkeeper against its targets',
    targetTable(judge(report)),
  ].join('\n');
}

function targetTable(lines: readonly Judged[]): string {
  return table(
    ['', '', 'measured', 'target'],
    lines.map(({ what, unit, measured, bound, target, met }) => [
      what,
      met ? 'met' : 'MISSED',
      `${number(measured)} ${unit}`.trim(),
      `${bound} ${target} ${unit}`.trim(),
    ]),
  );
}

function ladderTable(rows: readonly LadderRow[]): string {
  return table(
    ['streams', '', 'p50', 'p99', 'text in time, %', 'own cores busy', 'app, MB'],
    rows.flatMap(({ contender, steps }) =>
      steps.map(({ streams, firstDelta, delivered, cores, megabytes }) => [
        String(streams),
        contender,
        number(firstDelta.p50),
        number(firstDelta.p99),
        number(delivered * 100),
        number(cores, 2),
        megabytes === null ? '' : number(megabytes, 0),
      ]),
    ),
  );
}

function burstTable(rows: readonly BurstRow[]): string {
  return table(
    ['asked', '', 'admitted', 'first delta, p99', 'last refusal'],
    rows.map(({ contender, asked, admitted, firstDeltaP99, refusedWithinMs }) => [
      String(asked),
      contender,
      spread(admitted, 0),
      spread(firstDeltaP99, 0),
      refusedWithinMs === null ? '' : spread(refusedWithinMs, 0),
    ]),
  );
}

function latencyTable(rows: readonly LatencyRow[]): string {
  return table(
    ['at once', '', 'model receives', 'p99', 'added', 'first delta', 'p99', 'added', 'done', 'p99', 'added'],
    rows.map(({ atOnce, contender, received, firstDelta, done }) => [
      String(atOnce),
      contender,
      ...latencyCells(received),
      ...latencyCells(firstDelta),
      ...latencyCells(done),
    ]),
  );
}

function throughputTable(rows: readonly ThroughputRow[]): string {
  const names = [...new Set(rows.flatMap(({ cpuMs }) => Object.keys(cpuMs)))];
  return table(
    ['', 'turns/s', 'CPU a turn', ...names],
    rows.map(({ contender, turnsPerSecond, ownCpuMs, cpuMs }) => [
      contender,
      spread(turnsPerSecond),
      ownCpuMs === null ? '' : spread(ownCpuMs),
      ...names.map((name) => (cpuMs[name] === undefined ? '' : number(cpuMs[name]))),
    ]),
  );
}

function streamTable(rows: readonly StreamRow[]): string {
  return table(
    ['at once', '', 'first delta', 'p99', 'added', 'done', 'p99', 'added', 'over direct, %'],
    rows.map(({ atOnce, contender, firstDelta, done, overDirect }) => [
      String(atOnce),
      contender,
      ...latencyCells(firstDelta),
      ...latencyCells(done),
      overDirect === null ? '' : spread(overDirect, 2),
    ]),
  );
}

function latencyCells(latency: Latency | null): [string, string, string] {
  if (latency === null) return ['', '', ''];
  return [number(latency.p50.median), number(latency.p99), latency.added === null ? '' : spread(latency.added)];
}

function spread({ median, least, most }: Spread, digits = 1): string {
  return `${number(median, digits)} (${number(least, digits)}…${number(most, digits)})`;
}

function number(value: number, digits = 1): string {
  return value.toFixed(digits);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
