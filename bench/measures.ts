import { interleave, type Block } from './block.ts';
import type { BurstEffort } from './burst.ts';
import type { Contender } from './contenders.ts';
import { median, percentile, spreadOf, sum, type Spread } from './figures.ts';
import type { LadderEffort } from './ladder.ts';
import { ANSWERS } from './question.ts';
import type { Stage } from './stage.ts';

/** How much is measured: enough for real figures (`whole`), or one short round (`quick`). */
export interface Effort {
  readonly rounds: number;
  /** The turns of a block, by the number of people who ask at once. */
  readonly turns: Readonly<Record<1 | 8 | 32, number>>;
  readonly ladder: LadderEffort;
  readonly burst: BurstEffort;
}

export const EFFORTS = {
  whole: {
    rounds: 4,
    turns: { 1: 80, 8: 160, 32: 256 },
    ladder: { streams: [25, 50, 100, 200, 400], stepMs: 8_000 },
    burst: { asked: 600, rounds: 3 },
  },
  quick: {
    rounds: 1,
    turns: { 1: 30, 8: 64, 32: 96 },
    ladder: { streams: [100, 400], stepMs: 3_000 },
    burst: { asked: 600, rounds: 1 },
  },
} as const satisfies Record<string, Effort>;

/**
 * Latency in milliseconds. The p50 is the median of the blocks' p50s, with their least and most; the p99 is that of all
 * turns together.
 */
export interface Latency {
  readonly p50: Spread;
  readonly p99: number;
  /** How far the p50 lies above the model's own, block by block; null for the model itself. */
  readonly added: Spread | null;
}

export interface LatencyRow {
  readonly contender: string;
  readonly atOnce: number;
  readonly received: Latency | null;
  readonly firstDelta: Latency;
  readonly done: Latency;
}

/** Measures with a model that answers without delay: what remains is the way to it and back. */
export async function measureLatency(
  stage: Stage,
  contenders: Readonly<Record<string, Contender>>,
  effort: Effort,
): Promise<LatencyRow[]> {
  const rows: LatencyRow[] = [];
  for (const atOnce of [1, 8, 32] as const) {
    const blocks = await interleave(stage, contenders, effort.rounds, {
      answer: ANSWERS.atOnce,
      atOnce,
      turns: effort.turns[atOnce],
    });
    rows.push(...latencyRows(blocks, atOnce));
  }
  return rows;
}

export interface ThroughputRow {
  readonly contender: string;
  readonly atOnce: number;
  readonly turnsPerSecond: Spread;
  /** CPU milliseconds per turn, by process. The model and the client are listed too. */
  readonly cpuMs: Readonly<Record<string, number>>;
  /** CPU milliseconds of the contender's own processes together; null when none are known. */
  readonly ownCpuMs: Spread | null;
}

/**
 * 32 people at once get answers of 200 ms: the most turns per second that these cores carry, with all processes on
 * them.
 */
export async function measureThroughput(
  stage: Stage,
  contenders: Readonly<Record<string, Contender>>,
  effort: Effort,
): Promise<ThroughputRow[]> {
  const atOnce = 32;
  const blocks = await interleave(stage, contenders, effort.rounds, {
    answer: ANSWERS.short,
    atOnce,
    turns: effort.turns[atOnce],
  });
  return Object.entries(contenders).map(([name, { processes }]) => {
    const own = blocks[name] ?? [];
    const seen = [...processes, 'model', 'client'];
    return {
      contender: name,
      atOnce,
      turnsPerSecond: spreadOf(own.map(({ turns, seconds }) => turns / seconds)),
      cpuMs: Object.fromEntries(
        seen.map((process) => [process, median(own.map(({ cpuMs }) => cpuMs.get(process) ?? 0))]),
      ),
      ownCpuMs:
        processes.length === 0
          ? null
          : spreadOf(own.map(({ cpuMs }) => sum(processes.map((process) => cpuMs.get(process) ?? 0)))),
    };
  });
}

export interface StreamRow {
  readonly contender: string;
  readonly atOnce: number;
  readonly firstDelta: Latency;
  readonly done: Latency;
  /**
   * How much longer the whole answer takes than from the model itself, in percent, block by block; null for the model
   * itself.
   */
  readonly overDirect: Spread | null;
}

/** Measures what a long answer loses on its way: 400 chunks at 5 ms, alone and ten at once. */
export async function measureStream(
  stage: Stage,
  contenders: Readonly<Record<string, Contender>>,
  effort: Effort,
): Promise<StreamRow[]> {
  const rows: StreamRow[] = [];
  for (const atOnce of [1, 10]) {
    const blocks = await interleave(stage, contenders, effort.rounds + 1, {
      answer: ANSWERS.long,
      atOnce,
      turns: atOnce,
    });
    const direct = blocks['direct'] ?? [];
    rows.push(
      ...latencyRows(blocks, atOnce).map(({ contender, firstDelta, done }) => ({
        contender,
        atOnce,
        firstDelta,
        done,
        overDirect:
          contender === 'direct'
            ? null
            : spreadOf(
                (blocks[contender] ?? []).map(
                  ({ doneMs }, round) => (median(doneMs) / median(direct[round]?.doneMs ?? []) - 1) * 100,
                ),
              ),
      })),
    );
  }
  return rows;
}

function latencyRows(blocks: Readonly<Record<string, readonly Block[]>>, atOnce: number): LatencyRow[] {
  const direct = blocks['direct'] ?? [];
  return Object.entries(blocks).map(([contender, own]) => {
    const of = (measure: 'receivedMs' | 'firstDeltaMs' | 'doneMs') =>
      latencyOf(own, contender === 'direct' ? null : direct, (block) => block[measure] ?? []);
    return {
      contender,
      atOnce,
      received: own.every(({ receivedMs }) => receivedMs !== null) ? of('receivedMs') : null,
      firstDelta: of('firstDeltaMs'),
      done: of('doneMs'),
    };
  });
}

function latencyOf(
  own: readonly Block[],
  direct: readonly Block[] | null,
  samples: (block: Block) => readonly number[],
): Latency {
  const p50s = own.map((block) => median(samples(block)));
  return {
    p50: spreadOf(p50s),
    p99: percentile(own.flatMap(samples), 0.99),
    added:
      direct === null
        ? null
        : spreadOf(p50s.map((p50, round) => p50 - median(direct[round] === undefined ? [] : samples(direct[round])))),
  };
}
