import type { Detail, Size } from './files/vision.ts';

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

/** One message as the model gets it. Only a question may have parts. */
export interface PromptMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant';
  readonly content: string | readonly PromptPart[];
  readonly name?: string;
}

/** Text, or an image with its bytes in its address (`data:image/png;base64,…`), as the chat completions API has it. */
export type PromptPart = TextPart | ImagePart;
export interface ImagePart {
  readonly type: 'image_url';
  readonly image_url: { readonly url: string; readonly detail?: Detail };
  /** What its header says, so that it can be counted; it goes to no provider. */
  readonly size?: Size;
}
export interface TextPart {
  readonly type: 'text';
  readonly text: string;
}
