import { beginResending, cancelResend, getResend } from '../../db/channels/resends.ts';
import { resendDelivery } from '../../operations/channels/start-deliveries.ts';
import type { ResendActivities } from '../../workflows/contract/resend.ts';
import type { ActivityDeps } from '../deps.ts';
import { heartbeating } from '../heartbeat.ts';

/** PostgreSQL says what was begun: a step that is run twice begins the next ones, and reconcile starts what is due. */
export function createResendSteps(deps: ActivityDeps): ResendActivities {
  const { database } = deps;
  return {
    advanceResend: ({ resendId, most, isCancelled }) =>
      heartbeating(async () => {
        if (isCancelled) await cancelResend(database, { resendId, actor: null, reason: null });
        for (const deliveryId of await beginResending(database, { resendId, most }))
          await resendDelivery(deps, deliveryId);
        const { state, waiting, sending, delivered, failed } = await getResend(database.sql, resendId);
        return { state, waiting, sending, delivered, failed };
      }),
  };
}
