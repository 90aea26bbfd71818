import { defineSignal } from '@temporalio/workflow';

/** Try now, whatever the pause. It says nothing more. */
export const TRY_NOW = defineSignal('tryNow');

export interface DeliveryInput {
  readonly deliveryId: string;
}

/** Ids, words and figures only: no address and no text of a letter reaches Temporal. */
export interface DeliveryActivities {
  /** Tries once, unless the delivery is over, and says what follows. Runs on the queue of its own. */
  sendDelivery(input: DeliveryInput): Promise<DeliveryReport>;
}

export interface DeliveryReport {
  readonly state: 'pending' | 'delivered' | 'failed';
  readonly attempts: number;
  /** Why it failed for good, in a word of ours; null unless it did. */
  readonly error: string | null;
  /** The code with which the other side answered last. */
  readonly answer: string | null;
  /** How long until the next attempt; null: there is none. */
  readonly pauseMs: number | null;
}
