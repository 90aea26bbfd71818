import type { ApiMessage, ApiToolCall } from '../../../domain/api-prompt.ts';
import type { PromptPart } from '../../../domain/usage.ts';
import { chatText } from '../../wire/openai-fields.ts';
import { INPUT_ITEMS, type InputItem, type ResponseBody } from '../../wire/responses.ts';
import { joined, readImage } from '../prompt/images.ts';
import { invalid, parseAt, unsupported } from '../refusals.ts';

/** An item and its place in the body. */
interface Placed {
  readonly item: InputItem;
  readonly at: string;
}

/** An id that an earlier answer gave to one of its items, and its place in the body. */
export interface Reference {
  readonly id: string;
  readonly at: string;
}

/** What ids name, in their order. @throws AppError when one of them is not there any more. */
export type Resolve = (references: readonly Reference[]) => Promise<readonly InputItem[]>;

/**
 * The input as messages of a chat: calls belong to the message before them, and what they returned stands right behind
 * it, as chat completions want it.
 * @throws AppError unsupported_parameter for items and parts of other kinds; invalid_request where calls and what they
 *   returned do not belong together.
 */
export async function readInput(input: ResponseBody['input'], resolve: Resolve): Promise<ApiMessage[]> {
  if (typeof input === 'string') return [{ role: 'user', content: input }];
  const sent = input.map((item, i) => ({ at: `input.${i}`, item: parseItem(item, `input.${i}`) }));
  const references = sent.flatMap(({ at, item }) => (item.type === 'item_reference' ? [{ at, id: item.id }] : []));
  if (references.length === 0) return messagesOf(sent);
  const found = new Map((await resolve(references)).map((item, i) => [references[i]?.at, item]));
  return messagesOf(sent.map(({ at, item }) => ({ at, item: found.get(at) ?? item })));
}

function parseItem(sent: object, at: string): InputItem {
  const { type = 'message' } = sent as { readonly type?: unknown };
  const schema = Object.entries(INPUT_ITEMS).find(([name]) => name === type)?.[1];
  if (schema === undefined)
    throw unsupported(
      `${at}.type`,
      'is not supported here: items are messages, function_call and function_call_output',
    );
  return parseAt<InputItem>(schema, sent, at);
}

/** An assistant's message while calls may still be added to it. */
interface Open {
  content: string | null;
  refusal: string | null;
  readonly calls: ApiToolCall[];
}

function messagesOf(placed: readonly Placed[]): ApiMessage[] {
  const returned = outputsOf(placed);
  const messages: ApiMessage[] = [];
  let open: Open[] = [];
  const close = () => {
    messages.push(...open.flatMap((assistant) => closed(assistant, returned)));
    open = [];
  };
  for (const { item, at } of placed) {
    const [last] = open;
    if (item.type === 'function_call') {
      const { call_id: id, name, arguments: given } = item;
      if (!returned.has(id)) throw invalid(`${at}.call_id`, `call ${id} has no function_call_output`);
      const own = last ?? { content: null, refusal: null, calls: [] };
      own.calls.push({ id, type: 'function', function: { name, arguments: given } });
      open = [own];
    } else if (item.type === 'function_call_output') {
      // What is called from here on was called because of it.
      close();
    } else if (item.type === undefined || item.type === 'message') {
      if (item.role === 'user') {
        close();
        messages.push({ role: item.role, content: shownIn(item.content as Content, `${at}.content`) });
        continue;
      }
      const said = saidIn(item.content as Content, `${at}.content`);
      if (item.role !== 'assistant') {
        close();
        messages.push({ role: item.role, content: said.content ?? '' });
      } else if (last !== undefined && last.content === null && last.calls.length > 0) {
        Object.assign(last, said);
      } else {
        close();
        open = [{ ...said, calls: [] }];
      }
    }
  }
  close();
  return messages;
}

/** What calls returned, by their ids. Each call and what it returned come once. */
function outputsOf(placed: readonly Placed[]): Map<string, string> {
  const outputs = new Map<string, string>();
  const calls = new Set<string>();
  for (const { item, at } of placed) {
    if (item.type === 'function_call') {
      if (calls.has(item.call_id)) throw invalid(`${at}.call_id`, 'is that of another call');
      calls.add(item.call_id);
    } else if (item.type === 'function_call_output') {
      if (!calls.has(item.call_id)) throw invalid(`${at}.call_id`, 'must name a function_call before it');
      if (outputs.has(item.call_id)) throw invalid(`${at}.call_id`, 'has an output already');
      outputs.set(item.call_id, saidIn(item.output as Content, `${at}.output`).content ?? '');
    }
  }
  return outputs;
}

function closed({ content, refusal, calls }: Open, returned: ReadonlyMap<string, string>): ApiMessage[] {
  return [
    {
      role: 'assistant',
      content,
      ...(refusal === null ? {} : { refusal }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    },
    ...calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: returned.get(id) ?? '' })),
  ];
}

type Content = string | readonly { readonly type: string; readonly [field: string]: unknown }[];

/** Of a question: its text, or its parts where it shows an image. */
function shownIn(content: Content, at: string): string | readonly PromptPart[] {
  if (typeof content === 'string') return content;
  return joined(
    content.map((part, i) => {
      const place = `${at}.${i}`;
      if (part.type === 'input_image') {
        if (part['file_id'] != null) throw unsupported(`${place}.file_id`, 'is not supported: send image_url');
        return readImage(part['image_url'], part['detail'], `${place}.image_url`);
      }
      const { content: text } = saidPart(part, place);
      return { type: 'text', text: text ?? '' };
    }),
  );
}

/** The text of an item's parts, and what of it refuses. */
function saidIn(content: Content, at: string): Pick<Open, 'content' | 'refusal'> {
  if (typeof content === 'string') return { content, refusal: null };
  const said: Pick<Open, 'content' | 'refusal'> = { content: null, refusal: null };
  for (const [i, part] of content.entries()) {
    const { content: text, refusal } = saidPart(part, `${at}.${i}`);
    if (text !== null) said.content = (said.content ?? '') + text;
    if (refusal !== null) said.refusal = (said.refusal ?? '') + refusal;
  }
  return said;
}

/** A part that a schema refused comes as one of another kind. */
function saidPart(part: Exclude<Content, string>[number], at: string): Pick<Open, 'content' | 'refusal'> {
  if (part.type === 'input_text' || part.type === 'output_text')
    return { content: parseAt(chatText, part['text'], `${at}.text`), refusal: null };
  if (part.type === 'refusal') return { content: null, refusal: parseAt(chatText, part['refusal'], `${at}.refusal`) };
  throw unsupported(`${at}.type`, `${part.type} is not supported here`);
}
