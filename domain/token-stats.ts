import type { Level } from './policy.ts';
import type { Instant } from './period.ts';

/**
 * Who has used how much in their open periods, over all accounts. An account whose stored period has ended counts as
 * used 0 (docs/api.md, Admin stats).
 */
export interface TokenStats {
  readonly overview: {
    readonly totalUsers: number;
    /** Users who have used more than 0. */
    readonly activeUsers: number;
    readonly totalUsedTokens: number;
    /** Sum of the purchased balances. */
    readonly totalPurchasedTokens: number;
    /** Mean over all users, rounded. */
    readonly averageUsedTokens: number;
  };
  /** Users by percent used, half-open: [0, 50), [50, 80), [80, 90), [90, 95), 95 and up. */
  readonly distribution: {
    readonly under50: number;
    readonly under80: number;
    readonly under90: number;
    readonly under95: number;
    readonly over95: number;
  };
  /** At most 100 users: most used first, then by user id. */
  readonly topUsers: readonly TopUser[];
  readonly asOf: Instant;
}

export interface TopUser {
  readonly userId: number;
  readonly email: string | null;
  readonly usedTokens: number;
  readonly purchasedTokens: number;
  readonly totalAvailable: number;
  readonly remainingTokens: number;
  readonly usagePercent: number;
  readonly level: Level;
}
