import { sql } from 'kysely';
import { AppError } from '../../domain/errors.ts';
import { openLabel, type Instant } from '../../domain/period.ts';
import { columnsOf, type Nullable, type RowOf, type Whole } from '../columns.ts';
import { instantOf, one, type Database } from '../database.ts';
import { Account, Period } from '../entities/account.ts';
import { LedgerEntry } from '../entities/ledger-entry.ts';
import { ModelRate } from '../entities/model-rate.ts';
import { Turn, TurnPrompt } from '../entities/turn.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from '../page.ts';

/** A period of an account by its label; `periodId` is null when nothing has ever touched the account in it. */
export interface Month {
  readonly label: string;
  readonly periodId: number | null;
}

/** What was used: in the model's tokens, and in `usedTokens` as debited. */
export interface UsageFigures {
  readonly turns: number;
  readonly promptTokens: number;
  /** Part of the prompt tokens. */
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly usedTokens: number;
}

/** @param month null: the open month. @throws AppError invalid_request for a month that has not begun. */
export async function findMonth(
  database: Database,
  { accountId, month }: { accountId: number; month: string | null },
): Promise<Month> {
  const on = database.reads;
  const { timeZone, label, startsAt, endsAt, wantedId, now } = await one(
    sql<RowOf<typeof clockColumns> & Nullable<RowOf<typeof periodColumns>> & { wantedId: number | null; now: Instant }>`
    select ${clockColumns}, ${periodColumns}, ${instantOf(on)} as now,
      (select id::float8 from periods where account_id = a.id and label = coalesce(${month}::text, p.label)) as "wantedId"
    from accounts a left join lateral (select * from periods where account_id = a.id order by ends_at desc limit 1) p on true where a.id = ${accountId}`,
    on,
  );
  const last = label === null || startsAt === null || endsAt === null ? null : { label, startsAt, endsAt };
  const open = openLabel(last, now, timeZone);
  const wanted = month ?? open;
  if (wanted > open) throw new AppError('invalid_request', { field: 'month', reason: 'has not begun' });
  // Without a month, the row is the last period's, which may have ended with nothing booked since.
  return { label: wanted, periodId: wanted === (month ?? label) ? wantedId : null };
}

export interface DayUsage extends UsageFigures {
  /** `YYYY-MM-DD` on the account's wall clock, in the zone set when the entry was booked. */
  readonly day: string;
  /** Part of `usedTokens` that no turn used. */
  readonly adjustedTokens: number;
}

interface PageOf {
  readonly month: Month;
  readonly limit: number;
  readonly cursor: string | null;
}

/** Newest day first; days without usage are left out. */
export async function listDays(database: Database, { month, limit, cursor }: PageOf): Promise<Page<DayUsage>> {
  const [before] = cursor === null ? ['infinity'] : decodeCursor(cursor, ['string']);
  const { rows } = await sql<DayUsage>`
    select u.day::text, ${figures}, coalesce(sum(u.used_tokens) filter (where u.rate_id is null), 0)::float8 as "adjustedTokens"
    from usage_rollups u where u.period_id = ${month.periodId} and u.day < ${before}::date
    group by u.day order by u.day desc limit ${limit + 1}`
    .execute(database.reads)
    .catch(rethrowBadCursor);
  return pageOf(rows, limit, ({ day }) => encodeCursor([day]));
}

export interface ModelUsage extends UsageFigures {
  /** Null for adjustments, which no model used. */
  readonly model: string | null;
  /** Versions of the model's rates by which debits of the month were made. */
  readonly rateVersions: readonly number[];
}

/** Models by name, adjustments last. */
export async function listModels(database: Database, { month, limit, cursor }: PageOf): Promise<Page<ModelUsage>> {
  const [after] = cursor === null ? [null] : decodeCursor(cursor, ['string']);
  const { rows } = await sql<ModelUsage>`
    select r.model, coalesce(array_agg(distinct r.version order by r.version) filter (where r.version is not null), '{}') as "rateVersions", ${figures}
    from usage_rollups u left join model_rates r on r.id = u.rate_id
    where u.period_id = ${month.periodId} and (${after}::text is null or r.model is null or r.model > ${after}::text)
    group by r.model order by r.model nulls last limit ${limit + 1}`
    .execute(database.reads)
    .catch(rethrowBadCursor);
  return pageOf(rows, limit, ({ model }) => encodeCursor([model ?? '']));
}

export interface LabelUsage extends UsageFigures {
  /** Null for what came without one: the chat, adjustments apart. */
  readonly label: string | null;
}

/** Labels by name, what has none last. Labels are the clients' own, so nothing is summed ahead of the question. */
export async function listLabels(database: Database, { month, limit, cursor }: PageOf): Promise<Page<LabelUsage>> {
  const [after] = cursor === null ? [null] : decodeCursor(cursor, ['string']);
  const { rows } = await sql<LabelUsage>`
    select q.label, count(*)::int as turns, sum(e.prompt_tokens)::float8 as "promptTokens",
      sum(e.cached_tokens)::float8 as "cachedTokens", sum(e.completion_tokens)::float8 as "completionTokens",
      sum(e.used_delta)::float8 as "usedTokens"
    from ledger_entries e left join turn_prompts q on q.turn_id = e.turn_id
    where e.period_id = ${month.periodId} and e.kind = 'debit'
      and (${after}::text is null or q.label is null or q.label > ${after}::text)
    group by q.label order by q.label nulls last limit ${limit + 1}`
    .execute(database.reads)
    .catch(rethrowBadCursor);
  return pageOf(rows, limit, ({ label }) => encodeCursor([label ?? '']));
}

export interface TurnUsage extends Omit<UsageFigures, 'turns' | 'usedTokens'> {
  readonly turnId: string;
  readonly conversationId: string;
  readonly day: string;
  readonly bookedAt: Instant;
  readonly model: string;
  /** Version of the rate that the turn's hold fixed. */
  readonly rateVersion: number;
  readonly debitedTokens: number;
  readonly estimated: boolean;
  /** Whom a client of the OpenAI door asked for. */
  readonly label: string | null;
}

/** The debits of a period, newest first. Adjustments are not turns, so they show only by day and by model. */
export async function listTurnUsage(database: Database, { month, limit, cursor }: PageOf): Promise<Page<TurnUsage>> {
  // A bound is always given, so that a prepared plan starts reading at it and not at the newest entry. The order is a
  // pair that only the period's index has. Otherwise the planner would walk the whole ledger from its end for a busy
  // account, and be wrong for the next.
  const [before] = cursor === null ? [Number.MAX_SAFE_INTEGER] : decodeCursor(cursor, ['number']);
  const { rows } = await sql<
    Whole<RowOf<typeof debitColumns>> &
      RowOf<typeof rateColumns> &
      RowOf<typeof turnColumns> &
      RowOf<typeof promptColumns>
  >`
    select ${debitColumns}, ${rateColumns}, ${turnColumns}, ${promptColumns}
    from ledger_entries e join model_rates r on r.id = e.rate_id join turns t on t.id = e.turn_id
      left join turn_prompts q on q.turn_id = e.turn_id
    where e.period_id >= ${month.periodId} and (e.period_id, e.id) < (${month.periodId}, ${before}::bigint) and e.kind = 'debit'
    order by e.period_id desc, e.id desc limit ${limit + 1}`
    .execute(database.reads)
    .catch(rethrowBadCursor);
  const page = pageOf(rows, limit, ({ entryId }) => encodeCursor([entryId]));
  return { ...page, items: page.items.map(({ entryId: _, ...row }) => row) };
}

const clockColumns = columnsOf(Account, 'a', ['timeZone']);
const periodColumns = columnsOf(Period, 'p', ['label', 'startsAt', 'endsAt']);
const debitColumns = columnsOf(LedgerEntry, 'e', {
  entryId: 'id',
  turnId: 'turnId',
  day: 'day',
  bookedAt: 'createdAt',
  promptTokens: 'promptTokens',
  cachedTokens: 'cachedTokens',
  completionTokens: 'completionTokens',
  debitedTokens: 'tokens',
  estimated: 'estimated',
});
const turnColumns = columnsOf(Turn, 't', ['conversationId']);
const promptColumns = columnsOf(TurnPrompt, 'q', ['label']);
const rateColumns = columnsOf(ModelRate, 'r', { model: 'model', rateVersion: 'version' });
const figures =
  sql.raw(`sum(u.turns)::float8 as turns, sum(u.prompt_tokens)::float8 as "promptTokens", sum(u.cached_tokens)::float8 as "cachedTokens",
  sum(u.completion_tokens)::float8 as "completionTokens", sum(u.used_tokens)::float8 as "usedTokens"`);
