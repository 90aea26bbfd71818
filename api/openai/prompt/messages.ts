import { z } from 'zod';
import type { ApiMessage } from '../../../domain/api-prompt.ts';
import type { PromptPart } from '../../../domain/usage.ts';
import type { CompletionBody } from '../../wire/completion.ts';
import { chatText } from '../../wire/openai-fields.ts';
import { joined, readImage } from './images.ts';
import { known } from '../known.ts';
import { invalid, parseAt, unsupported } from '../refusals.ts';

type Sent = CompletionBody['messages'][number];

/**
 * The messages of a request as they go to the model.
 * @throws AppError unsupported_parameter for parts that are neither text nor an image of a question; file_refused;
 *   invalid_request where calls and their answers do not belong together: a provider would refuse it after the turn was
 *   admitted.
 */
export function readMessages(messages: readonly Sent[]): ApiMessage[] {
  assertCallsAnswered(messages);
  return messages.map(readMessage);
}

function readMessage(message: Sent, i: number): ApiMessage {
  const at = `messages.${i}.content`;
  switch (message.role) {
    case 'tool':
      return { role: 'tool', content: textOf(message.content, at), tool_call_id: message.tool_call_id };
    case 'assistant': {
      const { name, refusal, tool_calls: calls = [] } = message;
      const content = message.content === undefined ? null : textOf(message.content, at);
      if (content === null && refusal === undefined && calls.length === 0)
        throw invalid(at, 'must be there without tool_calls');
      const tool_calls = calls.map(({ id, function: { name: called, arguments: given } }) => ({
        id,
        type: 'function' as const,
        function: { name: called, arguments: given },
      }));
      return { role: 'assistant', content, ...known({ name, refusal }), ...(calls.length === 0 ? {} : { tool_calls }) };
    }
    default:
      return {
        role: message.role,
        content: message.role === 'user' ? shownIn(message.content, at) : textOf(message.content, at),
        ...known({ name: message.name }),
      };
  }
}

/** Of a question: its text, or its parts where it shows an image. */
function shownIn(content: Content, at: string): string | readonly PromptPart[] {
  if (typeof content === 'string') return content;
  return joined(
    content.map((part, i) => {
      const place = `${at}.${i}`;
      if (part.type !== 'image_url') return { type: 'text', text: textOfPart(part, place) };
      const { url, detail } = parseAt(imageUrl, part['image_url'], `${place}.image_url`);
      return readImage(url, detail, `${place}.image_url.url`);
    }),
  );
}

const imageUrl = z.looseObject({ url: z.string(), detail: z.unknown().optional() });
type Content = string | readonly { readonly type: string; readonly [field: string]: unknown }[];

/** Parts of text are one text. A refusal of an earlier answer is text, too. */
function textOf(content: Content, at: string): string {
  if (typeof content === 'string') return content;
  return content.map((part, i) => textOfPart(part, `${at}.${i}`)).join('');
}

function textOfPart(part: Exclude<Content, string>[number], at: string): string {
  const { type } = part;
  if (type !== 'text' && type !== 'refusal') throw unsupported(`${at}.type`, `${type} is not supported here`);
  return parseAt(chatText, part[type], `${at}.${type}`);
}

/** Each call has an id of its own and is answered once, right after the message that makes it. */
function assertCallsAnswered(messages: readonly Sent[]): void {
  let open = new Set<string>();
  let madeAt = 0;
  const closed = () => {
    const [missing] = open;
    if (missing !== undefined)
      throw invalid(`messages.${madeAt}.tool_calls`, `call ${missing} has no answer in a tool message`);
  };
  for (const [i, message] of messages.entries()) {
    if (message.role === 'tool') {
      if (!open.delete(message.tool_call_id))
        throw invalid(`messages.${i}.tool_call_id`, 'must name a call of the assistant message before it, once');
      continue;
    }
    closed();
    const ids = message.role === 'assistant' ? (message.tool_calls ?? []).map(({ id }) => id) : [];
    [open, madeAt] = [new Set(ids), i];
    if (open.size < ids.length) throw invalid(`messages.${i}.tool_calls`, 'each call must have an id of its own');
  }
  closed();
}
