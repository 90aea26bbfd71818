import type { ResendProgress } from '../../domain/channels/resend.ts';

export interface ResendInput {
  readonly resendId: string;
  readonly ratePerSecond: number;
  /** Events of its history before it continues as a new run; 4,000 by default. */
  readonly mostEvents?: number;
}

export interface ResendActivities {
  /**
   * Begins at most `most` more deliveries while the resend runs, and ends it when none is left.
   * @param input.isCancelled it was cancelled in the Temporal UI: nothing more is begun.
   */
  advanceResend(input: { resendId: string; most: number; isCancelled: boolean }): Promise<ResendProgress>;
}
