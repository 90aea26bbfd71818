import type { Logger } from '../platform/log.ts';
import type { Database } from '../db/database.ts';
import type { Encoding, PricedModel } from '../domain/model.ts';
import type { Planner } from '../domain/schedules.ts';
import type { ModelClient } from '../platform/model.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Redis } from '../platform/redis.ts';
import type { StatsCache } from '../platform/stats-cache.ts';
import type { TurnRuns } from '../platform/temporal.ts';
import type { TurnFeed } from '../platform/turn-feed.ts';
import type {
  AdminStatsActivities,
  MonthActivities,
  ReconcileActivities,
  RedriveActivities,
  TurnActivities,
} from '../workflows/contract.ts';
import { createRefreshAdminStats } from './admin-stats.ts';
import { guard } from './guard.ts';
import { createGenerate } from './generate.ts';
import { createMonthSteps } from './month-steps.ts';
import { createReconcileTurns } from './reconcile-turns.ts';
import { createRedriveSteps } from './redrive-steps.ts';
import { createTurnSteps } from './turn-steps.ts';

/** Everything the side effects need, wired by hand in main.ts. */
export interface ActivityDeps {
  readonly database: Database;
  readonly redis: Redis;
  readonly feed: TurnFeed;
  readonly model: ModelClient;
  readonly models: readonly PricedModel[];
  countTokens(text: string, encoding: Encoding): number;
  readonly runs: TurnRuns;
  readonly planner: Planner;
  readonly stats: StatsCache;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch; tests of time inject theirs. */
  now(): number;
  readonly reconcile: { readonly quietMs: number };
  /** The page where a person buys tokens. */
  readonly purchaseUrl: string;
}

export type Activities = TurnActivities &
  MonthActivities &
  ReconcileActivities &
  AdminStatsActivities &
  RedriveActivities;

/** Each is safe to run twice; what they throw is typed and carries no text of a chat. */
export function createActivities(deps: ActivityDeps): Activities {
  const { reserveTurn, settleTurn, releaseTurn } = createTurnSteps(deps);
  const { advanceRedrive, moveRedrive } = createRedriveSteps(deps);
  const { armSchedules, resetAllowance, checkUsage, repairSchedules } = createMonthSteps(deps);
  return {
    reserveTurn: guard(deps.log, 'reserveTurn', reserveTurn),
    generate: guard(deps.log, 'generate', createGenerate(deps)),
    settleTurn: guard(deps.log, 'settleTurn', settleTurn),
    releaseTurn: guard(deps.log, 'releaseTurn', releaseTurn),
    armSchedules: guard(deps.log, 'armSchedules', armSchedules),
    resetAllowance: guard(deps.log, 'resetAllowance', resetAllowance),
    checkUsage: guard(deps.log, 'checkUsage', checkUsage),
    repairSchedules: guard(deps.log, 'repairSchedules', repairSchedules),
    reconcileTurns: guard(deps.log, 'reconcileTurns', createReconcileTurns(deps)),
    advanceRedrive: guard(deps.log, 'advanceRedrive', advanceRedrive),
    moveRedrive: guard(deps.log, 'moveRedrive', moveRedrive),
    refreshAdminStats: guard(deps.log, 'refreshAdminStats', createRefreshAdminStats(deps)),
  };
}
