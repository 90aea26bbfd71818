import type { Response } from 'express';
import { readCap } from '../../db/money/key-caps.ts';
import { readUsage } from '../../db/money/usage.ts';
import { ceilingOf } from '../../domain/policy.ts';
import type { TurnRecord } from '../../domain/turn.ts';
import { describeError } from '../../platform/telemetry/describe-error.ts';
import type { ApiDeps, Caller } from '../context.ts';
import { requestRoomOf } from '../http/door.ts';
import { secondsSinceReceived } from '../http/request-metrics.ts';

type Headers = Record<string, string>;

/**
 * What an answer's head says beside its body: whose turn it is, how the account stood when it was admitted, and what is
 * left of the limits. It never fails: an answer that is paid for is not lost for want of figures.
 */
export async function headersOf(deps: ApiDeps, caller: Caller, turn: TurnRecord): Promise<Headers> {
  const { turnId, askedOutput, outputLimit, model } = turn;
  const figures = await figuresOf(deps, caller, turn).catch((error: unknown): Headers => {
    deps.log.warn({ turnId, err: describeError(error) }, 'an answer’s head has no figures');
    return {};
  });
  const asked = askedOutput ?? deps.models.find(({ name }) => name === model)?.defaultOutputTokens;
  const isClamped = outputLimit !== null && asked !== undefined && outputLimit < asked;
  return {
    'x-turnkeeper-turn-id': turnId,
    ...figures,
    ...(isClamped ? { 'x-turnkeeper-max-output-tokens': String(outputLimit) } : {}),
    ...requestHeaders(caller.response),
    'openai-processing-ms': String(Math.round(secondsSinceReceived(caller.response) * 1_000)),
  };
}

/** The room for tokens is the key's where its cap leaves less than the account has. */
async function figuresOf({ database }: ApiDeps, { key }: Caller, turn: TurnRecord): Promise<Headers> {
  const [{ level, totalAvailable, usedTokens, heldTokens, remainingTokens }, cap] = await Promise.all([
    readUsage(database, turn),
    key?.isCapped === true ? readCap(database, key.keyId) : null,
  ]);
  const ofAccount = roomOf(ceilingOf(totalAvailable), usedTokens, heldTokens);
  const ofKey = cap === null ? ofAccount : roomOf(cap.capTokens, cap.usedTokens, cap.heldTokens);
  const { limit, remaining } = ofKey.remaining < ofAccount.remaining ? ofKey : ofAccount;
  return {
    'x-turnkeeper-usage': `level=${level}; remaining=${remainingTokens}`,
    'x-ratelimit-limit-tokens': String(limit),
    'x-ratelimit-remaining-tokens': String(remaining),
  };
}

function roomOf(limit: number, used: number, held: number) {
  return { limit, remaining: Math.max(0, limit - used - held) };
}

function requestHeaders(response: Response): Headers {
  const room = requestRoomOf(response);
  if (room === null) return {};
  return {
    'x-ratelimit-limit-requests': String(room.limit),
    'x-ratelimit-remaining-requests': String(room.remaining),
    'x-ratelimit-reset-requests': `${Math.ceil(room.resetMs)}ms`,
  };
}
