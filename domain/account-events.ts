import type { TurnState } from './turn.ts';

/**
 * How far a reader of an account has been told: every change of its turns up to `touched` (microseconds since the
 * epoch), and every notification up to an id. The cursor travels as the id of the events, so that a reader who comes
 * back gets exactly what changed since.
 */
export interface AccountCursor {
  readonly touched: number;
  readonly notificationId: number;
}

/** A turn as a reader of its account is told of it: its state now, not every state it has been in. */
export interface TurnChange {
  readonly turnId: string;
  readonly conversationId: string;
  readonly state: TurnState;
  readonly attempt: number;
}

/**
 * Both parts are safe integers (16 and 15 digits at most). Leading zeros are refused, so that equal ids are equal text.
 */
const CURSOR = /^(0|[1-9]\d{0,15})-(0|[1-9]\d{0,14})$/;

/** @returns null for a malformed id: the request answers 400 `invalid_event_id`. */
export function parseAccountCursor(text: string): AccountCursor | null {
  const [, touched, notificationId] = CURSOR.exec(text) ?? [];
  const cursor = { touched: Number(touched), notificationId: Number(notificationId) };
  return Number.isSafeInteger(cursor.touched) && Number.isSafeInteger(cursor.notificationId) ? cursor : null;
}

export function formatAccountCursor({ touched, notificationId }: AccountCursor): string {
  return `${touched}-${notificationId}`;
}

/**
 * A cursor beyond the tip was never reached (the database was restored): such a reader is told everything from now on.
 */
export function noFurtherThan(cursor: AccountCursor, tip: AccountCursor): AccountCursor {
  return {
    touched: Math.min(cursor.touched, tip.touched),
    notificationId: Math.min(cursor.notificationId, tip.notificationId),
  };
}
