import type { ScheduleKind } from '../../domain/schedules.ts';

/**
 * The activity behind one schedule for many accounts: per zone for resets, one for all hourly checks. Each account is
 * judged as by a firing of its own.
 */
export interface FanOutActivities {
  /** Fires the next accounts that are due. Repeating is harmless: who is done is not due any more, or finds it done. */
  fireDue(input: FanOut & { readonly firedFor: number; readonly after: number }): Promise<FiredBatch>;
}

/** What one schedule fires. */
export interface FanOut {
  readonly kind: ScheduleKind;
  /** The IANA zone whose accounts are due; null: all zones. */
  readonly timeZone: string | null;
}

export interface FiredBatch {
  /** How many accounts, by what the firing did. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Accounts whose firing failed. They are due again at the next one; others go on. */
  readonly failed: number;
  /** The last account of the batch; null when there is none behind it. */
  readonly after: number | null;
}

/** How far a fan-out has come, for the run that goes on with it. */
export interface FanOutProgress {
  readonly firedFor: number;
  readonly after: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly failed: number;
}
