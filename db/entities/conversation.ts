import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import { sqlIndex } from './postgres.ts';
import { User } from './user.ts';

export const Conversation = defineEntity({
  name: 'Conversation',
  tableName: 'conversations',
  properties: {
    id: p.uuid().primary(),
    user: () => p.manyToOne(User),
    title: p.text().nullable(),
    lastSequence: p.integer().default(0),
    archivedAt: p.datetime().nullable(),
    pinnedAt: p.datetime().nullable(),
    listedAt: p.datetime().nullable(),
    erasedAt: p.datetime().nullable(),
    createdAt: p.datetime().defaultRaw('now()'),
    updatedAt: p.datetime().defaultRaw('now()'),
  },
  checks: [
    {
      name: 'conversations_erased_are_blank',
      expression: 'erased_at is null or (title is null and listed_at is null)',
    },
  ],
  indexes: [
    sqlIndex(
      'conversations_newest_of_user',
      'conversations (user_id, updated_at desc, id desc) where listed_at is not null',
    ),
    sqlIndex(
      'conversations_pinned_of_user',
      'conversations (user_id, updated_at desc, id desc) where pinned_at is not null',
    ),
    sqlIndex('conversations_by_title', 'conversations using gin (search_keys(user_id, title))'),
  ],
});
export type Conversation = InferEntity<typeof Conversation>;

/** What a person says to every answer, or to those of one conversation. The row stays when the text is taken away. */
export const OwnInstructions = defineEntity({
  name: 'OwnInstructions',
  tableName: 'own_instructions',
  properties: {
    id: p.bigint('number').primary().generated('identity'),
    user: () => p.manyToOne(User),
    // Null: those of all conversations.
    conversation: () => p.manyToOne(Conversation).nullable().deleteRule('cascade').updateRule('no action'),
    version: p.integer(),
    text: p.text(),
    tokens: p.integer(),
    updatedAt: p.datetime().defaultRaw('now()'),
  },
  checks: [
    { name: 'own_instructions_version_is_positive', expression: 'version >= 1' },
    { name: 'own_instructions_tokens_are_at_most_300', expression: 'tokens >= 0 and tokens <= 300' },
  ],
  uniques: [
    { name: 'own_instructions_of_person', properties: ['user'], where: 'conversation_id is null' },
    {
      name: 'own_instructions_of_conversation',
      properties: ['conversation'],
      where: 'conversation_id is not null',
    },
  ],
});
export type OwnInstructions = InferEntity<typeof OwnInstructions>;
