import { z } from 'zod';
import { isInRange, RANGE } from '../../domain/period.ts';
import { errorCode } from './error.ts';
import { idText, instant, uuid } from './fields.ts';
import { turnState } from './turn.ts';

const time = instant
  .refine((text) => isInRange(Date.parse(text)), `must be ${RANGE}`)
  .transform((text) => Date.parse(text));

const fields = {
  state: turnState.optional(),
  code: errorCode.optional().meta({ description: 'Why it failed or was refused' }),
  conversationId: uuid.optional(),
  model: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[\x20-\x7e]+$/)
    .optional(),
  from: time.optional().meta({ description: `Accepted at or after; ${RANGE}` }),
  to: time.optional().meta({ description: `Accepted before; ${RANGE}` }),
};

const REPLAYED = 'Whether it was run again after a failure by an admin’s replay or a reset in the Temporal UI';

/** The filter in a body. */
export const turnFilter = z
  .strictObject({
    ...fields,
    userId: z.int().min(1).optional(),
    replayed: z.boolean().optional().meta({ description: REPLAYED }),
  })
  .meta({ id: 'TurnFilter', description: 'Which turns; an absent part means any' });

/** The filter in a query string, where everything is text. */
export const turnFilterQuery = {
  ...fields,
  userId: idText.optional(),
  replayed: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional()
    .meta({ description: REPLAYED }),
};
