import { useSyncExternalStore } from 'react';
import { subscribeOnline } from '../../shell/online.ts';
import { closedBy, useUsage } from '../../usage/use-usage.ts';
import { useRunning } from '../transcript/use-running.ts';

export type Hindrance = 'suspended' | 'exhausted' | 'running' | 'offline';

/** Why no question can be asked anew now; null when one can. */
export function useHindrance(conversationId: string | null): Hindrance | null {
  const { data: usage } = useUsage();
  const running = useRunning(conversationId);
  const online = useSyncExternalStore(subscribeOnline, () => navigator.onLine);
  return closedBy(usage) ?? (running !== null ? 'running' : online ? null : 'offline');
}
