import type { AdminStatsActivities } from '../workflows/contract/month.ts';
import type { ActivityDeps } from './deps.ts';

/**
 * Running it twice is harmless: it computes from PostgreSQL and overwrites the cache (G6). The result holds no e-mail,
 * because Temporal keeps it.
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
