import type { TurnFailureCode } from '../errors.ts';
import type { Told } from './letters.ts';

/** A turn that failed, for the operator: ids and words, never what was asked. */
export interface FailedTurn {
  readonly kind: 'turn.failed';
  readonly figures: {
    readonly turnId: string;
    readonly code: TurnFailureCode;
    readonly model: string;
    readonly attempt: number;
  };
}

/** What an endpoint gets when its owner presses its test button. */
export interface TestEvent {
  readonly kind: 'endpoint.test';
  readonly figures: Readonly<Record<string, never>>;
}

export type Event = Told | FailedTurn | TestEvent;

/**
 * The body of a webhook: what happened, when, and its figures. Instants are ISO 8601 in UTC.
 * @param at when it was decided, milliseconds.
 */
export function eventBody({ kind, figures }: Event, { userId, at }: { userId: number; at: number }): string {
  const data = Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, isInstant(name, value) ? isoOf(value) : value]),
  );
  return JSON.stringify({ type: kind, timestamp: isoOf(at), data: { userId, ...data } });
}

/** Figures are numbers, and those whose name ends in `At` are instants. */
function isInstant(name: string, value: unknown): value is number {
  return typeof value === 'number' && name.endsWith('At');
}

function isoOf(at: number): string {
  return new Date(at).toISOString();
}
