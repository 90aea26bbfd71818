import { sql } from 'kysely';
import type { AccountCursor, TurnChange } from '../../domain/account-events.ts';
import { isShown } from '../alerts/notifications.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { one, type Sql } from '../database.ts';
import { Turn } from '../entities/turn.ts';

/**
 * Turns of one account are touched under its lock, with `clock_timestamp()` taken behind the lock. So touches rise in
 * the order of commits, and a reader who has read up to one has missed none before it. Only a question that no run has
 * admitted yet is written without the lock. Readers are told of it when it is admitted or refused.
 */
const DECIDED = sql.raw(`(state <> 'accepted' or ever_admitted)`);
const changeColumns = columnsOf(Turn, 't', {
  turnId: 'id',
  conversationId: 'conversationId',
  state: 'state',
  attempt: 'attempt',
});
const TOUCHED = sql.raw('(extract(epoch from touched_at) * 1000000)::bigint::float8');

/**
 * The newest place in an account's events. A notification that is not shown is no place: it is written without the
 * account's lock, so one that is shown may be committed after it with a smaller id.
 */
export async function readAccountTip(on: Sql, { userId }: { userId: number }): Promise<AccountCursor> {
  return one(
    sql<AccountCursor>`select
    coalesce((select ${TOUCHED} from turns where user_id = ${userId} and ${DECIDED} order by touched_at desc limit 1), 0) as touched,
    coalesce((select id::float8 from notifications where user_id = ${userId} and ${isShown} order by id desc limit 1), 0) as "notificationId"`,
    on,
  );
}

/** Turns that changed after `touched`, each once and as it is now, in the order of their last change. */
export async function findTurnsSince(
  on: Sql,
  { userId, touched, limit }: { userId: number; touched: number; limit: number },
): Promise<(TurnChange & { touched: number })[]> {
  const { rows } = await sql<
    RowOf<typeof changeColumns> & { touched: number }
  >`select ${changeColumns}, ${TOUCHED} as touched from turns t
    where user_id = ${userId} and ${DECIDED} and touched_at > timestamptz 'epoch' + ${touched}::bigint * interval '1 microsecond'
    order by touched_at limit ${limit}`.execute(on);
  return rows;
}
