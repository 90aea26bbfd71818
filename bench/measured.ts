import type { BurstRow } from './burst.ts';
import type { LadderRow } from './ladder.ts';
import type { LatencyRow, StreamRow, ThroughputRow } from './measures.ts';
import type { MACHINE } from './program.ts';

export interface Report {
  readonly machine: typeof MACHINE;
  readonly latency?: readonly LatencyRow[];
  readonly throughput?: readonly ThroughputRow[];
  readonly stream?: readonly StreamRow[];
  readonly ladder?: readonly LadderRow[];
  readonly burst?: readonly BurstRow[];
  /**
   * Resident memory of the largest app process: after its start, before any question; and idle, 15 s after the warm-up.
   */
  readonly memory?: { readonly startedMegabytes: number; readonly idleMegabytes: number };
  /** Why something was not measured, by its name: an answer was wrong, or none came. */
  readonly failures?: Readonly<Record<string, string>>;
}
