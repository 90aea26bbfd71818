import type { z } from 'zod';
import type { TurnRecord } from '../../domain/turn.ts';
import type { completion, completionUsage } from '../wire/completion.ts';

export function presentCompletion(turn: TurnRecord): z.infer<typeof completion> {
  return {
    ...headOf(turn),
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: turn.content ?? '', refusal: null },
        logprobs: null,
        finish_reason: finishOf(turn),
      },
    ],
    usage: presentUsage(turn),
  };
}

/** @param includesUsage every chunk says then that usage is still to come. */
export function presentChunk(
  turn: TurnRecord,
  delta: { role?: 'assistant'; content?: string },
  { includesUsage, ended = false }: { includesUsage: boolean; ended?: boolean },
) {
  return {
    ...headOf(turn),
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: ended ? finishOf(turn) : null }],
    ...(includesUsage ? { usage: null } : {}),
  };
}

export function presentUsageChunk(turn: TurnRecord) {
  return { ...headOf(turn), object: 'chat.completion.chunk', choices: [], usage: presentUsage(turn) };
}

function headOf({ turnId, createdAt, model }: TurnRecord) {
  return { id: `chatcmpl-${turnId}`, created: Math.floor(createdAt / 1_000), model };
}

function finishOf({ finishReason }: TurnRecord): 'stop' | 'length' {
  return finishReason ?? 'stop';
}

function presentUsage({ usage }: TurnRecord): z.infer<typeof completionUsage> {
  return {
    prompt_tokens: usage?.promptTokens ?? 0,
    completion_tokens: usage?.completionTokens ?? 0,
    total_tokens: usage?.totalTokens ?? 0,
  };
}
