import type { ProviderName } from './provider.ts';
import type { PurchaseState } from './purchase.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A hint may be lost, so a payment is also looked at by the clock; after these times since the purchase. */
const WHILE_OPEN = [2 * MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY];
/** For how long a payment is looked at: after the end of its purchase, of its deposit, or since it was made. */
export const WATCHED = {
  afterEnd: 10 * MINUTE,
  /** Some banks answer days after the buyer has paid. */
  pendingAfterEnd: 14 * DAY,
  /** A deposit may come after its due time. */
  depositAfterDue: 7 * DAY,
  disputed: 120 * DAY,
} as const;

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
    return now < dueAt + WATCHED.depositAfterDue ? HOUR : null;
  }
  if (isOpen(state)) {
    const over = expiresAt + WATCHED.afterEnd;
    const last = state === 'pending' ? expiresAt + WATCHED.pendingAfterEnd : over;
    if (now >= last) return null;
    const planned = WHILE_OPEN.map((after) => createdAt + after).find((at) => at > now) ?? now + DAY;
    return Math.max(SECOND, Math.min(planned, now < over ? over : last) - now);
  }
  return state === 'disputed' && now < createdAt + WATCHED.disputed ? DAY : null;
}

function isOpen(state: PurchaseState): boolean {
  return state === 'created' || state === 'pending' || state === 'failed';
}
