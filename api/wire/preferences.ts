import { z } from 'zod';
import { NOTIFICATION_KINDS, SWITCHED_CHANNELS } from '../../domain/channels/kinds.ts';
import { MAIL_ADDRESS_RULE, mailAddressOf } from '../../domain/channels/mail-address.ts';
import { instant } from './fields.ts';

const kind = z.enum(NOTIFICATION_KINDS).meta({ description: 'What you are told of' });
const channel = z.enum(SWITCHED_CHANNELS);

export const preferences = z
  .object({
    email: z.object({
      available: z.boolean().meta({ description: 'Whether this service sends mail at all' }),
      address: z.string().nullable().meta({
        description:
          'Where your mail goes: confirmed by a link, or verified by your sign-in provider; null: nowhere yet',
      }),
      refused: z.boolean().meta({
        description: 'The address has refused our mail for good. Confirm it again, or another one, to get mail',
      }),
      change: z
        .object({
          address: z.string(),
          expiresAt: instant,
          newConfirmed: z.boolean(),
          oldConfirmed: z.boolean().nullable().meta({ description: 'null: there is no old address to confirm it' }),
        })
        .nullable()
        .meta({ description: 'A new address that its mailboxes have not all confirmed yet' }),
    }),
    items: z.array(
      z.object({
        kind,
        channel,
        enabled: z.boolean(),
        locked: z.boolean().meta({ description: 'Money and security: it cannot be switched off' }),
      }),
    ),
  })
  .meta({ id: 'NotificationPreferences' });

export const preferencesBody = z
  .strictObject({
    items: z
      .array(z.strictObject({ kind, channel, enabled: z.boolean(), locked: z.boolean().optional() }))
      .max(100)
      .meta({ description: 'Those that are named change, the others stay' }),
    email: z.unknown().optional().meta({ description: 'Ignored, so that what was read can be sent back' }),
  })
  .meta({ id: 'UpdateNotificationPreferences' });

export const addressBody = z
  .strictObject({
    email: z
      .string()
      .max(320)
      .meta({ example: 'you@example.com', override: { format: 'email' } })
      .transform((text, context) => {
        const address = mailAddressOf(text.trim());
        if (address === null) context.addIssue({ code: 'custom', message: MAIL_ADDRESS_RULE });
        return address ?? '';
      }),
  })
  .meta({ id: 'ChangeAddress' });
