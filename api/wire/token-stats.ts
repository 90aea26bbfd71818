import { z } from 'zod';
import { LEVELS } from '../../domain/policy.ts';
import { usageState } from './account.ts';
import { instant, lookAlikes, tokens } from './fields.ts';

const users = z.int().min(0).meta({ description: 'Users' });
const sum = z.number().min(0).meta({ description: 'Metered tokens of all users' });
const userId = z.int().min(1);
const email = z.string().nullable();
const asOf = instant.meta({ description: 'When these figures were computed' });

export const tokenStats = z
  .object({
    overview: z.object({
      totalUsers: users,
      activeUsers: users.meta({ description: 'Used more than 0 in their current period' }),
      totalUsedTokens: sum,
      totalPurchasedTokens: sum.meta({ description: 'Sum of the purchased tokens not yet spent' }),
      averageUsedTokens: tokens.meta({ description: 'Over all users, rounded' }),
    }),
    distribution: z
      .object({ under50: users, under80: users, under90: users, under95: users, over95: users })
      .meta({ description: 'Users by percent used, half-open: 0-50, 50-80, 80-90, 90-95, 95 and up' }),
    topUsers: z
      .array(
        z.object({
          userId,
          email,
          name: z.string().nullable(),
          emailLookAlikes: lookAlikes,
          usedTokens: tokens,
          purchasedTokens: tokens,
          totalAvailable: tokens,
          remainingTokens: tokens,
          usagePercent: z.number().min(0),
          level: z.enum(LEVELS),
        }),
      )
      .max(100)
      .meta({ description: 'usedTokens descending, then userId' }),
    asOf,
  })
  .meta({
    id: 'TokenStats',
    description: 'Current periods of all accounts; one whose stored period has ended counts as used 0',
  });

export const userTokenStats = usageState.extend({ userId, email, asOf }).meta({ id: 'UserTokenStats' });
