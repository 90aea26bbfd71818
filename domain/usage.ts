/**
 * What an answer used, in the model's tokens. Cached tokens lie inside prompt tokens, reasoning inside completion
 * tokens.
 */
export interface Usage {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
}

/** The same as a provider says it. A half that it did not say, or that cannot be a count, is null. */
export interface ReportedUsage {
  readonly promptTokens: number | null;
  readonly cachedTokens: number;
  readonly completionTokens: number | null;
  readonly reasoningTokens: number;
}

/** The provider's own figures by their names, whatever they are. They are kept where they do not count. */
export type UsageFigures = Readonly<Record<string, number | string>>;

/** One message as the model gets it. */
export interface PromptMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant';
  readonly content: string;
  readonly name?: string;
}
