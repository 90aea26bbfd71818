import { followingMonth, startOfMonth, type Instant } from '../period.ts';
import { usagePercent } from '../policy.ts';
import { adviceOf } from './advice.ts';
import { daysBetween, daysStanding, depletionAtPace, forecastError, monthBefore, unusualDays } from './patterns.ts';
import { REPORT_VERSION, type Comparison, type PersonReport, type TurnSums } from './person-report.ts';

/** What is read of a closed period; the report follows from it alone. */
export interface ClosedPeriod {
  readonly label: string;
  readonly startsAt: Instant;
  readonly endsAt: Instant;
  readonly timeZone: string;
  /** Whether the account was there in an earlier month. */
  readonly hasBefore: boolean;
  /** The allowance of this period, and what the next one gets. */
  readonly allowanceTokens: number;
  readonly nextAllowanceTokens: number;
  readonly purchasedTokens: number;
  readonly spentAllowanceTokens: number;
  readonly spentPurchasedTokens: number;
  readonly overageTokens: number;
  /** Day and time of the account's first debit; null without any. */
  readonly firstDebitAt: Instant | null;
  readonly firstDebitDay: string | null;
  /** The period's rollups: sums by day and model, and adjustments (model null). */
  readonly rollups: readonly (TurnSums & { readonly day: string; readonly model: string | null })[];
  /** Sums by day of the periods before. */
  readonly earlier: readonly {
    readonly label: string;
    readonly day: string;
    readonly turns: number;
    readonly debitedTokens: number;
  }[];
  readonly hours: PersonReport['hours'];
  readonly costliest: PersonReport['costliest'];
  readonly reasoning: readonly { readonly model: string; readonly tokens: number }[];
  readonly history: PersonReport['history'];
  readonly booked: PersonReport['booked'];
  readonly estimatedTurns: number;
  readonly standing: readonly { readonly day: string; readonly wasThere: boolean; readonly isThere: boolean }[];
  readonly depletedAt: Instant | null;
  readonly blockedTurns: number;
  readonly forecasts: readonly (Instant | null)[];
}

/** A day below this part of the month's tokens is not called unusual. */
const LEAST_PART = 0.01;

export function buildReport(closed: ClosedPeriod): PersonReport {
  const { label, startsAt, endsAt, timeZone, rollups } = closed;
  const ofTurns = rollups.filter(({ model }) => model !== null);
  const sums = sumOf(ofTurns);
  const adjustedTokens = rollups.reduce(
    (sum, { model, debitedTokens }) => sum + (model === null ? debitedTokens : 0),
    0,
  );
  const usedTokens = sums.debitedTokens + adjustedTokens;
  const totalTokens = closed.allowanceTokens + closed.purchasedTokens + closed.spentPurchasedTokens;
  const calendar = daysBetween(startsAt, endsAt, timeZone);
  const models = modelsOf(ofTurns, closed.reasoning);
  const limits = { daysAt90: daysStanding(calendar, closed.standing), blockedTurns: closed.blockedTurns };
  return {
    version: REPORT_VERSION,
    label,
    startsAt,
    endsAt,
    timeZone,
    usage: {
      ...sums,
      usedTokens,
      adjustedTokens,
      reasoningTokens: models.reduce((sum, { reasoningTokens }) => sum + reasoningTokens, 0),
      meanTokens: sums.turns === 0 ? null : Math.round(sums.debitedTokens / sums.turns),
      estimatedTurns: closed.estimatedTurns,
    },
    available: {
      allowanceTokens: closed.allowanceTokens,
      purchasedTokens: closed.purchasedTokens,
      totalTokens,
      usagePercent: usagePercent(usedTokens, totalTokens),
      spentAllowanceTokens: closed.spentAllowanceTokens,
      spentPurchasedTokens: closed.spentPurchasedTokens,
      overageTokens: closed.overageTokens,
    },
    booked: closed.booked,
    before: compare(closed, sums),
    days: daysOf(rollups),
    hours: closed.hours,
    models,
    costliest: closed.costliest,
    history: closed.history,
    limits,
    forecast: forecastOf(closed, sums.debitedTokens),
    unusual: unusualOf(closed, { calendar, totalTokens }),
    advice: adviceOf({ ...sums, ...limits, daysAt90: limits.daysAt90.length, history: closed.history, models }),
  };
}

function sumOf(rows: readonly TurnSums[]): TurnSums {
  const of = (field: keyof TurnSums) => rows.reduce((sum, row) => sum + row[field], 0);
  return {
    turns: of('turns'),
    promptTokens: of('promptTokens'),
    cachedTokens: of('cachedTokens'),
    completionTokens: of('completionTokens'),
    debitedTokens: of('debitedTokens'),
  };
}

function daysOf(rollups: ClosedPeriod['rollups']): PersonReport['days'] {
  return [...Map.groupBy(rollups, ({ day }) => day)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([day, rows]) => ({
      day,
      ...sumOf(rows.filter(({ model }) => model !== null)),
      usedTokens: sumOf(rows).debitedTokens,
    }));
}

function modelsOf(rollups: ClosedPeriod['rollups'], reasoning: ClosedPeriod['reasoning']): PersonReport['models'] {
  const thought = new Map(reasoning.map(({ model, tokens }) => [model, tokens]));
  return [...Map.groupBy(rollups, ({ model }) => model ?? '')]
    .map(([model, rows]) => ({ model, ...sumOf(rows), reasoningTokens: thought.get(model) ?? 0 }))
    .sort((a, b) => b.debitedTokens - a.debitedTokens || (a.model < b.model ? -1 : 1));
}

/** Adjustments are no use, so turns alone are compared. */
function compare({ label, hasBefore, earlier, rollups }: ClosedPeriod, sums: TurnSums): Comparison | null {
  const before = monthBefore(label);
  const days = earlier.filter((day) => day.label === before);
  if (days.length === 0 && !hasBefore) return null;
  const length = Math.min(lengthOf(label), lengthOf(before));
  const within =
    (month: string) =>
    ({ day }: { readonly day: string }) =>
      day <= `${month}-${length}`;
  const tokensOf = (rows: readonly { readonly debitedTokens: number }[]) =>
    rows.reduce((sum, { debitedTokens }) => sum + debitedTokens, 0);
  return {
    label: before,
    turns: days.reduce((sum, { turns }) => sum + turns, 0),
    debitedTokens: tokensOf(days),
    sameDays: {
      days: length,
      debitedTokens:
        length === lengthOf(label) ? sums.debitedTokens : tokensOf(rollups.filter(ofTurns).filter(within(label))),
      before: length === lengthOf(before) ? tokensOf(days) : tokensOf(days.filter(within(before))),
    },
  };
}

function ofTurns({ model }: { readonly model: string | null }): boolean {
  return model !== null;
}

/** Days of a calendar month. */
function lengthOf(label: string): number {
  return (Date.parse(`${followingMonth(label)}-01`) - Date.parse(`${label}-01`)) / 86_400_000;
}

function forecastOf(closed: ClosedPeriod, debitedTokens: number): PersonReport['forecast'] {
  const { label, startsAt, endsAt, timeZone, firstDebitAt, depletedAt, forecasts } = closed;
  const nextTokens = closed.nextAllowanceTokens + closed.purchasedTokens;
  return {
    nextDepletesAt: depletionAtPace({
      from: endsAt,
      until: startOfMonth(followingMonth(followingMonth(label)), timeZone),
      tokens: nextTokens,
      usedTokens: debitedTokens,
      withinMs: endsAt - Math.max(startsAt, firstDebitAt ?? startsAt),
    }),
    nextTokens,
    made: forecasts.length,
    medianErrorDays: forecastError(forecasts, { depletedAt, endsAt }),
    depletedAt,
  };
}

function unusualOf(
  { rollups, earlier, firstDebitDay }: ClosedPeriod,
  { calendar, totalTokens }: { calendar: readonly string[]; totalTokens: number },
): PersonReport['unusual'] {
  if (firstDebitDay === null) return [];
  const used = new Map<string, number>();
  for (const { day, debitedTokens } of [...earlier, ...rollups.filter(ofTurns)])
    used.set(day, (used.get(day) ?? 0) + debitedTokens);
  // Where the zone was another meanwhile, days were booked that are none of the calendar's.
  const days = [...new Set([...calendar, ...rollups.map(({ day }) => day)])].sort();
  return unusualDays(days, { used, firstDay: firstDebitDay, least: Math.max(1, totalTokens * LEAST_PART) });
}
