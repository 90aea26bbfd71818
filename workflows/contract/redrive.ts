import { defineSignal, type SignalDefinition } from '@temporalio/workflow';
import type { RedriveProgress, RedriveStep } from '../../domain/redrive.ts';

/** The signals of a redrive, by the state that its row then has. Admins may send them in the Temporal UI, too. */
export const REDRIVE_SIGNALS = {
  paused: defineSignal('pause'),
  running: defineSignal('resume'),
  cancelling: defineSignal('cancel'),
} as const satisfies Record<RedriveStep, SignalDefinition>;

export interface RedriveInput {
  readonly redriveId: string;
  readonly ratePerSecond: number;
  /** Events of its history before it continues as a new run; 4,000 by default. */
  readonly mostEvents?: number;
}

export interface RedriveActivities {
  /**
   * Records the turns that have ended, begins at most `most` more while the redrive runs, and ends the redrive when no
   * turn is left.
   */
  advanceRedrive(input: { redriveId: string; most: number }): Promise<RedriveProgress>;
  moveRedrive(input: { redriveId: string; to: RedriveStep }): Promise<void>;
}
