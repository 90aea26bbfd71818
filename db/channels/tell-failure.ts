import { sql } from 'kysely';
import type { TurnFailureCode } from '../../domain/errors.ts';
import type { Tx } from '../database.ts';
import { isToldOf } from './outbox.ts';

/** An outage fails turns by the thousand: while so many calls of the operator's wait, further ones are only counted. */
const MOST_WAITING = 1_000;

/**
 * Tells the operator's endpoints that a turn has failed, each failure once. Nothing is written where none asks for it.
 * Its calls are started by reconcile, within minutes, so that a failing turn waits for nothing.
 */
export function tellOfFailure(
  tx: Tx,
  { id, userId, model, attempt }: { id: string; userId: number; model: string; attempt: number },
  code: TurnFailureCode,
): void {
  const figures = JSON.stringify({ turnId: id, code, model, attempt });
  const isAsked = isToldOf({ userId, kind: 'turn.failed' });
  tx.write(sql`with told as (
      insert into notifications (user_id, kind, key, figures, title, body, purchase_url, created_at)
      select ${userId}, 'turn.failed', ${`${id}/${attempt}`}, ${figures}::jsonb, '', '', '', ${tx.clock()}
      where exists (select 1 from webhook_endpoints e where ${isAsked})
        and (select count(*) from (select 1 from deliveries d join webhook_endpoints o on o.id::text = d.address
          where d.channel = 'webhook' and d.state = 'pending' and o.scope = 'operator' limit ${MOST_WAITING}) w) < ${MOST_WAITING}
      on conflict (user_id, kind, key) where key is not null do nothing returning id
    )
    insert into deliveries (notification_id, channel, address, due_at, queued_at)
    select told.id, 'webhook', e.id::text, ${tx.clock()}, ${tx.clock()} from told, webhook_endpoints e where ${isAsked}`);
}
