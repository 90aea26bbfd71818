import {
  CancellationScope,
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import { HEARTBEAT_TIMEOUT_MS } from '../../domain/attempt-limits.ts';
import type { ResendProgress } from '../../domain/channels/resend.ts';
import type { ResendActivities, ResendInput } from '../contract/resend.ts';

const { advanceResend } = proxyActivities<ResendActivities>({
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
  summary: 'begin more deliveries anew',
});

/** As of a redrive: a new run begins long before Temporal's limits. */
const MOST_EVENTS = 4_000;

/**
 * Sends many deliveries once more: `ratePerSecond` each second, until all are begun. Each then goes on in its own
 * workflow. PostgreSQL holds what is done, and says when an admin has cancelled; a cancel in the Temporal UI means the
 * same.
 */
export async function resendDeliveries(input: ResendInput): Promise<ResendProgress> {
  const { resendId, ratePerSecond, mostEvents = MOST_EVENTS } = input;
  let isCancelled = false;
  CancellationScope.current().cancelRequested.catch(() => {
    isCancelled = true;
  });
  return CancellationScope.nonCancellable(async () => {
    for (;;) {
      const progress = await advanceResend({ resendId, most: ratePerSecond, isCancelled });
      setCurrentDetails(describe(progress, ratePerSecond));
      if (progress.state !== 'running') return progress;
      await condition(() => isCancelled, '1 second');
      const { historyLength, continueAsNewSuggested } = workflowInfo();
      if (!isCancelled && (continueAsNewSuggested || historyLength > mostEvents))
        await continueAsNew<typeof resendDeliveries>(input);
    }
  });
}

function describe({ state, waiting, sending, delivered, failed }: ResendProgress, ratePerSecond: number): string {
  return `${state}, ${ratePerSecond} a second: ${delivered} delivered, ${failed} failed, ${sending} under way, ${waiting} waiting`;
}
