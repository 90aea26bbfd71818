import type { Logprobs, ToolCall } from './choice.ts';
import { TOKENS_PER_MESSAGE, TOKENS_PER_PROMPT } from './prompt-tokens.ts';
import { imageTokens, type Vision } from './files/vision.ts';
import type { ImagePart, PromptMessage } from './usage.ts';

/**
 * JSON as text. A schema's names come in the order in which the model shall write them, and PostgreSQL's jsonb keeps no
 * order.
 */
export type JsonText = string;

/** Parameters of the chat completions API that are passed to the provider as they came, by their names there. */
export interface ApiParameters {
  readonly temperature?: number;
  readonly top_p?: number;
  readonly stop?: string | string[];
  readonly seed?: number;
  readonly presence_penalty?: number;
  readonly frequency_penalty?: number;
  readonly logit_bias?: Record<string, number>;
  readonly logprobs?: boolean;
  readonly top_logprobs?: number;
  readonly reasoning_effort?: (typeof REASONING_EFFORTS)[number];
  readonly verbosity?: (typeof VERBOSITIES)[number];
  readonly response_format?: ResponseFormat;
  readonly tools?: readonly ApiTool[];
  readonly tool_choice?: ToolChoice;
  readonly parallel_tool_calls?: boolean;
}

export const REASONING_EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
export const VERBOSITIES = ['low', 'medium', 'high'] as const;

export type ResponseFormat =
  | { readonly type: 'text' | 'json_object' }
  | {
      readonly type: 'json_schema';
      readonly json_schema: {
        readonly name: string;
        readonly description?: string;
        readonly schema?: JsonText;
        readonly strict?: boolean | null;
      };
    };

export interface ApiTool {
  readonly type: 'function';
  readonly function: {
    readonly name: string;
    readonly description?: string;
    readonly parameters?: JsonText;
    readonly strict?: boolean | null;
  };
}

export const TOOL_CHOICES = ['none', 'auto', 'required'] as const;
export type ToolChoice =
  (typeof TOOL_CHOICES)[number] | { readonly type: 'function'; readonly function: { readonly name: string } };

/** A message of a caller who brings all of the prompt, by the names of the chat completions API. */
export type ApiMessage =
  | PromptMessage
  | {
      readonly role: 'assistant';
      readonly content: string | null;
      readonly name?: string;
      readonly refusal?: string;
      readonly tool_calls?: readonly ApiToolCall[];
    }
  | { readonly role: 'tool'; readonly content: string; readonly tool_call_id: string };

export interface ApiToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

/** What a turn of the OpenAI door asks the model. It is stored in PostgreSQL and nowhere else. */
export interface ApiPrompt {
  readonly messages: readonly ApiMessage[];
  readonly parameters: ApiParameters;
}

/** What a turn of the OpenAI door answered beside its text. It is kept and erased with its prompt. */
export interface ApiAnswer {
  readonly refusal: string | null;
  readonly calls: readonly ToolCall[];
  readonly logprobs: Logprobs | null;
  /** The provider's word for the end. */
  readonly finish: string;
  /** Parts of the usage that the turn's row holds. */
  readonly cachedTokens: number;
  readonly reasoningTokens: number;
}

/** What is set aside for the frame that a provider puts around each tool, beside the tool's own JSON. */
const TOKENS_PER_TOOL = 12;

/** All text of a prompt that the model reads, to be counted. */
export function textOfPrompt({ messages, parameters: { response_format, tools } }: ApiPrompt): string {
  const texts = messages.flatMap(textsOf);
  const schemas = [response_format, tools].filter((part) => part !== undefined).map((part) => JSON.stringify(part));
  return [...texts, ...schemas].join('\n');
}

function textsOf(message: ApiMessage): string[] {
  const { content } = message;
  const isParts = typeof content === 'object' && content !== null;
  const texts = [isParts ? content.map((part) => (part.type === 'text' ? part.text : '')).join('') : (content ?? '')];
  if ('name' in message && message.name !== undefined) texts.push(message.name);
  if ('refusal' in message && message.refusal !== undefined) texts.push(message.refusal);
  if ('tool_calls' in message && message.tool_calls !== undefined) texts.push(JSON.stringify(message.tool_calls));
  if (message.role === 'tool') texts.push(message.tool_call_id);
  return texts;
}

/** The images of a prompt. */
export function imagesOf({ messages }: Pick<ApiPrompt, 'messages'>): ImagePart[] {
  return messages.flatMap(({ content }) =>
    typeof content === 'object' && content !== null ? content.filter((part) => part.type === 'image_url') : [],
  );
}

/** @param vision of the model; null where it sees no images, and then there are none. */
function imageTokensOf(images: readonly ImagePart[], vision: Vision | null): number {
  return images.reduce(
    (sum, { size, image_url: { detail } }) =>
      sum + (vision === null || size === undefined ? 0 : imageTokens(vision, size, detail)),
    0,
  );
}

/**
 * The tokenizer count of a prompt, from the count of `textOfPrompt`.
 * @param vision how the model's provider counts images.
 */
export function promptTokens(textTokens: number, prompt: ApiPrompt, vision: Vision | null): number {
  const { messages, parameters } = prompt;
  const tools = (parameters.tools ?? []).length * TOKENS_PER_TOOL;
  const images = imageTokensOf(imagesOf(prompt), vision);
  return textTokens + messages.length * TOKENS_PER_MESSAGE + TOKENS_PER_PROMPT + tools + images;
}

/** For so long a turn whose connection was lost goes on, and its client's own retry joins it. */
export const RETRY_JOINS_FOR_SECONDS = 60;
