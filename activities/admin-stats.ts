import type { AdminStatsActivities } from '../workflows/contract/month.ts';
import type { ActivityDeps } from './deps.ts';

/**
 * A rebuild is computed from PostgreSQL and SET (G6): running it twice is harmless. No e-mail leaves it: Temporal keeps
 * what it returns.
 */
export function createRefreshAdminStats({
  stats,
  log,
}: Pick<ActivityDeps, 'stats' | 'log'>): AdminStatsActivities['refreshAdminStats'] {
  return async () => {
    const {
      stats: { overview, distribution, asOf },
      cached,
    } = await stats.refresh();
    if (!cached) log.warn({ asOf }, 'Redis did not take the statistics; who asks computes them');
    return { ...overview, ...distribution, asOf: new Date(asOf).toISOString(), cached };
  };
}
