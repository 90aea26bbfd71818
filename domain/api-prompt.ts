import { TOKENS_PER_MESSAGE, TOKENS_PER_PROMPT } from './prompt-tokens.ts';
import type { PromptMessage } from './usage.ts';

/** Parameters of the chat completions API that are passed to the provider as they came, by their names there. */
export interface ApiParameters {
  readonly temperature?: number;
  readonly top_p?: number;
  readonly stop?: string | string[];
  readonly seed?: number;
  readonly presence_penalty?: number;
  readonly frequency_penalty?: number;
  readonly logit_bias?: Record<string, number>;
  readonly reasoning_effort?: (typeof REASONING_EFFORTS)[number];
  readonly verbosity?: (typeof VERBOSITIES)[number];
  readonly response_format?: ResponseFormat;
}

export const REASONING_EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] as const;
export const VERBOSITIES = ['low', 'medium', 'high'] as const;

export type ResponseFormat =
  | { readonly type: 'text' | 'json_object' }
  | {
      readonly type: 'json_schema';
      readonly json_schema: {
        readonly name: string;
        readonly description?: string;
        readonly schema?: Record<string, unknown>;
        readonly strict?: boolean | null;
      };
    };

/** What a turn of the OpenAI door asks the model. It is stored in PostgreSQL and nowhere else. */
export interface ApiPrompt {
  readonly messages: readonly PromptMessage[];
  readonly parameters: ApiParameters;
}

/** All text of a prompt that the model reads, to be counted. */
export function textOfPrompt({ messages, parameters }: ApiPrompt): string {
  const texts = messages.flatMap(({ name, content }) => (name === undefined ? [content] : [name, content]));
  const format = parameters.response_format;
  return [...texts, ...(format === undefined ? [] : [JSON.stringify(format)])].join('\n');
}

/** The tokenizer count of a prompt, from the count of `textOfPrompt`. */
export function promptTokens(textTokens: number, { messages }: Pick<ApiPrompt, 'messages'>): number {
  return textTokens + messages.length * TOKENS_PER_MESSAGE + TOKENS_PER_PROMPT;
}

/** For so long a turn whose connection was lost goes on, and its client's own retry joins it. */
export const RETRY_JOINS_FOR_SECONDS = 60;
