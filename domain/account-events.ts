import type { TurnState } from './turn.ts';

/**
 * How far a reader of an account has been told: everything of its turns up to a touch (microseconds since the epoch),
 * and every notification up to an id. It travels as the id of the events, so that a reader who comes back gets exactly
 * what changed since.
 */
export interface AccountCursor {
  readonly touched: number;
  readonly notificationId: number;
}

/** A turn as a reader of its account is told of it: the state it is in now, not each it has been in. */
export interface TurnChange {
  readonly turnId: string;
  readonly conversationId: string;
  readonly state: TurnState;
  readonly attempt: number;
}

/** 16 and 15 digits at most, so that both are safe integers; no leading zeros, so that equal ids are equal text. */
const CURSOR = /^(0|[1-9]\d{0,15})-(0|[1-9]\d{0,14})$/;

/** @returns null when it is malformed: the request answers 400 `invalid_event_id`. */
export function parseAccountCursor(text: string): AccountCursor | null {
  const [, touched, notificationId] = CURSOR.exec(text) ?? [];
  const cursor = { touched: Number(touched), notificationId: Number(notificationId) };
  return Number.isSafeInteger(cursor.touched) && Number.isSafeInteger(cursor.notificationId) ? cursor : null;
}

export function formatAccountCursor({ touched, notificationId }: AccountCursor): string {
  return `${touched}-${notificationId}`;
}

/** A reader who names a place that was never reached (a restored database) is told everything from the present on. */
export function notBeyond(cursor: AccountCursor, tip: AccountCursor): AccountCursor {
  return {
    touched: Math.min(cursor.touched, tip.touched),
    notificationId: Math.min(cursor.notificationId, tip.notificationId),
  };
}
