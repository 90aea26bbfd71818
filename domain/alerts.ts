import type { Balance } from './balance.ts';
import type { Instant } from './period.ts';
import { levelOf, totalAvailable, type Level } from './policy.ts';

/** The levels that become a notification, lowest first; BLOCKED counts as CRITICAL. */
export const ALERT_LEVELS = ['WARNING', 'CRITICAL'] as const;
export type AlertLevel = (typeof ALERT_LEVELS)[number];

const ALERT_OF = {
  NORMAL: null,
  NOTICE: null,
  WARNING: 'WARNING',
  CRITICAL: 'CRITICAL',
  BLOCKED: 'CRITICAL',
} as const satisfies Record<Level, AlertLevel | null>;

/** @returns null below 90 %. */
export function alertLevelOf(balance: Balance): AlertLevel | null {
  return ALERT_OF[levelOf(balance.used, totalAvailable(balance))];
}

/** Whether `level` is `least` or higher. Null is the lowest. */
export function isAtLeast(level: AlertLevel | null, least: AlertLevel | null): boolean {
  return rankOf(level) >= rankOf(least);
}

function rankOf(level: AlertLevel | null): number {
  return level === null ? -1 : ALERT_LEVELS.indexOf(level);
}

/** The same level is sent again 24 hours after its last alert. */
const AGAIN_AFTER_MS = 24 * 3_600_000;

export interface SentAlert {
  readonly nth: number;
  readonly at: Instant;
}

/**
 * Whether the present level becomes an alert, and the number of that alert in the period (G20). Each level has its own
 * count, so that a WARNING never holds back a CRITICAL. Each period begins anew.
 * @param last the last alert of this level in this period.
 */
export function decideAlert(last: SentAlert | null, now: Instant): { nth: number } | null {
  if (last === null) return { nth: 1 };
  return now >= last.at + AGAIN_AFTER_MS ? { nth: last.nth + 1 } : null;
}
