import { sql } from 'kysely';
import type { Instant } from '../../domain/period.ts';
import { levelOf, usagePercent } from '../../domain/policy.ts';
import type { TokenStats } from '../../domain/token-stats.ts';
import { instantOf, one, type Database } from '../database.ts';

const TOP_USERS = 100;

/**
 * The admins' statistics, computed from accounts and their open periods in one statement. Neither the ledger nor closed
 * periods are read, so the cost does not grow with the age of the service (G33). Shares are compared as integers, like
 * levels.
 */
export async function readTokenStats(database: Database): Promise<TokenStats> {
  const on = database.reads;
  const row = await one(
    sql<Row>`
    with standing as materialized (
      select a.user_id, a.purchased_tokens as purchased, coalesce(p.used_tokens, 0) as used,
        a.purchased_tokens + coalesce(p.allowance_tokens + p.spent_purchased_tokens, a.monthly_allowance_tokens) as total
      from accounts a left join periods p on p.account_id = a.id and p.ends_at > ${on.clock()}
    ), top as (
      select s.user_id::float8 as "userId", u.email, s.used::float8 as "usedTokens", s.purchased::float8 as "purchasedTokens", s.total::float8 as "totalAvailable"
      from (select * from standing order by used desc, user_id limit ${TOP_USERS}) s join users u on u.id = s.user_id
    )
    select count(*)::int as "totalUsers", count(*) filter (where used > 0)::int as "activeUsers",
      coalesce(sum(used), 0)::float8 as "totalUsedTokens", coalesce(sum(purchased), 0)::float8 as "totalPurchasedTokens",
      count(*) filter (where used * 100 < total * 50)::int as "below50", count(*) filter (where used * 100 < total * 80)::int as "below80",
      count(*) filter (where used * 100 < total * 90)::int as "below90", count(*) filter (where used * 100 < total * 95)::int as "below95",
      (select coalesce(jsonb_agg(to_jsonb(top) order by "usedTokens" desc, "userId"), '[]') from top) as "topUsers", ${instantOf(on)} as "asOf"
    from standing`,
    on,
  );
  const { totalUsers, activeUsers, totalUsedTokens, totalPurchasedTokens, below50, below80, below90, below95 } = row;
  return {
    overview: {
      totalUsers,
      activeUsers,
      totalUsedTokens,
      totalPurchasedTokens,
      averageUsedTokens: totalUsers === 0 ? 0 : Math.round(totalUsedTokens / totalUsers),
    },
    distribution: {
      under50: below50,
      under80: below80 - below50,
      under90: below90 - below80,
      under95: below95 - below90,
      over95: totalUsers - below95,
    },
    topUsers: row.topUsers.map((user) => ({
      ...user,
      remainingTokens: Math.max(0, user.totalAvailable - user.usedTokens),
      usagePercent: usagePercent(user.usedTokens, user.totalAvailable),
      level: levelOf(user.usedTokens, user.totalAvailable),
    })),
    asOf: row.asOf,
  };
}

interface Row {
  asOf: Instant;
  totalUsers: number;
  activeUsers: number;
  totalUsedTokens: number;
  totalPurchasedTokens: number;
  below50: number;
  below80: number;
  below90: number;
  below95: number;
  topUsers: {
    userId: number;
    email: string | null;
    usedTokens: number;
    purchasedTokens: number;
    totalAvailable: number;
  }[];
}
