import type { Instant } from '../period.ts';
import type { Channel } from './kinds.ts';

/** How many deliveries are begun a second, and how many one resend may have. */
export const RESEND_RATE = { default: 5, most: 50 } as const;
export const RESEND_LIMIT = { default: 1_000, most: 10_000 } as const;

export const DELIVERY_STATES = ['pending', 'delivered', 'failed'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** Channels of which something may be sent once more. In the app a notification is delivered by being there. */
export const SENT_CHANNELS = ['email', 'webhook'] as const satisfies readonly Channel[];

/** Which deliveries; an absent part means any. Instants in milliseconds, of when it was last sent or asked for. */
export interface DeliveryFilter {
  readonly kind?: string | undefined;
  readonly channel?: (typeof SENT_CHANNELS)[number] | undefined;
  readonly userId?: number | undefined;
  readonly from?: Instant | undefined;
  readonly to?: Instant | undefined;
}

/** `running`: some are not begun. When all are, it is over; each goes on by itself for up to three days. */
export const RESEND_STATES = ['running', 'completed', 'cancelled'] as const;
export type ResendState = (typeof RESEND_STATES)[number];

/** How many deliveries of a resend are how far. `sending`: begun, and not over. */
export interface ResendProgress {
  readonly state: ResendState;
  readonly waiting: number;
  readonly sending: number;
  readonly delivered: number;
  readonly failed: number;
}
