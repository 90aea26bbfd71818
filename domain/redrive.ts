/** A replay of many turns. `cancelling`: what runs may end, nothing more is begun. */
export const REDRIVE_STATES = ['running', 'paused', 'cancelling', 'completed', 'cancelled'] as const;
export type RedriveState = (typeof REDRIVE_STATES)[number];

/** Of one turn in it. `waiting` once the redrive is over: not done. */
export const REDRIVE_TURN_STATES = ['waiting', 'running', 'completed', 'stopped', 'failed', 'skipped'] as const;
export type RedriveTurnState = (typeof REDRIVE_TURN_STATES)[number];

/** Why a turn was left as it was when its time came. `busy`: its conversation was, for as long as it was tried. */
export const SKIP_REASONS = ['superseded', 'suspended', 'busy', 'not_failed'] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/** What an admin may ask of a redrive, and from which states it takes effect; elsewhere it stays as it is. */
export const REDRIVE_STEPS = {
  paused: ['running'],
  running: ['paused'],
  cancelling: ['running', 'paused'],
} as const satisfies Partial<Record<RedriveState, readonly RedriveState[]>>;

export type RedriveStep = keyof typeof REDRIVE_STEPS;

/** How many turns of it stand where; together they are all of it. */
export interface RedriveProgress {
  readonly state: RedriveState;
  readonly waiting: number;
  readonly running: number;
  readonly completed: number;
  readonly stopped: number;
  readonly failed: number;
  readonly skipped: Readonly<Record<SkipReason, number>>;
}

export const RATE_PER_SECOND = { default: 5, most: 50 } as const;
export const REDRIVE_LIMIT = { default: 1_000, most: 10_000 } as const;
/**
 * Turns of a redrive that run at once: as many as the background has slots by default, so that people's turns are not
 * crowded out.
 */
export const REDRIVE_WINDOW = 20;

/** All turns of a redrive, wherever they stand. */
export function countTurns({
  waiting,
  running,
  completed,
  stopped,
  failed,
  skipped,
}: Omit<RedriveProgress, 'state'>): number {
  return waiting + running + countDone({ completed, stopped, failed, skipped });
}

/** Those with which nothing more happens. */
export function countDone({
  completed,
  stopped,
  failed,
  skipped,
}: Pick<RedriveProgress, 'completed' | 'stopped' | 'failed' | 'skipped'>): number {
  return completed + stopped + failed + countSkipped({ skipped });
}

export function countSkipped({ skipped }: Pick<RedriveProgress, 'skipped'>): number {
  return Object.values(skipped).reduce((sum, count) => sum + count, 0);
}

export function isOver({ state }: { state: RedriveState }): boolean {
  return state === 'completed' || state === 'cancelled';
}
