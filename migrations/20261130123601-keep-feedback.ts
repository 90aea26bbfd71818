import { Migration } from '@mikro-orm/migrations';

/** What people say of answers: small rows of their own, so that no row of a turn is written for it. */
export class KeepFeedback extends Migration {
  override readonly name = '20261130123601-keep-feedback';

  override up(): void {
    this.addSql(`create table answer_feedback (
  turn_id uuid primary key references turns (id),
  model text not null,
  rating text not null constraint answer_feedback_rating_is_known check (rating in ('good', 'bad')),
  rated_at timestamptz not null default now()
)`);
  }
}
