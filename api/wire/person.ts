import { z } from 'zod';
import { LOCALES } from '../../domain/messages.ts';
import { MOST_NAME, NAME_RULE, parseName } from '../../domain/people.ts';
import { reason } from './audit.ts';
import { idText, instant, text } from './fields.ts';

const name = z
  .string()
  .meta({ override: { minLength: 1, maxLength: MOST_NAME, pattern: '\\S' }, example: '김민지' })
  .transform((text, context) => {
    const parsed = parseName(text);
    if (parsed === null) context.addIssue({ code: 'custom', message: NAME_RULE });
    return parsed ?? '';
  });

/** One search for people, the same wherever there is one. */
export const who = text(320).meta({
  description: 'A number, or the beginning of an e-mail or a name, in any case',
  example: '김민',
});

const role = z.enum(['user', 'admin']);

export const newPersonBody = z
  .strictObject({
    email: z.string().min(1).max(320).nullable().default(null).meta({ example: 'minji@example.com' }),
    name: name.nullable().default(null),
    role: role.default('user'),
    locale: z.enum(LOCALES).default('ko'),
    timeZone: z.string().min(1).max(100).default('Asia/Seoul').meta({ description: 'IANA name' }),
  })
  .refine(({ email, name }) => email !== null || name !== null, {
    path: ['email'],
    message: 'give an e-mail or a name: who has neither is never found again',
  })
  .meta({ id: 'NewPerson' });

export const personChangeBody = z
  .strictObject({ name: name.nullable().optional(), role: role.optional(), reason })
  .refine(({ name, role }) => name !== undefined || role !== undefined, 'must change something')
  .meta({ id: 'PersonChange', example: { name: '김하늘', reason: 'asked for it' } });

export const invitationBody = z
  .strictObject({
    by: z.enum(['link', 'mail']).meta({ description: '`link`: a link to copy; `mail`: one to the person’s e-mail' }),
  })
  .meta({ id: 'NewInvitation' });

export const invitation = z
  .object({
    invitationId: z.uuid(),
    url: z.string().nullable().meta({
      description: 'The link to hand over, told this once; a path where `PUBLIC_URL` is not set. null: it went by mail',
      example: 'https://chat.example.com/invite#MDE5…',
    }),
    sentTo: z.string().nullable(),
    expiresAt: instant,
  })
  .meta({ id: 'Invitation' });

export const acceptBody = z
  .strictObject({ token: z.string().min(1).max(400).meta({ description: 'What stands behind the # of the link' }) })
  .meta({ id: 'AcceptInvitation' });

export const accepted = z
  .object({
    userId: z.int(),
    token: z.string().meta({ description: 'The person’s key to sign in by; told this once', example: 'tk_…' }),
  })
  .meta({ id: 'AcceptedInvitation' });

export const personKeyParams = z.object({ userId: idText, keyId: idText });
export const revocationBody = z.strictObject({ reason }).meta({ id: 'KeyRevocation' });
