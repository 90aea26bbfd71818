import { sql } from 'kysely';
import { AppError } from '../../../domain/errors.ts';
import { followingMonth, monthOf, openLabel, startOfMonth, type Instant } from '../../../domain/period.ts';
import { buildReport } from '../../../domain/reports/build-report.ts';
import { monthBefore } from '../../../domain/reports/patterns.ts';
import type { PersonReport } from '../../../domain/reports/person-report.ts';
import { first, instantOf, one, type Database, type Sql } from '../../database.ts';
import { lockAccountRow, periodOf, readLockedAccount } from '../../money/accounts.ts';
import { decodeCursor, encodeCursor, pageOf, type Page } from '../../page.ts';
import { zoneAt } from '../../people/zones.ts';
import { readClosedPeriod } from './closed-period.ts';

const LABEL = /^\d{4}-(0[1-9]|1[0-2])$/;

/**
 * The report of an account's closed month: the stored one, or the one that is made and stored now. Closed periods never
 * change, so one that is made late says the same.
 * @throws AppError not_found for a month that is not over, or that was over before the account's first.
 */
export async function getReport(
  database: Database,
  { accountId, label }: { accountId: number; label: string },
): Promise<PersonReport> {
  if (!LABEL.test(label)) throw new AppError('not_found');
  const stored = await findReport(database.sql, { accountId, label });
  if (stored !== null) return stored;
  const { first: oldest, open, timeZone } = await readSpan(database, accountId);
  if (label >= open) throw new AppError('not_found');
  const on = database.reads;
  const endsAt = startOfMonth(followingMonth(label), timeZone);
  const { periodId, zone } = await one(
    sql<{ periodId: number | null; zone: string }>`select p.id::float8 as "periodId",
      ${zoneAt(accountId, sql`coalesce(p.ends_at, ${new Date(endsAt)})`)} as zone
    from (select 1) one left join periods p on p.account_id = ${accountId} and p.label = ${label}`,
    on,
  );
  if (periodId === null && label < oldest) throw new AppError('not_found');
  const report = buildReport(await readClosedPeriod(on, { accountId, label, timeZone: zone, periodId }));
  return storeReport(database.sql, { accountId, label, periodId, report });
}

async function findReport(
  on: Sql,
  { accountId, label }: { accountId: number; label: string },
): Promise<PersonReport | null> {
  const found = await first(
    sql<{ body: PersonReport }>`select body from usage_reports where account_id = ${accountId} and label = ${label}`,
    on,
  );
  return found?.body ?? null;
}

/** Whoever was first has written it. */
async function storeReport(
  on: Sql,
  {
    accountId,
    label,
    periodId,
    report,
  }: { accountId: number; label: string; periodId: number | null; report: PersonReport },
): Promise<PersonReport> {
  await sql`insert into usage_reports (account_id, label, period_id, version, body, made_at)
    values (${accountId}, ${label}, ${periodId}, ${report.version}, ${JSON.stringify(report)}::jsonb, ${on.clock()})
    on conflict (account_id, label) do nothing`.execute(on);
  const stored = await findReport(on, { accountId, label });
  if (stored === null) throw new Error('a report that was stored is not there');
  return stored;
}

/**
 * The account's first month and the one that is open. The account is locked for a moment: whoever books in an earlier
 * period holds that lock and has read the clock behind it, so nothing is on its way into a closed one.
 */
async function readSpan(
  database: Database,
  accountId: number,
): Promise<{ first: string; open: string; timeZone: string }> {
  return database.locking({ accountId }, async (tx) => {
    await lockAccountRow(tx, accountId);
    const stored = await readLockedAccount(tx, accountId);
    const { timeZone, now } = stored;
    const { createdAt, createdIn } = await one(selectCreation(accountId), tx);
    return { first: monthOf(createdAt, createdIn), open: openLabel(periodOf(stored), now, timeZone), timeZone };
  });
}

/** When an account was made, and in which zone. */
function selectCreation(accountId: number) {
  return sql<{
    createdAt: Instant;
    createdIn: string;
  }>`select floor(extract(epoch from a.created_at) * 1000)::float8 as "createdAt",
    ${zoneAt(accountId, sql`a.created_at`)} as "createdIn" from accounts a where a.id = ${accountId}`;
}

/** The newest month before `label` in which something was used, if it is the period right before it. */
export async function findUsedBefore(
  on: Sql,
  { accountId, label }: { accountId: number; label: string },
): Promise<string | null> {
  const before = await first(
    sql<{ label: string; used: number }>`select label, used_tokens::float8 as used from periods
    where account_id = ${accountId} and label < ${label} order by label desc limit 1`,
    on,
  );
  return before === null || before.used === 0 ? null : before.label;
}

/** One closed month in the list of reports. */
export interface ReportLine {
  readonly label: string;
  readonly turns: number;
  readonly usedTokens: number;
}

/** Closed months from the account's first on, newest first, whether or not their reports are made yet. */
export async function listReports(
  database: Database,
  { accountId, limit, cursor }: { accountId: number; limit: number; cursor: string | null },
): Promise<Page<ReportLine>> {
  const on = database.reads;
  const { timeZone, createdAt, createdIn, now, last, oldest } = await one(
    sql<{
      timeZone: string;
      createdAt: Instant;
      createdIn: string;
      now: Instant;
      oldest: string | null;
      last: { label: string; startsAt: Instant; endsAt: Instant } | null;
    }>`select a.time_zone as "timeZone", c.*, ${instantOf(on)} as now,
      (select min(label) from periods where account_id = a.id) as oldest,
      (select jsonb_build_object('label', label, 'startsAt', floor(extract(epoch from starts_at) * 1000), 'endsAt', floor(extract(epoch from ends_at) * 1000))
        from periods where account_id = a.id order by ends_at desc limit 1) as last
    from accounts a cross join (${selectCreation(accountId)}) c where a.id = ${accountId}`,
    on,
  );
  const created = monthOf(createdAt, createdIn);
  const from = oldest !== null && oldest < created ? oldest : created;
  const open = openLabel(last, now, timeZone);
  const [before = open] = cursor === null ? [] : decodeCursor(cursor, ['string']);
  if (!LABEL.test(before))
    throw new AppError('invalid_request', { field: 'cursor', reason: 'not a cursor of this list' });
  const labels: string[] = [];
  for (
    let label = monthBefore(before < open ? before : open);
    label >= from && labels.length <= limit;
    label = monthBefore(label)
  )
    labels.push(label);
  const { rows } = await sql<ReportLine>`select p.label, p.used_tokens::float8 as "usedTokens",
      (select coalesce(sum(turns), 0)::float8 from usage_rollups where period_id = p.id) as turns
    from periods p where p.account_id = ${accountId} and p.label = any(${labels}::text[])`.execute(on);
  const used = new Map(rows.map((row) => [row.label, row]));
  const lines = labels.map((label) => used.get(label) ?? { label, turns: 0, usedTokens: 0 });
  return pageOf(lines, limit, ({ label }) => encodeCursor([label]));
}

/** Titles of conversations by turn: looked up when shown, so that what was erased is gone. */
export async function findTitles(
  database: Database,
  { userId, turnIds }: { userId: number; turnIds: readonly string[] },
): Promise<Map<string, { conversationId: string; title: string | null }>> {
  const { rows } = await sql<{ turnId: string; conversationId: string; title: string | null }>`
    select t.id as "turnId", c.id as "conversationId", c.title from turns t join conversations c on c.id = t.conversation_id
    where t.id = any(${turnIds}::uuid[]) and t.user_id = ${userId} and t.erased_at is null and c.erased_at is null and not t.is_api`.execute(
    database.reads,
  );
  return new Map(rows.map(({ turnId, ...found }) => [turnId, found]));
}
