import type { CallDelta, ChoiceDelta } from '../../../domain/choice.ts';
import type { TurnRecord } from '../../../domain/turn.ts';
import type { OutputItem, ResponseBody } from '../../wire/responses.ts';
import { missingArguments, toldChoiceOf, type Answered } from '../present.ts';
import type { Said, Voice } from '../protocol.ts';
import {
  callItem,
  itemsOf,
  itemStatusOf,
  messageItem,
  partsOf,
  presentBegun,
  presentResponse,
  textPart,
  type Part,
} from './present.ts';

/** An item that has begun: the message, or a call by its index. */
type Begun =
  { readonly is: 'message'; readonly parts: Part['type'][] } | { readonly is: 'call'; readonly index: number };

/**
 * The events of a response, numbered. Items begin as their first part comes; all of them are done at the end, because a
 * provider may go on with any of them until then.
 */
export class ResponseVoice implements Voice {
  readonly #body: ResponseBody;
  readonly #turn: TurnRecord;
  readonly #items: Begun[] = [];
  #sequence = 0;

  constructor(body: ResponseBody, turn: TurnRecord) {
    this.#body = body;
    this.#turn = turn;
  }

  begin(): Said[] {
    const response = presentBegun(this.#body, this.#turn);
    return [this.#say('response.created', { response }), this.#say('response.in_progress', { response })];
  }

  delta({ content, refusal, calls = [], logprobs }: ChoiceDelta): Said[] {
    const said: Said[] = [];
    if (content !== undefined || logprobs?.content !== undefined)
      said.push(...this.#text('output_text', content ?? '', { logprobs: [...(logprobs?.content ?? [])] }));
    if (refusal !== undefined) said.push(...this.#text('refusal', refusal, {}));
    for (const call of calls) said.push(...this.#call(call));
    return said;
  }

  wait(): Said[] {
    return [this.#say('response.in_progress', { response: presentBegun(this.#body, this.#turn) })];
  }

  finish(answered: Answered): Said[] {
    const said: Said[] = [];
    const choice = toldChoiceOf(answered);
    // An empty answer is an empty message.
    if (this.#items.length === 0 && itemsOf(answered)[0]?.type === 'message')
      for (const { type } of partsOf(choice)) said.push(...this.#beginPart(type));
    for (const missing of missingArguments(answered)) said.push(...this.#call(missing));
    const status = itemStatusOf(answered);
    const output: OutputItem[] = [];
    for (const [output_index, begun] of this.#items.entries()) {
      const item = this.#itemOf(begun, answered);
      output.push(item);
      said.push(
        ...(item.type === 'message' ? this.#endParts(item, begun, output_index) : this.#endCall(item, output_index)),
      );
      said.push(this.#say('response.output_item.done', { output_index, item }));
    }
    const response = presentResponse(this.#body, answered, output);
    return [...said, this.#say(status === 'completed' ? 'response.completed' : 'response.incomplete', { response })];
  }

  fail(body: object): Said[] {
    const { error } = body as { readonly error: { readonly code: string; readonly message: string } };
    const response = { ...presentBegun(this.#body, this.#turn), status: 'failed', error };
    return [this.#say('response.failed', { response })];
  }

  #itemOf(begun: Begun, answered: Answered): OutputItem {
    const choice = toldChoiceOf(answered);
    const status = itemStatusOf(answered);
    if (begun.is === 'call') {
      const call = choice.calls[begun.index] ?? { id: '', name: '', arguments: '' };
      return callItem(this.#turn, call, begun.index, status);
    }
    const whole: Record<Part['type'], Part> = {
      output_text: textPart(choice.content, choice.logprobs?.content),
      refusal: { type: 'refusal', refusal: choice.refusal },
    };
    return messageItem(
      this.#turn,
      begun.parts.map((type) => whole[type]),
      status,
    );
  }

  #text(type: Part['type'], delta: string, more: object): Said[] {
    const said = this.#beginPart(type);
    const [output_index, content_index] = this.#place(type);
    const item_id = messageItem(this.#turn, [], 'in_progress').id;
    return [...said, this.#say(`response.${type}.delta`, { item_id, output_index, content_index, delta, ...more })];
  }

  /** @returns the place of a part of the message that has begun. */
  #place(type: Part['type']): [output: number, content: number] {
    const output = this.#items.findIndex(({ is }) => is === 'message');
    const item = this.#items[output];
    return [output, item?.is === 'message' ? item.parts.indexOf(type) : -1];
  }

  #beginPart(type: Part['type']): Said[] {
    const said: Said[] = [];
    const item = messageItem(this.#turn, [], 'in_progress');
    if (!this.#items.some(({ is }) => is === 'message')) {
      this.#items.push({ is: 'message', parts: [] });
      said.push(this.#say('response.output_item.added', { output_index: this.#items.length - 1, item }));
    }
    const output_index = this.#items.findIndex(({ is }) => is === 'message');
    const begun = this.#items[output_index];
    if (begun?.is !== 'message' || begun.parts.includes(type)) return said;
    begun.parts.push(type);
    const part = type === 'output_text' ? textPart('') : { type, refusal: '' };
    const content_index = begun.parts.length - 1;
    return [...said, this.#say('response.content_part.added', { item_id: item.id, output_index, content_index, part })];
  }

  #call({ index, id, name = '', arguments: delta = '' }: CallDelta): Said[] {
    const said: Said[] = [];
    if (id !== undefined) {
      this.#items.push({ is: 'call', index });
      const item = callItem(this.#turn, { id, name, arguments: '' }, index, 'in_progress');
      said.push(this.#say('response.output_item.added', { output_index: this.#items.length - 1, item }));
    }
    if (delta === '') return said;
    const output_index = this.#items.findIndex((item) => item.is === 'call' && item.index === index);
    const { id: item_id } = callItem(this.#turn, { id: '', name, arguments: '' }, index, 'in_progress');
    return [...said, this.#say('response.function_call_arguments.delta', { item_id, output_index, delta })];
  }

  #endParts(item: Extract<OutputItem, { type: 'message' }>, begun: Begun, output_index: number): Said[] {
    return item.content.flatMap((part, content_index) => {
      const place = { item_id: item.id, output_index, content_index };
      const whole = part.type === 'refusal' ? { refusal: part.refusal } : { text: part.text, logprobs: part.logprobs };
      return [
        this.#say(`response.${part.type}.done`, { ...place, ...whole }),
        this.#say('response.content_part.done', { ...place, part }),
      ];
    });
  }

  #endCall(item: Extract<OutputItem, { type: 'function_call' }>, output_index: number): Said[] {
    const { id: item_id, name, arguments: given } = item;
    return [this.#say('response.function_call_arguments.done', { item_id, output_index, name, arguments: given })];
  }

  #say(type: string, fields: object): Said {
    const sequence_number = this.#sequence;
    this.#sequence += 1;
    return { event: type, data: JSON.stringify({ type, sequence_number, ...fields }) };
  }
}
