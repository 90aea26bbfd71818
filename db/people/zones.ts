import { sql, type RawBuilder } from 'kysely';
import type { LockedAccount } from '../money/locked-account.ts';
import type { Tx } from '../database.ts';

/** Sets an account's zone and keeps the one that it had until now. The caller holds the account's lock. */
export function changeZone(
  tx: Tx,
  { accountId, timeZone: former }: Pick<LockedAccount, 'accountId' | 'timeZone'>,
  timeZone: string,
): void {
  if (timeZone === former) return;
  tx.write(
    sql`insert into former_time_zones (account_id, time_zone, until) values (${accountId}, ${former}, ${tx.clock()})`,
  );
  tx.write(sql`update accounts set time_zone = ${timeZone} where id = ${accountId}`);
}

/** The zone that an account had at an instant, by which its days were booked then. */
export function zoneAt(accountId: RawBuilder<unknown> | number, at: RawBuilder<unknown>): RawBuilder<string> {
  return sql`coalesce((select f.time_zone from former_time_zones f where f.account_id = ${accountId} and f.until > ${at}
    order by f.until, f.id limit 1), (select z.time_zone from accounts z where z.id = ${accountId}))`;
}
