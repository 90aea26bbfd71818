import type { Database } from '../db/database.ts';
import type { Planner } from '../domain/schedules.ts';
import type { Redis } from '../platform/redis.ts';
import type { TurnFeed } from '../platform/streams/turn-feed.ts';
import type { Redrives } from '../platform/temporal/redrives.ts';
import type { TurnRuns } from '../platform/temporal/turn-runs.ts';

/** What operations may need. Each takes only its part, so that the API, an activity and a command can all call it. */
export interface OperationDeps {
  readonly database: Database;
  readonly redis: Pick<Redis, 'ask'>;
  readonly feed: Pick<TurnFeed, 'announce'>;
  readonly runs: Pick<TurnRuns, 'start' | 'cancel'>;
  readonly redrives: Pick<Redrives, 'start' | 'signal'>;
  readonly planner: Pick<Planner, 'arm'>;
  /** How long who writes waits until the schedules are armed; 2,000 ms unless told. */
  readonly armWithinMs?: number;
  readonly log: Warnings;
}

/** Is told what did not happen now and will be made up for later: a log, or the standard error of a command. */
export interface Warnings {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}
