import type { ErrorCode } from './errors.ts';
import type { Instant } from './period.ts';
import type { TurnState } from './turn.ts';

/** What happened to a turn, one step each. A turn that ran several times has the holds and attempts of all its runs. */
export type TimelineStep =
  | { readonly step: 'accepted'; readonly at: Instant }
  | { readonly step: 'replayed'; readonly at: Instant }
  | { readonly step: 'held'; readonly at: Instant; readonly runId: string; readonly tokens: number }
  | { readonly step: 'attempt_started'; readonly at: Instant; readonly runId: string; readonly attempt: number }
  | {
      readonly step: 'attempt_ended';
      readonly at: Instant;
      readonly runId: string;
      readonly attempt: number;
      readonly outcome: AttemptOutcome;
      readonly code: ErrorCode | null;
      readonly durationMs: number;
    }
  | { readonly step: 'stop_requested'; readonly at: Instant }
  | { readonly step: HoldEnd; readonly at: Instant; readonly runId: string; readonly tokens: number }
  | { readonly step: 'ended'; readonly at: Instant; readonly state: TurnState; readonly code: ErrorCode | null };

/** `lost`: its worker died, or a newer attempt took its place. */
export const ATTEMPT_OUTCOMES = ['answered', 'stopped', 'failed', 'lost'] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];
export const HOLD_ENDS = ['settled', 'released', 'expired'] as const;
export type HoldEnd = (typeof HOLD_ENDS)[number];

export interface TimelineSource {
  readonly turn: {
    readonly state: TurnState;
    readonly error: ErrorCode | null;
    readonly createdAt: Instant;
    readonly replayedAt: Instant | null;
    readonly stopRequestedAt: Instant | null;
    readonly endedAt: Instant | null;
  };
  readonly holds: readonly {
    readonly runId: string;
    readonly tokens: number;
    readonly state: 'pending' | HoldEnd;
    readonly createdAt: Instant;
    readonly endedAt: Instant | null;
  }[];
  readonly attempts: readonly {
    readonly runId: string;
    readonly number: number;
    readonly state: 'open' | AttemptOutcome;
    readonly error: ErrorCode | null;
    readonly startedAt: Instant;
    readonly endedAt: Instant | null;
  }[];
}

/** Steps of one transaction have the same instant. The rank is the order in which they follow from each other. */
const RANK = {
  accepted: 0,
  replayed: 1,
  stop_requested: 2,
  attempt_ended: 3,
  expired: 4,
  released: 4,
  settled: 4,
  ended: 5,
  held: 6,
  attempt_started: 7,
} as const satisfies Record<TimelineStep['step'], number>;

export const TIMELINE_STEPS = Object.keys(RANK) as readonly TimelineStep['step'][];

/** @returns the steps, oldest first. */
export function describeTimeline({ turn, holds, attempts }: TimelineSource): TimelineStep[] {
  const steps: TimelineStep[] = [{ step: 'accepted', at: turn.createdAt }];
  if (turn.replayedAt !== null) steps.push({ step: 'replayed', at: turn.replayedAt });
  if (turn.stopRequestedAt !== null) steps.push({ step: 'stop_requested', at: turn.stopRequestedAt });
  for (const { runId, tokens, state, createdAt, endedAt } of holds) {
    steps.push({ step: 'held', at: createdAt, runId, tokens });
    if (state !== 'pending' && endedAt !== null) steps.push({ step: state, at: endedAt, runId, tokens });
  }
  for (const { runId, number, state, error, startedAt, endedAt } of attempts) {
    steps.push({ step: 'attempt_started', at: startedAt, runId, attempt: number });
    if (state !== 'open' && endedAt !== null) {
      steps.push({
        step: 'attempt_ended',
        at: endedAt,
        runId,
        attempt: number,
        outcome: state,
        code: error,
        durationMs: Math.max(0, endedAt - startedAt),
      });
    }
  }
  if (turn.endedAt !== null) steps.push({ step: 'ended', at: turn.endedAt, state: turn.state, code: turn.error });
  return steps.sort((a, b) => a.at - b.at || RANK[a.step] - RANK[b.step]);
}
