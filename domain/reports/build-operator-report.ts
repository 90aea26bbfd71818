import { costOf } from '../cost.ts';
import type { Model } from '../model.ts';
import type { Instant } from '../period.ts';
import { OPERATOR_REPORT_VERSION, type OperatorReport } from './operator-report.ts';
import { forecastError, median } from './patterns.ts';
import type { TurnSums } from './person-report.ts';

type Calls = {
  readonly model: string;
  readonly isLost: boolean;
  readonly code: string | null;
  readonly calls: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
};

/** What is read of a month of all accounts; the report follows from it alone. */
export interface OperatorMonth {
  readonly label: string;
  readonly startsAt: Instant;
  readonly endsAt: Instant;
  readonly used: {
    readonly overageTokens: number;
    readonly spentPurchasedTokens: number;
    readonly activeAccounts: number;
    /** By model; adjustments have none. */
    readonly models: readonly (TurnSums & { readonly model: string | null })[];
  };
  readonly flags: {
    readonly debits: number;
    readonly estimated: number;
    readonly overHold: number;
    readonly ceilingMoved: number;
  };
  readonly calls: readonly Calls[];
  readonly sales: OperatorReport['sales'];
  readonly limits: OperatorReport['limits'];
  readonly cohort: OperatorReport['cohort'];
  readonly forecasts: readonly {
    readonly madeAt: Instant;
    readonly depletesAt: Instant | null;
    readonly depletedAt: Instant | null;
    readonly endsAt: Instant;
  }[];
}

export function buildOperatorReport(
  month: OperatorMonth,
  models: readonly Pick<Model, 'name' | 'cost'>[],
): OperatorReport {
  const { label, startsAt, endsAt, used, flags, calls, sales, limits, cohort, forecasts } = month;
  const ofTurns = used.models.filter(({ model }) => model !== null);
  const sum = (field: keyof TurnSums) => ofTurns.reduce((all, row) => all + row[field], 0);
  const usedTokens = used.models.reduce((all, { debitedTokens }) => all + debitedTokens, 0);
  return {
    version: OPERATOR_REPORT_VERSION,
    label,
    startsAt,
    endsAt,
    usage: {
      turns: sum('turns'),
      promptTokens: sum('promptTokens'),
      cachedTokens: sum('cachedTokens'),
      completionTokens: sum('completionTokens'),
      debitedTokens: sum('debitedTokens'),
      usedTokens,
      adjustedTokens: usedTokens - sum('debitedTokens'),
      overageTokens: used.overageTokens,
      spentPurchasedTokens: used.spentPurchasedTokens,
      activeAccounts: used.activeAccounts,
      debits: flags.debits,
      estimatedTurns: flags.estimated,
      overHoldTurns: flags.overHold,
      ceilingMovedTurns: flags.ceilingMoved,
    },
    sales,
    cost: costs(calls, models),
    models: modelsOf(ofTurns, calls),
    cohort,
    limits,
    calibration: calibrate(forecasts),
  };
}

function costs(calls: readonly Calls[], models: readonly Pick<Model, 'name' | 'cost'>[]): OperatorReport['cost'] {
  const prices = new Map(models.map(({ name, cost }) => [name, cost]));
  const known = new Map<string, OperatorReport['cost']['known'][number]>();
  let callsWithoutPrice = 0;
  for (const call of calls) {
    const price = prices.get(call.model);
    if (price === undefined) {
      callsWithoutPrice += call.calls;
      continue;
    }
    const micros = costOf(call, price);
    const { currency } = price;
    const before = known.get(currency) ?? { currency, micros: 0, lostMicros: 0 };
    known.set(currency, {
      currency,
      micros: before.micros + micros,
      lostMicros: before.lostMicros + (call.isLost ? micros : 0),
    });
  }
  return { known: [...known.values()].sort((a, b) => (a.currency < b.currency ? -1 : 1)), callsWithoutPrice };
}

function modelsOf(ofTurns: OperatorMonth['used']['models'], calls: readonly Calls[]): OperatorReport['models'] {
  const names = new Set([...ofTurns.map(({ model }) => model ?? ''), ...calls.map(({ model }) => model)]);
  const nothing = { turns: 0, promptTokens: 0, cachedTokens: 0, completionTokens: 0, debitedTokens: 0 };
  return [...names]
    .map((model) => {
      const own = calls.filter((call) => call.model === model);
      const count = (rows: readonly Calls[]) => rows.reduce((all, row) => all + row.calls, 0);
      const lost = own.filter(({ isLost }) => isLost);
      const errors = Map.groupBy(
        own.filter(({ code }) => code !== null),
        ({ code }) => code ?? '',
      );
      const { model: _, ...sums } = ofTurns.find((row) => row.model === model) ?? { model, ...nothing };
      return {
        model,
        ...sums,
        calls: count(own),
        lostCalls: count(lost),
        lostTokens: lost.reduce((all, row) => all + row.promptTokens + row.completionTokens, 0),
        errors: [...errors]
          .map(([code, rows]) => ({ code, calls: count(rows) }))
          .sort((a, b) => b.calls - a.calls || (a.code < b.code ? -1 : 1)),
      };
    })
    .sort((a, b) => b.debitedTokens - a.debitedTokens || (a.model < b.model ? -1 : 1));
}

const DAY_MS = 86_400_000;
const BUCKETS = [
  ['0-7', 7],
  ['8-14', 14],
  ['15-31', Infinity],
] as const;

/** How far forecasts were off, by how long before the period's end they were made. */
function calibrate(forecasts: OperatorMonth['forecasts']): OperatorReport['calibration'] {
  const errors = new Map<string, number[]>();
  for (const { madeAt, depletesAt, ...real } of forecasts) {
    const days = (real.endsAt - madeAt) / DAY_MS;
    const [name] = BUCKETS.find(([, most]) => days <= most) ?? BUCKETS[2];
    const own = errors.get(name) ?? [];
    own.push(forecastError([depletesAt], real) ?? 0);
    errors.set(name, own);
  }
  return BUCKETS.flatMap(([daysBefore]) => {
    const own = errors.get(daysBefore);
    return own === undefined
      ? []
      : [{ daysBefore, forecasts: own.length, medianErrorDays: Math.round(median(own) * 10) / 10 }];
  });
}
