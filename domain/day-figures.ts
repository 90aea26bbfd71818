import { costOf, type Cost } from './cost.ts';
import { firstDeltaOf, type FirstDelta, type FirstDeltaCount } from './first-delta.ts';
import type { Currency } from './payments/money.ts';
import type { Usage } from './usage.ts';

/** Something of one day and one model. */
interface OfDay {
  /** `YYYY-MM-DD` */
  readonly day: string;
  readonly model: string;
}

type Counted = Omit<Usage, 'reasoningTokens'> & { readonly turns: number; readonly usedTokens: number };

/** What is known of some days, in no order. */
export interface DayFacts {
  readonly used: readonly (OfDay & Counted)[];
  readonly firstDeltas: readonly (OfDay & FirstDeltaCount)[];
  readonly failed: readonly (OfDay & { readonly failures: number })[];
}

/** What was used, what failed, how soon answers began and what the provider charges for it. */
export interface Figures extends Counted {
  readonly failures: number;
  /** Null: it is known of no turn. */
  readonly firstDelta: FirstDelta | null;
  /** By currency, since none is ever converted. Micros: millionths of a won or of a dollar. */
  readonly cost: readonly { readonly currency: Currency; readonly micros: number }[];
  /** Prompt and completion tokens of models whose cost nobody has said. */
  readonly unpricedTokens: number;
}

/** The figures of some days: in all, by day without gaps, and by model, the most used first. */
export interface RangeFigures {
  readonly total: Figures;
  readonly days: readonly (Figures & { readonly day: string })[];
  readonly models: readonly (Figures & { readonly model: string })[];
}

/**
 * A cost is rounded once a day and model, so that days add up to their range and models do too.
 * @param range both days are included. Facts of other days are left out.
 */
export function figuresOfRange(
  facts: DayFacts,
  { from, to }: { readonly from: string; readonly to: string },
  costs: ReadonlyMap<string, Cost>,
): RangeFigures {
  const within = <Fact extends OfDay>(list: readonly Fact[]) => list.filter(({ day }) => day >= from && day <= to);
  const inRange = {
    used: within(facts.used),
    firstDeltas: within(facts.firstDeltas),
    failed: within(facts.failed),
  };
  const models = [...new Set([...inRange.used, ...inRange.failed].map(({ model }) => model))];
  const byDay = splitBy(inRange, 'day');
  const byModel = splitBy(inRange, 'model');
  return {
    total: addUp(inRange, costs),
    days: daysOf(from, to).map((day) => ({ day, ...addUp(byDay(day), costs) })),
    models: models
      .map((model) => ({ model, ...addUp(byModel(model), costs) }))
      .sort((a, b) => b.usedTokens - a.usedTokens || (a.model < b.model ? -1 : 1)),
  };
}

/** What some tokens cost by model; models without a price are counted apart. */
export function costsOf(
  used: readonly (Pick<OfDay, 'model'> & Omit<Usage, 'reasoningTokens'>)[],
  costs: ReadonlyMap<string, Cost>,
): Pick<Figures, 'cost' | 'unpricedTokens'> {
  const cost = new Map<Currency, number>();
  let unpricedTokens = 0;
  for (const usage of used) {
    const price = costs.get(usage.model);
    if (price === undefined) unpricedTokens += usage.promptTokens + usage.completionTokens;
    else cost.set(price.currency, (cost.get(price.currency) ?? 0) + costOf(usage, price));
  }
  return {
    cost: [...cost]
      .map(([currency, micros]) => ({ currency, micros }))
      .sort((a, b) => (a.currency < b.currency ? -1 : 1)),
    unpricedTokens,
  };
}

function addUp({ used, firstDeltas, failed }: DayFacts, costs: ReadonlyMap<string, Cost>): Figures {
  const sum = (name: keyof Counted) => used.reduce((whole, part) => whole + part[name], 0);
  return {
    turns: sum('turns'),
    promptTokens: sum('promptTokens'),
    cachedTokens: sum('cachedTokens'),
    completionTokens: sum('completionTokens'),
    usedTokens: sum('usedTokens'),
    failures: failed.reduce((whole, { failures }) => whole + failures, 0),
    firstDelta: firstDeltaOf(firstDeltas),
    ...costsOf(used, costs),
  };
}

function splitBy({ used, firstDeltas, failed }: DayFacts, key: keyof OfDay): (value: string) => DayFacts {
  const split = {
    used: Map.groupBy(used, (fact) => fact[key]),
    firstDeltas: Map.groupBy(firstDeltas, (fact) => fact[key]),
    failed: Map.groupBy(failed, (fact) => fact[key]),
  };
  return (value) => ({
    used: split.used.get(value) ?? [],
    firstDeltas: split.firstDeltas.get(value) ?? [],
    failed: split.failed.get(value) ?? [],
  });
}

const DAY_MS = 86_400_000;

/** The day that is so many days later, or earlier where `days` is below 0. */
export function dayLater(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

/** How many days a range has, both ends included; 0 or fewer where it ends before it begins. */
export function daysBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
}

function daysOf(from: string, to: string): string[] {
  return Array.from({ length: daysBetween(from, to) }, (_, i) => dayLater(from, i));
}
