import type { Response } from 'express';
import { readUsage } from '../../db/money/usage.ts';
import { ceilingOf } from '../../domain/policy.ts';
import type { TurnRecord } from '../../domain/turn.ts';
import type { ApiDeps } from '../context.ts';
import { requestRoomOf } from '../http/door.ts';
import { secondsSinceReceived } from '../http/request-metrics.ts';

/** What an answer's head says beside its body: whose turn it is, and how the account stood when it was admitted. */
export async function headersOf(deps: ApiDeps, response: Response, turn: TurnRecord): Promise<Record<string, string>> {
  const { level, totalAvailable, usedTokens, heldTokens, remainingTokens } = await readUsage(deps.database, turn);
  const ceiling = ceilingOf(totalAvailable);
  const asked = turn.askedOutput ?? deps.models.find(({ name }) => name === turn.model)?.defaultOutputTokens;
  const isClamped = turn.outputLimit !== null && asked !== undefined && turn.outputLimit < asked;
  return {
    'x-turnkeeper-turn-id': turn.turnId,
    'x-turnkeeper-usage': `level=${level}; remaining=${remainingTokens}`,
    ...(isClamped ? { 'x-turnkeeper-max-output-tokens': String(turn.outputLimit) } : {}),
    'x-ratelimit-limit-tokens': String(ceiling),
    'x-ratelimit-remaining-tokens': String(Math.max(0, ceiling - usedTokens - heldTokens)),
    ...requestHeaders(response),
    'openai-processing-ms': String(Math.round(secondsSinceReceived(response) * 1_000)),
  };
}

function requestHeaders(response: Response): Record<string, string> {
  const room = requestRoomOf(response);
  if (room === null) return {};
  return {
    'x-ratelimit-limit-requests': String(room.limit),
    'x-ratelimit-remaining-requests': String(room.remaining),
    'x-ratelimit-reset-requests': `${Math.ceil(room.resetMs)}ms`,
  };
}
