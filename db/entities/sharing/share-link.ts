import { defineEntity, p, type InferEntity } from '@mikro-orm/core';
import type { SharedMessage } from '../../../domain/sharing.ts';
import { Conversation } from '../conversation.ts';
import { Turn } from '../turn.ts';

/** A copy of a conversation that anybody with its token may read. All of it goes with the conversation. */
export const ShareLink = defineEntity({
  name: 'ShareLink',
  tableName: 'share_links',
  properties: {
    id: p.uuid().primary(),
    conversation: () => p.manyToOne(Conversation).updateRule('no action').deleteRule('no action'),
    /** The last turn of the copy. */
    turn: () => p.manyToOne(Turn).updateRule('no action').deleteRule('no action'),
    /** SHA-256 of the token, which itself is nowhere. */
    tokenHash: p.blob().$type<Buffer>(),
    title: p.text().nullable(),
    messages: p.json<readonly SharedMessage[]>(),
    createdAt: p.datetime().defaultRaw('now()'),
    expiresAt: p.datetime(),
  },
  uniques: [{ name: 'share_links_token_is_unique', properties: ['tokenHash'] }],
  indexes: [
    { name: 'share_links_of_conversation', properties: ['conversation', 'id'] },
    { name: 'share_links_by_expiry', properties: ['expiresAt'] },
  ],
});
export type ShareLink = InferEntity<typeof ShareLink>;
