import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { ApiKey } from './api-key.ts';
import { User } from '../user.ts';

/** A link by which a person whom an admin has made signs in for the first time. Its token is signed, not kept. */
export const Invitation = defineEntity({
  name: 'Invitation',
  tableName: 'invitations',
  properties: {
    id: p.uuid().primary(),
    user: () => p.manyToOne(User).updateRule('no action').deleteRule('no action'),
    /** Null: by the CLI. */
    invitedBy: () => p.manyToOne(User).nullable().updateRule('no action').deleteRule('no action'),
    /** Its link went to their mailbox, and to nobody else. */
    byMail: p.boolean(),
    /** The key that it has given. */
    key: () => p.manyToOne(ApiKey).nullable().updateRule('no action').deleteRule('no action'),
    createdAt: p.datetime(),
    expiresAt: p.datetime(),
    /** Given up for a later one. */
    endedAt: p.datetime().nullable(),
  },
  indexes: [{ name: 'invitations_of_user', properties: ['user', 'createdAt'] }],
});
export type Invitation = InferEntity<typeof Invitation>;
