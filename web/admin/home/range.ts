import { dayAfter } from '../turns/days.ts';
import type { Address } from '../use-address.ts';

/** What the home may span; `custom` is what `from` and `to` of the address say. */
export const RANGES = ['today', '7d', '30d', 'month', 'custom'] as const;
export type RangeName = (typeof RANGES)[number];

/** Days `YYYY-MM-DD`, both included. */
export interface DayRange {
  readonly name: RangeName;
  readonly from: string;
  readonly to: string;
}

/** The range of the address: a week that ends today, unless it says another. What is no day is left to the API. */
export function rangeOf({ range, from, to }: Address, today: string): DayRange {
  const name = RANGES.find((known) => known === range) ?? (from === undefined && to === undefined ? '7d' : 'custom');
  if (name === 'custom') return { name, from: from ?? dayAfter(to ?? today, -6), to: to ?? today };
  return { name, from: BEGINNINGS[name](today), to: today };
}

const BEGINNINGS: Record<Exclude<RangeName, 'custom'>, (today: string) => string> = {
  today: (today) => today,
  '7d': (today) => dayAfter(today, -6),
  '30d': (today) => dayAfter(today, -29),
  month: (today) => `${today.slice(0, 7)}-01`,
};

/** By how many percent a figure is above (or below 0: under) the one before; null where there was none. */
export function changeOf(now: number, before: number): number | null {
  return before === 0 ? null : Math.round(((now - before) / before) * 100);
}
