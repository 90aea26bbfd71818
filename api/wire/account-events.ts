import { z } from 'zod';
import { usageState } from './account.ts';
import { uuid } from './fields.ts';
import { notification } from './notification.ts';
import { turnState } from './turn.ts';

/** `data` of each event of an account's feed. */
export const accountEvents = {
  usage: usageState,
  turn: z
    .object({ turnId: uuid, conversationId: uuid, state: turnState, attempt: z.int().min(0) })
    .meta({ id: 'TurnChangedEvent', description: 'The state it is in now' }),
  notification,
};
