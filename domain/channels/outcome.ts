/**
 * What one attempt came to.
 * - `accepted`: the other side has it.
 * - `later`: it certainly does not have it, and may take it later.
 * - `refused`: it will never take it. `isRecipientGone`: nothing else will reach this address either.
 * - `unknown`: nobody can say whether it has it. It is sent again, under the same id.
 */
export type AttemptOutcome =
  | { readonly outcome: 'accepted' | 'unknown'; readonly answer: string }
  | { readonly outcome: 'later'; readonly answer: string }
  | { readonly outcome: 'refused'; readonly answer: string; readonly isRecipientGone: boolean };

/** Why a delivery failed for good. Admins read it; it holds nothing of what the other side wrote. */
export const DELIVERY_ERRORS = ['refused', 'outcome_unknown', 'gave_up', 'switched_off', 'suppressed'] as const;
export type DeliveryError = (typeof DELIVERY_ERRORS)[number];

/** An attempt whose outcome nobody knows is repeated so often at most. Each may be one more copy. */
const MORE_AFTER_UNKNOWN = 3;
const GIVE_UP_AFTER_MS = 3 * 86_400_000;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [60_000, 6 * 3_600_000];

export type NextStep =
  | { readonly state: 'delivered' }
  | { readonly state: 'failed'; readonly error: DeliveryError }
  | { readonly state: 'pending'; readonly pauseMs: number };

/**
 * What follows an attempt. Pauses double, because each is as long as the time since the first attempt: 1, 1, 2, 4 … 360
 * minutes.
 * @param since.unknowns attempts whose outcome nobody knows, this one included.
 * @param since.elapsedMs since it was queued. @param since.spread 0 to 1: keeps what failed together apart.
 */
export function decideNext(
  { outcome }: Pick<AttemptOutcome, 'outcome'>,
  { unknowns, elapsedMs, spread }: { unknowns: number; elapsedMs: number; spread: number },
): NextStep {
  if (outcome === 'accepted') return { state: 'delivered' };
  if (outcome === 'refused') return { state: 'failed', error: 'refused' };
  if (unknowns > MORE_AFTER_UNKNOWN) return { state: 'failed', error: 'outcome_unknown' };
  if (elapsedMs >= GIVE_UP_AFTER_MS) return { state: 'failed', error: 'gave_up' };
  const pauseMs = Math.min(Math.max(elapsedMs, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
  return { state: 'pending', pauseMs: Math.round(pauseMs * (1 + spread / 10)) };
}
