import { errorSentence, warningSentence, type Locale } from '../../domain/messages.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Model } from '../../domain/model.ts';
import { isAnswered, isRetryable, type TurnRecord } from '../../domain/turn.ts';
import type { UsageState } from '../../domain/usage-state.ts';
import type { z } from 'zod';
import type { usageState } from '../wire/account.ts';
import type { TurnBody } from '../wire/turn.ts';

/** A turn as its reader is shown it, in the reader's language. */
export function presentTurn(
  turn: TurnRecord,
  { locale, models }: { locale: Locale; models: readonly Model[] },
): TurnBody {
  const { turnId, conversationId, state, model, attempt, usage, warning, finishReason } = turn;
  const answered = isAnswered(state);
  return {
    turnId,
    conversationId,
    state,
    model,
    attempt,
    ...(answered && turn.erasedAt === null ? { content: turn.content ?? '' } : {}),
    ...(answered && usage !== null ? { usage } : {}),
    ...(answered && warning !== null ? { warning: presentWarning(warning, locale) } : {}),
    ...(answered && finishReason !== null ? { finishReason } : {}),
    maxOutputTokens: turn.outputLimit ?? askedLimit(turn, models),
    ...((state === 'failed' || state === 'refused') && turn.error !== null
      ? { error: presentError(turn.error, locale, becauseOf(turn)) }
      : {}),
    ...presentInstructions(turn),
    createdAt: iso(turn.createdAt),
    ...(turn.endedAt === null ? {} : { endedAt: iso(turn.endedAt) }),
    ...(turn.erasedAt === null ? {} : { erasedAt: iso(turn.erasedAt) }),
  };
}

export function presentError(code: ErrorCode, locale: Locale, details: { because?: unknown } = {}) {
  return { code, message: errorSentence(code, locale, details), retryable: isRetryable(code) };
}

/** What a 402 adds where the person's own instructions alone kept the turn out (policy 5). */
export function becauseOf({ instructions }: Pick<TurnRecord, 'instructions'>): { because?: 'own_instructions' } {
  return instructions?.inTheWay === true ? { because: 'own_instructions' } : {};
}

function presentInstructions({ instructions }: TurnRecord): Pick<TurnBody, 'instructions'> {
  if (instructions === null) return {};
  const { person, conversation } = instructions;
  return { instructions: { person: person?.version ?? null, conversation: conversation?.version ?? null } };
}

export function presentUsage(state: UsageState, purchaseUrl: string): z.infer<typeof usageState> {
  const { period, resetsAt, depletesAt, asOf: _, ...figures } = state;
  return {
    period: { label: period.label, start: iso(period.startsAt), end: iso(period.endsAt) },
    ...figures,
    resetsAt: iso(resetsAt),
    depletesAt: depletesAt === null ? null : iso(depletesAt),
    purchaseUrl,
  };
}

export function iso(instant: number): string {
  return new Date(instant).toISOString();
}

export function isoOrNull(instant: number | null): string | null {
  return instant === null ? null : iso(instant);
}

function presentWarning(warning: NonNullable<TurnRecord['warning']>, locale: Locale) {
  const { level, remainingTokens, estimatedTurns } = warning;
  return { level, message: warningSentence(warning, locale), remainingTokens, estimatedTurns };
}

function askedLimit(turn: TurnRecord, models: readonly Model[]): number {
  const model = models.find(({ name }) => name === turn.model);
  const asked = turn.askedOutput ?? model?.defaultOutputTokens ?? 1;
  return Math.min(asked, model?.maxOutputTokens ?? asked);
}
