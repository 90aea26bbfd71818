import { defineSignal, type SignalDefinition } from '@temporalio/workflow';
import type { RedriveProgress, RedriveStep } from '../../domain/redrive.ts';

/** What a redrive hears, from an admin in the Temporal UI too, by what its row then says. */
export const REDRIVE_SIGNALS = {
  paused: defineSignal('pause'),
  running: defineSignal('resume'),
  cancelling: defineSignal('cancel'),
} as const satisfies Record<RedriveStep, SignalDefinition>;

export interface RedriveInput {
  readonly redriveId: string;
  readonly ratePerSecond: number;
  /** Of its history, before it goes on as a new run; 4,000 unless it is said. */
  readonly mostEvents?: number;
}

export interface RedriveActivities {
  /** Notes what has ended, begins at most `most` more while the redrive runs, and ends it when nothing is left. */
  advanceRedrive(input: { redriveId: string; most: number }): Promise<RedriveProgress>;
  moveRedrive(input: { redriveId: string; to: RedriveStep }): Promise<void>;
}
