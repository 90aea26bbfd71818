import { readCap } from '../../db/money/key-caps.ts';
import { capRefusesAtDoor, refuseAtDoor } from '../../db/money/refusals.ts';
import { readUsage } from '../../db/money/usage.ts';
import { AppError, isTurnRefusal } from '../../domain/errors.ts';
import { isRetryable, type TurnRecord } from '../../domain/turn.ts';
import type { ApiDeps, Caller } from '../context.ts';
import { RETRY_AFTER_OF } from '../http/errors.ts';
import { becauseOf, iso } from '../present/turn.ts';

/** A refused turn as an error, with today's figures: 402, 403 or 409, or 503 when its start failed. */
export async function refusalOf(deps: Pick<ApiDeps, 'database' | 'config'>, turn: TurnRecord): Promise<AppError> {
  const code = turn.error ?? 'internal';
  if (isSpent(code)) return new AppError(code, await spentFigures(deps, code, turn));
  const retryAfter = isTurnRefusal(code) ? RETRY_AFTER_OF[code] : null;
  return new AppError(code, retryAfter === null ? {} : { retryAfter });
}

/**
 * Refuses a new question before anything of it is written, where it is known that admission would.
 * @throws AppError KEY_CAP_REACHED, TOKEN_EXHAUSTED.
 */
export async function assertAdmissible(
  deps: Pick<ApiDeps, 'database' | 'config'>,
  { key, principal }: Pick<Caller, 'key' | 'principal'>,
  { conversationId }: { conversationId: string | null },
): Promise<void> {
  const { userId, accountId } = principal;
  if (key?.isCapped === true && (await capRefusesAtDoor(deps.database, { keyId: key.keyId, userId })))
    throw new AppError('KEY_CAP_REACHED', await capFigures(deps, key.keyId));
  if (await refuseAtDoor(deps.database, { userId, accountId, conversationId }))
    throw new AppError('TOKEN_EXHAUSTED', await exhaustedFigures(deps, accountId));
}

/** A failed turn as the flat error of a JSON send. */
export async function failureOf(deps: Pick<ApiDeps, 'database' | 'config'>, turn: TurnRecord): Promise<AppError> {
  const { turnId, conversationId } = turn;
  const code = turn.error ?? 'internal';
  const figures = isSpent(code) ? await spentFigures(deps, code, turn) : {};
  return new AppError(code, { ...figures, turnId, conversationId, retryable: isRetryable(code) });
}

type Spent = 'TOKEN_EXHAUSTED' | 'KEY_CAP_REACHED';

function isSpent(code: string): code is Spent {
  return code === 'TOKEN_EXHAUSTED' || code === 'KEY_CAP_REACHED';
}

/** What a 402 says of today. */
async function spentFigures(
  deps: Pick<ApiDeps, 'database' | 'config'>,
  code: Spent,
  turn: TurnRecord,
): Promise<Readonly<Record<string, unknown>>> {
  const figures =
    code === 'TOKEN_EXHAUSTED' ? await exhaustedFigures(deps, turn.accountId) : await capFigures(deps, turn.apiKeyId);
  return { ...figures, ...becauseOf(turn) };
}

async function exhaustedFigures({ database, config }: Pick<ApiDeps, 'database' | 'config'>, accountId: number) {
  const usage = await readUsage(database, { accountId });
  return {
    remainingTokens: usage.remainingTokens,
    recommendedAction: 'PURCHASE_TOKENS',
    purchaseUrl: config.policy.purchaseUrl,
    resetsAt: iso(usage.resetsAt),
  };
}

/** Empty when the key's cap was taken away meanwhile. */
async function capFigures(
  { database }: Pick<ApiDeps, 'database'>,
  keyId: number | null,
): Promise<Readonly<Record<string, unknown>>> {
  const cap = keyId === null ? null : await readCap(database, keyId);
  if (cap === null) return {};
  const { usedTokens, heldTokens: _, resetsAt, ...which } = cap;
  return {
    ...which,
    usedTokens,
    remainingTokens: Math.max(0, cap.capTokens - usedTokens),
    resetsAt: resetsAt === null ? null : iso(resetsAt),
  };
}
