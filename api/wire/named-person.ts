import { z } from 'zod';
import { lookAlikes } from './fields.ts';

/** How a person is named beside what is theirs. */
export const person = z
  .object({
    userId: z.int(),
    email: z.string().nullable(),
    name: z.string().nullable(),
    emailLookAlikes: lookAlikes,
  })
  .meta({ id: 'Person' });
