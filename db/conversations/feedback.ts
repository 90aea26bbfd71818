import { sql } from 'kysely';
import { AppError } from '../../domain/errors.ts';
import type { Rating } from '../../domain/feedback.ts';
import { first, type Database } from '../database.ts';

/**
 * Keeps what a person says of their answer; the last word counts.
 * @param rating null takes it back.
 * @throws AppError not_found: another's turn, or one without an answer.
 */
export async function rateAnswer(
  database: Database,
  { turnId, userId, rating }: { turnId: string; userId: number; rating: Rating | null },
): Promise<void> {
  const answered = sql`select id, model from turns
    where id = ${turnId} and user_id = ${userId} and state in ('completed', 'stopped') and answer <> ''`;
  const rated = await first(
    rating === null
      ? sql`with answered as (${answered}), taken as (delete from answer_feedback where turn_id in (select id from answered))
          select 1 from answered`
      : sql`insert into answer_feedback (turn_id, model, rating) select id, model, ${rating} from (${answered}) as answered
          on conflict (turn_id) do update set rating = excluded.rating, rated_at = now() returning 1`,
    database.sql,
  );
  if (rated === null) throw new AppError('not_found');
}

/** How many answers of a model were rated, and how. */
export interface FeedbackCount {
  readonly model: string;
  readonly good: number;
  readonly bad: number;
}

/** Of each model that has any, by its name. Instants in milliseconds; null: from the first, to the last. */
export async function countFeedback(
  database: Database,
  { from, to }: { from: number | null; to: number | null },
): Promise<FeedbackCount[]> {
  const at = (instant: number | null) => (instant === null ? null : new Date(instant));
  const { rows } = await sql<FeedbackCount>`
    select model, count(*) filter (where rating = 'good')::int as good, count(*) filter (where rating = 'bad')::int as bad
    from answer_feedback where (${at(from)}::timestamptz is null or rated_at >= ${at(from)}::timestamptz)
      and (${at(to)}::timestamptz is null or rated_at < ${at(to)}::timestamptz)
    group by model order by model`.execute(database.reads);
  return rows;
}
