import type { Database } from '../db/database.ts';
import type { Planner } from '../domain/schedules.ts';
import type { Redis } from '../platform/redis.ts';
import type { TurnFeed } from '../platform/streams/turn-feed.ts';
import type { Logger } from '../platform/telemetry/log.ts';
import type { TurnRuns } from '../platform/temporal/turn-runs.ts';

/**
 * What an operation may need; each takes its part of it, so that the API, an activity and a command can all call it.
 */
export interface OperationDeps {
  readonly database: Database;
  readonly redis: Redis;
  readonly feed: TurnFeed;
  readonly runs: TurnRuns;
  readonly planner: Planner;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  now(): number;
}
