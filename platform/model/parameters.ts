import type {
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import type { ApiMessage, ApiParameters, JsonText } from '../../domain/api-prompt.ts';
import type { Model } from '../../domain/model.ts';
import type { PromptMessage, PromptPart } from '../../domain/usage.ts';
import type { Ask, ModelRequest } from './exchange.ts';

/**
 * What a model is asked for, in the dialect that the catalogue names.
 * @param asksForUsage whether `stream_options` may be sent.
 */
export function parametersOf(
  request: Ask & Pick<ModelRequest, 'model' | 'outputLimit'>,
  asksForUsage: boolean,
): ChatCompletionCreateParamsStreaming {
  const { model, outputLimit } = request;
  return {
    model: model.name,
    ...(request.parameters === undefined
      ? { messages: messagesFor(model, request.messages) }
      : { ...passedOn(request.parameters), messages: request.messages.map(passMessage) }),
    [model.limitField]: outputLimit,
    stream: true,
    ...(asksForUsage ? { stream_options: { include_usage: true } } : {}),
  };
}

function messagesFor({ systemRole }: Model, messages: readonly PromptMessage[]): ChatCompletionMessageParam[] {
  const [first, question, ...rest] = messages;
  if (first?.role !== 'system' || systemRole === 'system') return messages.map(plain);
  if (systemRole === 'merged' && question !== undefined)
    return [{ ...question, content: inFront(textOf(first), question.content) }, ...rest].map(plain);
  return [{ role: 'developer', content: textOf(first) }, ...messages.slice(1).map(plain)];
}

/** Only a question has parts. */
function plain({ role, content, name }: PromptMessage): ChatCompletionMessageParam {
  const named = name === undefined ? {} : { name };
  if (typeof content === 'string') return { role, content, ...named };
  return { role: 'user', content: content.map(plainPart), ...named };
}

/** Without what is noted beside an image. */
function plainPart(part: PromptPart) {
  return part.type === 'text' ? part : { type: part.type, image_url: part.image_url };
}

function textOf({ content }: PromptMessage): string {
  return typeof content === 'string'
    ? content
    : content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

function inFront(text: string, content: PromptMessage['content']): PromptMessage['content'] {
  return typeof content === 'string' ? `${text}\n\n${content}` : [{ type: 'text', text: `${text}\n\n` }, ...content];
}

type Passed = Omit<ChatCompletionCreateParamsStreaming, 'model' | 'messages' | 'stream'>;

/** The parameters with their schemas as JSON again. */
function passedOn({ response_format: format, tools, tool_choice, ...rest }: ApiParameters): Passed {
  return {
    ...rest,
    ...(format === undefined ? {} : { response_format: formatOf(format) }),
    ...(tools === undefined
      ? {}
      : { tools: tools.map((tool) => ({ ...tool, function: withJson(tool.function, 'parameters') })) }),
    ...(tool_choice === undefined ? {} : { tool_choice }),
  };
}

function formatOf(format: NonNullable<ApiParameters['response_format']>): NonNullable<Passed['response_format']> {
  return format.type === 'json_schema' ? { ...format, json_schema: withJson(format.json_schema, 'schema') } : format;
}

/** The same with the JSON that a field holds as text. */
function withJson<Field extends string, Whole extends { readonly [Name in Field]?: JsonText }>(
  whole: Whole,
  field: Field,
): Omit<Whole, Field> & { [Name in Field]?: Record<string, unknown> } {
  const text: JsonText | undefined = whole[field];
  const { [field]: _text, ...rest } = whole;
  return { ...rest, ...(text === undefined ? {} : { [field]: JSON.parse(text) }) } as Omit<Whole, Field> & {
    [Name in Field]?: Record<string, unknown>;
  };
}

function passMessage(message: ApiMessage): ChatCompletionMessageParam {
  if (message.role !== 'assistant' && message.role !== 'tool') return plain(message);
  if (message.role !== 'assistant' || !('tool_calls' in message) || message.tool_calls === undefined)
    return message as ChatCompletionMessageParam;
  return { ...message, tool_calls: [...message.tool_calls] };
}
