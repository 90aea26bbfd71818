import { z } from 'zod';

const word = z.enum(['ok', 'down', 'degraded']);

export const alive = z.object({ status: z.literal('ok') });

export const ready = z.object({
  status: z.literal('ready'),
  postgresql: word,
  temporal: word,
  redis: word,
  clock: z.enum(['ok', 'wrong']).meta({ description: 'Of this process, beside PostgreSQL’s' }),
});
