import type { ErrorCode } from './errors.ts';
import type { Instant } from './period.ts';
import type { TurnState } from './turn.ts';

/** The turns that an admin means (docs/api.md, Turn filter), for lists and replays alike. An absent part means any. */
export interface TurnFilter {
  readonly state?: TurnState | undefined;
  /** Why they failed or were refused. */
  readonly code?: ErrorCode | undefined;
  readonly userId?: number | undefined;
  readonly conversationId?: string | undefined;
  readonly model?: string | undefined;
  /** Accepted at or after. */
  readonly from?: Instant | undefined;
  /** Accepted before. */
  readonly to?: Instant | undefined;
  /** Whether an admin's replay, or a reset in the Temporal UI, has run them again after a failure. */
  readonly replayed?: boolean | undefined;
}
