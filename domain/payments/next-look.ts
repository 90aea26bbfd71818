import type { ProviderName } from './provider.ts';
import type { PurchaseState } from './purchase.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A hint may be lost, so a payment is also looked at by the clock; after these times since the purchase. */
const WHILE_OPEN = [2 * MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY];
/** A deposit may come after its due time. */
const LATE_DEPOSIT = 7 * DAY;
/** Some banks answer days after the buyer has paid. */
const LATE_ANSWER = 14 * DAY;
const DISPUTES_LAST = 120 * DAY;

/** What decides when a payment is looked at again. Instants in milliseconds. */
export interface Waiting {
  readonly provider: ProviderName;
  readonly state: PurchaseState;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly dueAt: number | null;
}

/**
 * How long until the payment is looked at again without a hint. Null: only a hint or the daily comparison makes anybody
 * look.
 */
export function nextLookMs({ provider, state, createdAt, expiresAt, dueAt }: Waiting, now: number): number | null {
  const isDeposit = state === 'awaiting_deposit' || (state === 'expired' && dueAt !== null);
  // The demo shop is on this machine, and whoever tries it is watching.
  if (provider === 'demo') return isDeposit || (isOpen(state) && now < expiresAt + MINUTE) ? 5 * SECOND : null;
  if (isDeposit) {
    if (dueAt === null || now < dueAt) return 10 * MINUTE;
    return now < dueAt + LATE_DEPOSIT ? HOUR : null;
  }
  if (isOpen(state)) {
    const over = expiresAt + 10 * MINUTE;
    const last = state === 'pending' ? expiresAt + LATE_ANSWER : over;
    if (now >= last) return null;
    const planned = WHILE_OPEN.map((after) => createdAt + after).find((at) => at > now) ?? now + DAY;
    return Math.max(SECOND, Math.min(planned, now < over ? over : last) - now);
  }
  return state === 'disputed' && now < createdAt + DISPUTES_LAST ? DAY : null;
}

function isOpen(state: PurchaseState): boolean {
  return state === 'created' || state === 'pending' || state === 'failed';
}
