import { sendDelivery } from '../../operations/channels/deliver.ts';
import type { DeliveryActivities } from '../../workflows/contract/deliveries.ts';
import type { ActivityDeps } from '../deps.ts';
import { heartbeating } from '../heartbeat.ts';

/** An attempt that is repeated finds in PostgreSQL that the one before was cut off. */
export function createDeliverySteps(deps: ActivityDeps): DeliveryActivities {
  return {
    sendDelivery: ({ deliveryId }) => heartbeating(() => sendDelivery(deps, deliveryId)),
  };
}
