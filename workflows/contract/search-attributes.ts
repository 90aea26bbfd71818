import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** The attributes that the Temporal UI filters by: ids and codes only, because search attributes are not encrypted. */
export const SEARCH_ATTRIBUTES = {
  userId: defineSearchAttributeKey('UserId', SearchAttributeType.KEYWORD),
  conversationId: defineSearchAttributeKey('ConversationId', SearchAttributeType.KEYWORD),
  model: defineSearchAttributeKey('Model', SearchAttributeType.KEYWORD),
  turnError: defineSearchAttributeKey('TurnError', SearchAttributeType.KEYWORD),
  replayed: defineSearchAttributeKey('Replayed', SearchAttributeType.BOOL),
} as const;
