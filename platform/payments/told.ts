import { z } from 'zod';

/**
 * A word of a provider, or of whoever says to be one: some webhooks are signed by nobody. What PostgreSQL cannot hold
 * is none.
 */
export const told = z
  .string()
  .min(1)
  .max(200)
  .refine((word) => word.isWellFormed() && !word.includes('\0'), 'is no text');
