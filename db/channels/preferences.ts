import { sql } from 'kysely';
import {
  isSwitchable,
  NOTIFICATION_KINDS,
  SWITCHED_CHANNELS,
  type NotificationKind,
  type SwitchedChannel,
} from '../../domain/channels/kinds.ts';
import type { Database, Sql } from '../database.ts';

export interface Preference {
  readonly kind: NotificationKind;
  readonly channel: SwitchedChannel;
  readonly enabled: boolean;
}

/** All kinds and channels, in the order of their lists; what the person has not switched is on. */
export async function readPreferences(on: Sql, userId: number): Promise<Preference[]> {
  const { rows } = await sql<Preference>`select kind, channel, enabled from notification_preferences
    where user_id = ${userId}`.execute(on);
  const switched = new Map(rows.map(({ kind, channel, enabled }) => [`${kind}/${channel}`, enabled]));
  return NOTIFICATION_KINDS.flatMap((kind) =>
    SWITCHED_CHANNELS.map((channel) => ({
      kind,
      channel,
      enabled: !isSwitchable(kind) || (switched.get(`${kind}/${channel}`) ?? true),
    })),
  );
}

/** Changes those that are named; the others stay. In one order, so that two requests at once wait for each other. */
export async function writePreferences(
  database: Database,
  { userId, changes }: { userId: number; changes: readonly Preference[] },
): Promise<void> {
  if (changes.length === 0) return;
  const { sql: on } = database;
  const json = JSON.stringify(changes);
  await sql`insert into notification_preferences (user_id, kind, channel, enabled, changed_at)
    select ${userId}, c.kind, c.channel, c.enabled, ${on.clock()}
    from jsonb_to_recordset(${json}::jsonb) as c(kind text, channel text, enabled boolean) order by c.kind, c.channel
    on conflict (user_id, kind, channel) do update set enabled = excluded.enabled, changed_at = excluded.changed_at`.execute(
    on,
  );
}
