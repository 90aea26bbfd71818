import { readUsage } from '../../db/money/usage.ts';
import { AppError, isTurnRefusal } from '../../domain/errors.ts';
import { isRetryable, type TurnRecord } from '../../domain/turn.ts';
import type { ApiDeps } from '../context.ts';
import { RETRY_AFTER_OF } from '../http/errors.ts';
import { iso } from '../present/turn.ts';

/** A refused turn as an error, with today's figures: 402, 403 or 409, or 503 when its start failed. */
export async function refusalOf(deps: Pick<ApiDeps, 'database' | 'config'>, turn: TurnRecord): Promise<AppError> {
  const code = turn.error ?? 'internal';
  if (code === 'TOKEN_EXHAUSTED') return exhausted(deps, turn.accountId);
  const retryAfter = isTurnRefusal(code) ? RETRY_AFTER_OF[code] : null;
  return new AppError(code, retryAfter === null ? {} : { retryAfter });
}

/** 402 with today's figures. */
export async function exhausted(deps: Pick<ApiDeps, 'database' | 'config'>, accountId: number): Promise<AppError> {
  return new AppError('TOKEN_EXHAUSTED', await exhaustedFigures(deps, accountId));
}

/** A failed turn as the flat error of a JSON send. */
export async function failureOf(deps: Pick<ApiDeps, 'database' | 'config'>, turn: TurnRecord): Promise<AppError> {
  const { turnId, conversationId } = turn;
  const code = turn.error ?? 'internal';
  const figures = code === 'TOKEN_EXHAUSTED' ? await exhaustedFigures(deps, turn.accountId) : {};
  return new AppError(code, { ...figures, turnId, conversationId, retryable: isRetryable(code) });
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
