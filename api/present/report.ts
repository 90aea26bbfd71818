import type { z } from 'zod';
import type { OperatorReport } from '../../domain/reports/operator-report.ts';
import type { PersonReport } from '../../domain/reports/person-report.ts';
import type { operatorReport, usageReport } from '../wire/report.ts';
import { iso, isoOrNull } from './turn.ts';

/** A stored report with the titles of today. */
export function presentReport(
  report: PersonReport,
  titles: ReadonlyMap<string, { conversationId: string; title: string | null }>,
): z.infer<typeof usageReport> {
  const { startsAt, endsAt, costliest, forecast, days, hours, models, unusual, advice, limits, ...rest } = report;
  return {
    ...rest,
    startsAt: iso(startsAt),
    endsAt: iso(endsAt),
    days: [...days],
    hours: [...hours],
    models: [...models],
    costliest: costliest.map(({ bookedAt, ...turn }) => ({
      ...turn,
      bookedAt: iso(bookedAt),
      conversationId: titles.get(turn.turnId)?.conversationId ?? null,
      title: titles.get(turn.turnId)?.title ?? null,
    })),
    limits: { ...limits, daysAt90: [...limits.daysAt90] },
    forecast: {
      ...forecast,
      nextDepletesAt: isoOrNull(forecast.nextDepletesAt),
      depletedAt: isoOrNull(forecast.depletedAt),
    },
    unusual: [...unusual],
    advice: [...advice],
  };
}

export function presentOperatorReport(report: OperatorReport): z.infer<typeof operatorReport> {
  const { startsAt, endsAt, sales, cost, models, calibration, ...rest } = report;
  return {
    ...rest,
    startsAt: iso(startsAt),
    endsAt: iso(endsAt),
    sales: { ...sales, revenue: [...sales.revenue] },
    cost: { ...cost, known: [...cost.known] },
    models: models.map(({ errors, ...model }) => ({ ...model, errors: [...errors] })),
    calibration: [...calibration],
  };
}
