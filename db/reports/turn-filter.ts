import { sql, type RawBuilder } from 'kysely';
import type { TurnFilter } from '../../domain/turn-filter.ts';

/**
 * The filter as conditions on `turns t`. Each kind of filter has its index (migrations, find-turns-for-admins). The
 * state is written into the statement itself, so that the planner sees which partial index fits.
 */
export function matches(filter: TurnFilter): RawBuilder<unknown> {
  const { state, code, userId, conversationId, model, from, to, replayed } = filter;
  const conditions = [
    ...(state === undefined ? [] : [sql`t.state = ${sql.lit(state)}`]),
    ...(code === undefined ? [] : [sql`t.error_code = ${code}`]),
    ...(userId === undefined ? [] : [sql`t.user_id = ${userId}`]),
    ...(conversationId === undefined ? [] : [sql`t.conversation_id = ${conversationId}`]),
    ...(model === undefined ? [] : [sql`t.model = ${model}`]),
    ...(from === undefined ? [] : [sql`t.created_at >= ${new Date(from)}`]),
    ...(to === undefined ? [] : [sql`t.created_at < ${new Date(to)}`]),
    ...(replayed === undefined ? [] : [replayed ? sql`t.replayed_at is not null` : sql`t.replayed_at is null`]),
  ];
  return conditions.length === 0 ? sql`true` : sql.join(conditions, sql` and `);
}
