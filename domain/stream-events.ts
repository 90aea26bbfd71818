import type { TurnState } from './turn.ts';

/**
 * Why a reader must drop the text so far: a new attempt has begun (`retry`, `replay`), or the text has a gap that only
 * repeating it can close (`resync`).
 */
export const RESTART_REASONS = ['retry', 'replay', 'resync'] as const;
export type RestartReason = (typeof RESTART_REASONS)[number];

/**
 * The place of an event in a turn. Attempt 0 is before the first attempt, entry 0 is before an attempt's first entry.
 */
export interface EventId {
  readonly attempt: number;
  readonly entry: number;
}

/** `accepted` is an entry of no attempt's stream: it comes from PostgreSQL, always under this id. */
export const ACCEPTED_ID: EventId = { attempt: 0, entry: 1 };

/** What a writer puts into the stream. The rest of a turn's events come from PostgreSQL. */
export type StreamEntry =
  | { readonly kind: 'delta'; readonly id: EventId; readonly text: string }
  /** Of a turn of the OpenAI door: lines of `encodeDelta`, because its answers are more than text. */
  | { readonly kind: 'chunk'; readonly id: EventId; readonly text: string }
  | { readonly kind: 'restarted'; readonly id: EventId; readonly reason: RestartReason };

/** The kind of a turn's entries that hold its answer. */
export type TextKind = Exclude<StreamEntry, { kind: 'restarted' }>['kind'];

export type EndingState = Extract<TurnState, 'completed' | 'stopped' | 'failed'>;

/**
 * What a reader of a turn is sent, with `data` as on the wire (docs/api.md, Stream events). `Turn` is the wire's turn.
 */
export type TurnEvent<Turn = unknown> =
  | {
      readonly id: string;
      readonly type: 'accepted';
      readonly data: { readonly turnId: string; readonly conversationId: string; readonly model: string };
    }
  | { readonly id: string; readonly type: 'delta'; readonly data: { readonly text: string; readonly attempt: number } }
  | {
      readonly id: string;
      readonly type: 'restarted';
      readonly data: { readonly attempt: number; readonly reason: RestartReason };
    }
  | { readonly id: string; readonly type: EndingState; readonly data: { readonly turn: Turn } };

/** What a reader in this program is told: the OpenAI door's turns have chunks in place of deltas. */
export type ReadEvent<Turn = unknown> =
  | TurnEvent<Turn>
  | { readonly id: string; readonly type: 'chunk'; readonly data: { readonly text: string; readonly attempt: number } };

/** Both halves are safe integers (15 digits at most). Leading zeros are refused, so that equal ids are equal text. */
const EVENT_ID = /^(0|[1-9]\d{0,14})-(0|[1-9]\d{0,14})$/;

/**
 * @returns null for what is not `<attempt>-<entry>`: the request answers 400 `invalid_event_id`. An id that was never
 *   given out is well-formed.
 */
export function parseEventId(text: string): EventId | null {
  const match = EVENT_ID.exec(text);
  return match === null ? null : { attempt: Number(match[1]), entry: Number(match[2]) };
}

export function formatEventId(id: EventId): string {
  return `${id.attempt}-${id.entry}`;
}

/** Negative, 0 or positive when `a` lies before, at or after `b`: the order in which Redis keeps a stream. */
export function compareEventIds(a: EventId, b: EventId): number {
  return a.attempt - b.attempt || a.entry - b.entry;
}

export function isEnding(state: TurnState): state is EndingState {
  return state === 'completed' || state === 'stopped' || state === 'failed';
}
