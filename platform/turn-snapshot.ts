import { ACCEPTED_ID } from '../domain/stream-events.ts';
import type { TurnState } from '../domain/turn.ts';

/** A turn as PostgreSQL knows it at one moment: all that a reader needs besides the stream. */
export interface TurnSnapshot<Turn = unknown> {
  readonly turnId: string;
  readonly conversationId: string;
  readonly model: string;
  readonly state: TurnState;
  /** Ordinal of the newest attempt, 0 before the first. */
  readonly attempt: number;
  /** What that attempt's writer returned from `end()`; null when nobody knows. */
  readonly streamEntries: number | null;
  /** The stored answer, null when there is none. */
  readonly content: string | null;
  /** Passed on in the ending event. */
  readonly turn: Turn;
}

/**
 * Number of the entry that completes the newest attempt, as far as PostgreSQL can tell; the ending is the one after it.
 */
export function lastEntryOf({ attempt, streamEntries, content }: TurnSnapshot): number | null {
  if (attempt === 0) return ACCEPTED_ID.entry;
  if (streamEntries === null) return null;
  // An answer has at least the entry that it is sent as when no stream has it.
  return content !== null && content !== '' ? Math.max(1, streamEntries) : streamEntries;
}

/**
 * The least attempt whose text still counts: a run that begins anew makes the attempts so far history before there is a
 * newer one.
 */
export function leastAttemptOf({ state, attempt }: TurnSnapshot): number {
  return state === 'accepted' && attempt > 0 ? attempt + 1 : attempt;
}
