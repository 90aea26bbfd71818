import type { z } from 'zod';
import type { ApiAnswer } from '../../domain/api-prompt.ts';
import type { CallDelta, Choice, ChoiceDelta, Logprobs, ToolCall } from '../../domain/choice.ts';
import type { TurnRecord } from '../../domain/turn.ts';
import { finishOf } from '../../platform/model/finish.ts';
import type { completion, completionUsage } from '../wire/completion.ts';

/** A turn that has ended, with all of its answer. */
export interface Answered {
  readonly turn: TurnRecord;
  /** Null: the answer is text alone. */
  readonly beside: ApiAnswer | null;
}

/** The whole answer of a turn, as it was stored. */
export function choiceOf({ turn, beside }: Answered): Choice {
  return {
    content: turn.content ?? '',
    refusal: beside?.refusal ?? '',
    calls: beside?.calls ?? [],
    logprobs: beside?.logprobs ?? null,
  };
}

/**
 * The whole answer as its reader gets it. Some providers give a call without arguments an empty text, where OpenAI
 * gives an empty object, which its clients parse.
 */
export function toldChoiceOf(answered: Answered): Choice {
  const choice = choiceOf(answered);
  if (incompleteReasonOf(answered) !== null) return choice;
  return {
    ...choice,
    calls: choice.calls.map((call) => (call.arguments === '' ? { ...call, arguments: '{}' } : call)),
  };
}

/** What a stream has still to say of calls whose arguments were empty. */
export function missingArguments(answered: Answered): CallDelta[] {
  const told = toldChoiceOf(answered).calls;
  return choiceOf(answered).calls.flatMap((call, index) =>
    call.arguments === told[index]?.arguments ? [] : [{ index, arguments: told[index]?.arguments ?? '' }],
  );
}

/** Why an answer that was charged is not whole. */
export function incompleteReasonOf({ turn, beside }: Answered): string | null {
  if (turn.state === 'stopped') return 'stopped';
  const meaning = finishOf(wordOf({ turn, beside }));
  if (meaning === 'length' || turn.finishReason === 'length') return 'max_output_tokens';
  return meaning === 'content_filtered' ? 'content_filter' : null;
}

export function presentCompletion(answered: Answered): z.infer<typeof completion> {
  const { content, refusal, calls, logprobs } = toldChoiceOf(answered);
  const isOnlyText = refusal === '' && calls.length === 0;
  return {
    ...headOf(answered.turn),
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: content === '' && !isOnlyText ? null : content,
          refusal: refusal === '' ? null : refusal,
          ...(calls.length === 0 ? {} : { tool_calls: calls.map(presentCall) }),
        },
        logprobs: presentLogprobs(logprobs),
        finish_reason: wordOf(answered),
      },
    ],
    usage: presentUsage(answered),
  };
}

export interface ChunkOptions {
  /** Every chunk says then that usage is still to come. */
  readonly includesUsage: boolean;
}

/** The first chunk. A model that calls tools at once has no text. */
export function presentFirstChunk(turn: TurnRecord, first: ChoiceDelta | null, options: ChunkOptions) {
  const isText = first?.calls === undefined && first?.refusal === undefined;
  return chunkOf(turn, { delta: { role: 'assistant', content: isText ? '' : null }, ...NOTHING_ELSE }, options);
}

export function presentChunk(
  turn: TurnRecord,
  { content, refusal, calls, logprobs }: ChoiceDelta,
  options: ChunkOptions,
) {
  const delta = {
    ...(content === undefined ? {} : { content }),
    ...(refusal === undefined ? {} : { refusal }),
    ...(calls === undefined ? {} : { tool_calls: calls.map(presentCallDelta) }),
  };
  return chunkOf(turn, { delta, logprobs: presentLogprobs(logprobs ?? null), finish_reason: null }, options);
}

export function presentLastChunk(answered: Answered, options: ChunkOptions) {
  return chunkOf(answered.turn, { delta: {}, logprobs: null, finish_reason: wordOf(answered) }, options);
}

export function presentUsageChunk(answered: Answered) {
  return {
    ...headOf(answered.turn),
    object: 'chat.completion.chunk',
    choices: [],
    usage: presentUsage(answered),
  };
}

const NOTHING_ELSE = { logprobs: null, finish_reason: null };

function chunkOf(turn: TurnRecord, choice: object, { includesUsage }: ChunkOptions) {
  return {
    ...headOf(turn),
    object: 'chat.completion.chunk',
    choices: [{ index: 0, ...choice }],
    ...(includesUsage ? { usage: null } : {}),
  };
}

function headOf({ turnId, createdAt, model }: TurnRecord) {
  return { id: `chatcmpl-${turnId}`, created: Math.floor(createdAt / 1_000), model };
}

function presentCall({ id, name, arguments: given }: ToolCall) {
  return { id, type: 'function' as const, function: { name, arguments: given } };
}

function presentCallDelta({ index, id, name, arguments: given = '' }: CallDelta) {
  return id === undefined
    ? { index, function: { arguments: given } }
    : { index, id, type: 'function', function: { name, arguments: given } };
}

function presentLogprobs(logprobs: Logprobs | null) {
  if (logprobs === null) return null;
  const { content, refusal } = logprobs;
  return { content: content === undefined ? null : [...content], refusal: refusal === undefined ? null : [...refusal] };
}

/** The provider's word, which its client may know better than we do. */
function wordOf({ turn, beside }: Answered): string {
  return beside?.finish ?? turn.finishReason ?? 'stop';
}

function presentUsage({ turn: { usage }, beside }: Answered): z.infer<typeof completionUsage> {
  return {
    prompt_tokens: usage?.promptTokens ?? 0,
    completion_tokens: usage?.completionTokens ?? 0,
    total_tokens: usage?.totalTokens ?? 0,
    prompt_tokens_details: { cached_tokens: beside?.cachedTokens ?? 0 },
    completion_tokens_details: { reasoning_tokens: beside?.reasoningTokens ?? 0 },
  };
}
