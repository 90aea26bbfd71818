import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { LOCALES } from '../../domain/messages.ts';
import { sqlIndex } from './postgres.ts';

export const User = defineEntity({
  name: 'User',
  tableName: 'users',
  properties: {
    id: p.bigint('number').primary().generated('by default as identity'),
    email: p.text().nullable(),
    role: p.enum(['user', 'admin']).default('user'),
    locale: p.enum(LOCALES).default('ko'),
    createdAt: p.datetime().defaultRaw('now()'),
    issuer: p.text().nullable(),
    subject: p.text().nullable(),
    claimsAt: p.datetime().nullable(),
    name: p.text().nullable(),
    // To five minutes.
    lastSeenAt: p.datetime().nullable(),
  },
  checks: [
    { name: 'users_email_is_lower_case', expression: 'email = lower(email)' },
    {
      name: 'users_issuer_and_subject_go_together',
      expression: '(issuer is null) = (subject is null) and (issuer is null) = (claims_at is null)',
    },
    { name: 'users_subject_is_one_to_255_long', expression: 'length(subject) >= 1 and length(subject) <= 255' },
    { name: 'users_name_is_one_to_100_long', expression: 'length(name) >= 1 and length(name) <= 100' },
  ],
  uniques: [
    { name: 'users_one_per_issuer_and_subject', properties: ['issuer', 'subject'] },
    { name: 'users_email_is_unique', properties: ['email'], where: 'issuer is null' },
  ],
  indexes: [
    sqlIndex('users_by_email_prefix', 'users (email text_pattern_ops)'),
    sqlIndex('users_by_name_prefix', 'users (lower(name) text_pattern_ops)'),
    sqlIndex('users_in_order_of_email', `users ((coalesce(email, '') collate "C"), id)`),
    sqlIndex('users_by_last_seen', `users ((coalesce(last_seen_at, '-infinity'::timestamptz)), id)`),
  ],
});
export type User = InferEntity<typeof User>;
