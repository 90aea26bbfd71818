import type { Choice, ToolCall } from '../../../domain/choice.ts';
import type { TurnRecord } from '../../../domain/turn.ts';
import type { OutputItem, ResponseBody, ResponseObject } from '../../wire/responses.ts';
import { incompleteReasonOf, toldChoiceOf, type Answered } from '../present.ts';
import { ITEM_IDS } from './references.ts';

type Status = OutputItem['status'];
type MessageItem = Extract<OutputItem, { type: 'message' }>;
export type Part = MessageItem['content'][number];

/** The items of a whole answer: what was said, then what was called. An empty answer is an empty message. */
export function itemsOf(answered: Answered): OutputItem[] {
  const { turn } = answered;
  const choice = toldChoiceOf(answered);
  const status = itemStatusOf(answered);
  const isSaid = choice.content !== '' || choice.refusal !== '' || choice.calls.length === 0;
  return [
    ...(isSaid ? [messageItem(turn, partsOf(choice), status)] : []),
    ...choice.calls.map((call, index) => callItem(turn, call, index, status)),
  ];
}

export function partsOf({ content, refusal, logprobs }: Choice): Part[] {
  return [
    ...(content === '' && refusal !== '' ? [] : [textPart(content, logprobs?.content)]),
    ...(refusal === '' ? [] : [{ type: 'refusal' as const, refusal }]),
  ];
}

export function textPart(text: string, logprobs: readonly unknown[] = []): Part {
  return { type: 'output_text', text, annotations: [], logprobs: [...logprobs] };
}

export function messageItem({ turnId }: TurnRecord, content: Part[], status: Status): OutputItem {
  return { id: ITEM_IDS.message(turnId), type: 'message', status, role: 'assistant', content };
}

export function callItem({ turnId }: TurnRecord, call: ToolCall, index: number, status: Status): OutputItem {
  const { id: call_id, name, arguments: given } = call;
  return { id: ITEM_IDS.call(turnId, index), type: 'function_call', status, call_id, name, arguments: given };
}

export function itemStatusOf(answered: Answered): Status {
  return incompleteReasonOf(answered) === null ? 'completed' : 'incomplete';
}

/** A response whose turn has ended with an answer. */
export function presentResponse(body: ResponseBody, answered: Answered, output: OutputItem[]): ResponseObject {
  const reason = incompleteReasonOf(answered);
  return {
    ...presentBegun(body, answered.turn),
    status: reason === null ? 'completed' : 'incomplete',
    incomplete_details: reason === null ? null : { reason },
    output,
    usage: presentUsage(answered),
  };
}

/** A response that is being made: what was asked, and nothing yet. */
export function presentBegun(body: ResponseBody, { turnId, createdAt, model }: TurnRecord): ResponseObject {
  return {
    id: ITEM_IDS.response(turnId),
    object: 'response',
    created_at: Math.floor(createdAt / 1_000),
    status: 'in_progress',
    background: false,
    error: null,
    incomplete_details: null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    metadata: body.metadata ?? {},
    model,
    output: [],
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: { effort: body.reasoning?.effort ?? null, summary: null },
    service_tier: 'default',
    store: false,
    temperature: body.temperature ?? 1,
    text: { format: body.text?.format ?? { type: 'text' }, verbosity: body.text?.verbosity ?? 'medium' },
    tool_choice: body.tool_choice ?? 'auto',
    tools: body.tools ?? [],
    top_logprobs: body.top_logprobs ?? 0,
    top_p: body.top_p ?? 1,
    truncation: 'disabled',
    usage: null,
    user: null,
  };
}

function presentUsage({ turn: { usage }, beside }: Answered): NonNullable<ResponseObject['usage']> {
  return {
    input_tokens: usage?.promptTokens ?? 0,
    input_tokens_details: { cached_tokens: beside?.cachedTokens ?? 0 },
    output_tokens: usage?.completionTokens ?? 0,
    output_tokens_details: { reasoning_tokens: beside?.reasoningTokens ?? 0 },
    total_tokens: usage?.totalTokens ?? 0,
  };
}
