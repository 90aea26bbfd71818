import { sql } from 'kysely';
import { AppError } from '../../domain/errors.ts';
import { Notification } from '../entities/notification.ts';
import { decodeCursor, encodeCursor, pageOf, rethrowBadCursor, type Page } from '../page.ts';
import { columnsOf, type RowOf, type Whole } from '../columns.ts';
import { first, one, type Database, type Sql } from '../database.ts';

const columns = columnsOf(Notification, 'n', ['id', 'level', 'title', 'body', 'purchaseUrl', 'createdAt', 'readAt']);

/** What the app shows: alerts, which have a level. Notifications of other kinds leave by other channels only. */
export const isShown = sql`level is not null`;

/** Instants in milliseconds. */
export type NotificationRecord = Readonly<Whole<Omit<RowOf<typeof columns>, 'readAt'>> & { readAt: number | null }>;

/**
 * Newest first, with the number of unread ones in the same snapshot.
 * @throws AppError invalid_request for a malformed cursor.
 */
export async function listNotifications(
  database: Database,
  list: { userId: number; unread: boolean; limit: number; cursor: string | null },
): Promise<Page<NotificationRecord> & { unreadCount: number }> {
  const before = list.cursor === null ? null : decodeCursor(list.cursor, ['number'])[0];
  const { rows } = await sql<Partial<NotificationRecord> & { unreadCount: number }>`
    select u.*, n.* from (select count(*)::int as "unreadCount" from notifications where user_id = ${list.userId} and ${isShown} and read_at is null) u
    left join lateral (
      select ${columns} from notifications n
      where user_id = ${list.userId} and ${isShown} and (not ${list.unread}::boolean or read_at is null) and (${before}::bigint is null or id < ${before}::bigint)
      order by id desc limit ${list.limit + 1}
    ) n on true`
    .execute(database.reads)
    .catch(rethrowBadCursor);
  const records = rows.flatMap(({ unreadCount: _, ...row }) => (isWhole(row) ? [row] : []));
  return { ...pageOf(records, list.limit, ({ id }) => encodeCursor([id])), unreadCount: rows[0]?.unreadCount ?? 0 };
}

/**
 * Marks a notification as read. The time of the first reading stays. @throws AppError not_found, for somebody else's as
 * well.
 */
export async function readNotification(
  database: Database,
  { notificationId, userId }: { notificationId: number; userId: number },
): Promise<NotificationRecord> {
  const found = await first(
    sql<NotificationRecord>`update notifications n set read_at = coalesce(read_at, ${database.sql.clock()})
    where id = ${notificationId} and user_id = ${userId} and ${isShown} returning ${columns}`,
    database.sql,
  );
  if (found === null) throw new AppError('not_found');
  return found;
}

/** @returns how many are unread afterwards: 0, unless one arrived meanwhile. */
export async function readAllNotifications(
  database: Database,
  { userId }: { userId: number },
): Promise<{ unreadCount: number }> {
  return database.transaction(async (tx) => {
    const unread = sql`from notifications where user_id = ${userId} and ${isShown} and read_at is null`;
    tx.write(sql`update notifications set read_at = ${tx.clock()} where id in (select id ${unread})`);
    return one(sql<{ unreadCount: number }>`select count(*)::int as "unreadCount" ${unread}`, tx);
  });
}

/**
 * Notifications after the id `after`, oldest first. The ids of what is shown to one reader rise in the order of
 * commits, because they are given under the account's lock.
 */
export async function findNotificationsSince(
  on: Sql,
  { userId, after, limit }: { userId: number; after: number; limit: number },
): Promise<NotificationRecord[]> {
  const { rows } =
    await sql<NotificationRecord>`select ${columns} from notifications n where user_id = ${userId} and ${isShown} and id > ${after} order by id limit ${limit}`.execute(
      on,
    );
  return rows;
}

/** An empty page has one row, which holds the count alone. */
function isWhole(row: Partial<NotificationRecord>): row is NotificationRecord {
  return row.id !== undefined && row.id !== null;
}
