import { sql } from 'kysely';
import type { Sql } from '../../database.ts';

/** A firing comes four hours after a month's end, and one for many accounts takes a while. */
const OVER_FOR = '6 hours';
/** What is older is told nobody any more: it would be no news. */
const AT_MOST = '3 days';

/**
 * Months of use that are over, and of whose report their person was not told: a page in the order of the periods' ids.
 */
export async function findUntold(
  on: Sql,
  { after, limit }: { after: number; limit: number },
): Promise<{ periodId: number; userId: number }[]> {
  const { rows } = await sql<{ periodId: number; userId: number }>`
    select p.id::float8 as "periodId", a.user_id::float8 as "userId" from periods p join accounts a on a.id = p.account_id
    where p.ends_at > ${on.clock()} - ${AT_MOST}::interval and p.ends_at <= ${on.clock()} - ${OVER_FOR}::interval
      and p.used_tokens > 0 and p.id > ${after}
      and not exists (select 1 from notifications n where n.user_id = a.user_id and n.kind = 'usage.report' and n.key = p.label)
    order by p.id limit ${limit}`.execute(on);
  return rows;
}
