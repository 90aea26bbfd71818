import { defineSignal } from '@temporalio/workflow';
import type { Decline, TopUpPause, TopUpRest } from '../../domain/payments/top-up.ts';

/** What the person has chosen has changed, or too few tokens were left: look now. */
export const TOP_UP_CHANGED = defineSignal('changed');

export interface AutoTopUpInput {
  readonly accountId: number;
}

/** Ids, words and figures only, as of purchases. */
export interface TopUpActivities {
  /** Buys for an account what it has chosen, if it is time to, and goes on with what is under way. */
  topUp(input: AutoTopUpInput): Promise<TopUpReport>;
}

export interface TopUpReport {
  /** `pending`: the bank has not decided yet. Of the others, see the domain. */
  readonly outcome: 'paid' | 'declined' | 'paused' | 'pending' | 'reminded' | 'unwanted' | TopUpRest;
  /** Why it was declined, or pauses. */
  readonly why?: Decline | TopUpPause;
  /** How long until the next look; null: none by itself. */
  readonly waitMs: number | null;
}
