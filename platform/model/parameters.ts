import type {
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import type { Model } from '../../domain/model.ts';
import type { PromptMessage } from '../../domain/usage.ts';
import type { ModelRequest } from './exchange.ts';

/**
 * What a model is asked for, in the dialect that the catalogue names.
 * @param asksForUsage whether `stream_options` may be sent.
 */
export function parametersOf(
  { model, messages, parameters, outputLimit }: Pick<ModelRequest, 'model' | 'messages' | 'parameters' | 'outputLimit'>,
  asksForUsage: boolean,
): ChatCompletionCreateParamsStreaming {
  return {
    model: model.name,
    ...parameters,
    messages: parameters === undefined ? messagesFor(model, messages) : messages.map(plain),
    [model.limitField]: outputLimit,
    stream: true,
    ...(asksForUsage ? { stream_options: { include_usage: true } } : {}),
  };
}

function messagesFor({ systemRole }: Model, messages: readonly PromptMessage[]): ChatCompletionMessageParam[] {
  const [first, question, ...rest] = messages;
  if (first?.role !== 'system' || systemRole === 'system') return messages.map(plain);
  if (systemRole === 'merged' && question !== undefined)
    return [{ role: question.role, content: `${first.content}\n\n${question.content}` }, ...rest].map(plain);
  return [{ role: 'developer', content: first.content }, ...messages.slice(1).map(plain)];
}

function plain({ role, content, name }: PromptMessage): ChatCompletionMessageParam {
  return { role, content, ...(name === undefined ? {} : { name }) };
}
