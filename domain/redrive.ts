/** States of a replay of many turns. In `cancelling`, turns that run may end, and no more are begun. */
export const REDRIVE_STATES = ['running', 'paused', 'cancelling', 'completed', 'cancelled'] as const;
export type RedriveState = (typeof REDRIVE_STATES)[number];

/** States of one turn in a redrive. `waiting` once the redrive is over means that the turn was not replayed. */
export const REDRIVE_TURN_STATES = ['waiting', 'running', 'completed', 'stopped', 'failed', 'skipped'] as const;
export type RedriveTurnState = (typeof REDRIVE_TURN_STATES)[number];

/**
 * Why a turn was not replayed. `api`: it came through the OpenAI door, and nobody waits for it any more. `busy`: its
 * conversation was busy for as long as it was tried.
 */
export const SKIP_REASONS = ['superseded', 'suspended', 'busy', 'not_failed', 'api', 'erased'] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/** What an admin may do with a redrive, and from which states. From any other state nothing happens. */
export const REDRIVE_STEPS = {
  paused: ['running'],
  running: ['paused'],
  cancelling: ['running', 'paused'],
} as const satisfies Partial<Record<RedriveState, readonly RedriveState[]>>;

export type RedriveStep = keyof typeof REDRIVE_STEPS;

/** How many turns of a redrive are in each state. Together they are all of its turns. */
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
 * How many turns of a redrive run at once. By default it is the number of background slots, so that people's turns are
 * not crowded out.
 */
export const REDRIVE_WINDOW = 20;

/** All turns of a redrive, in whatever state. */
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

/** The turns of a redrive with which nothing more happens. */
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
