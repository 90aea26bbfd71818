import { sql } from 'kysely';
import { AppError } from '../../../domain/errors.ts';
import type { Model } from '../../../domain/model.ts';
import { followingMonth } from '../../../domain/period.ts';
import { buildOperatorReport } from '../../../domain/reports/build-operator-report.ts';
import type { OperatorReport } from '../../../domain/reports/operator-report.ts';
import { monthBefore } from '../../../domain/reports/patterns.ts';
import { first, one, readClock, type Database, type Sql } from '../../database.ts';
import { readCalls, readFlags } from './calls.ts';
import { readBlocked, readForecasts, readSales, readUsed } from './month.ts';

/** No period of a month ends later than this after the month in UTC: the last zone is 12 hours behind. */
const OVER_AFTER_MS = 13 * 3_600_000;

/** The last month that is over in every zone. */
async function lastMonthOver(on: Sql): Promise<string> {
  return monthBefore(new Date((await readClock(on)) - OVER_AFTER_MS).toISOString().slice(0, 7));
}

/**
 * The report of a month of all accounts: the stored one, or the one that is made now.
 * @param options.models the catalogue, whose prices say what calls cost. What is stored keeps its own.
 * @throws AppError not_found for a month that is not over everywhere, or before the first account.
 */
export async function getOperatorReport(
  database: Database,
  { label, models }: { label: string; models: readonly Pick<Model, 'name' | 'cost'>[] },
): Promise<OperatorReport> {
  const stored = await findOperatorReport(database.sql, label);
  if (stored !== null) return stored;
  const on = database.sql;
  if (label > (await lastMonthOver(on)) || label < (await firstMonth(on))) throw new AppError('not_found');
  const startsAt = Date.parse(`${label}-01`);
  const endsAt = Date.parse(`${followingMonth(label)}-01`);
  const span = { label, startsAt, endsAt };
  const { blockedAccounts, blockedTurns, ...cohort } = await readBlocked(on, { ...span, before: monthBefore(label) });
  const report = buildOperatorReport(
    {
      ...span,
      used: await readUsed(on, span),
      flags: await readFlags(on, span),
      calls: await readCalls(on, span),
      sales: await readSales(on, span),
      limits: { blockedAccounts, blockedTurns },
      cohort,
      forecasts: await readForecasts(on, span),
    },
    models,
  );
  await sql`insert into operator_reports (label, version, body, made_at)
    values (${label}, ${report.version}, ${JSON.stringify(report)}::jsonb, ${on.clock()}) on conflict (label) do nothing`.execute(
    on,
  );
  const made = await findOperatorReport(on, label);
  if (made === null) throw new Error('a report that was stored is not there');
  return made;
}

async function findOperatorReport(on: Sql, label: string): Promise<OperatorReport | null> {
  const found = await first(
    sql<{ body: OperatorReport }>`select body from operator_reports where label = ${label}`,
    on,
  );
  return found?.body ?? null;
}

async function firstMonth(on: Sql): Promise<string> {
  const { label } = await one(
    sql<{
      label: string;
    }>`select coalesce(least(to_char((select min(created_at) from accounts) at time zone 'UTC', 'YYYY-MM'),
      (select min(label) from periods)), '9999-12') as label`,
    on,
  );
  return label;
}

/** Months over everywhere, newest first, whether or not their reports are made yet. */
export async function listOperatorMonths(database: Database): Promise<{ label: string; isMade: boolean }[]> {
  const on = database.reads;
  const oldest = await firstMonth(on);
  const labels: string[] = [];
  for (let label = await lastMonthOver(on); label >= oldest; label = monthBefore(label)) labels.push(label);
  const { rows } = await sql<{ label: string }>`select label from operator_reports`.execute(on);
  const made = new Set(rows.map(({ label }) => label));
  return labels.map((label) => ({ label, isMade: made.has(label) }));
}
