/**
 * What an answer used as the provider says, in its tokens. Cached tokens lie inside prompt tokens, reasoning inside
 * completion tokens.
 */
export interface Usage {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
}

/** One message as the model gets it. */
export interface PromptMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}
