import { ApplicationFailure } from '@temporalio/common';
import { condition, proxyActivities, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import { TRY_NOW, type DeliveryActivities, type DeliveryInput, type DeliveryReport } from './contract/deliveries.ts';
import { deliveriesQueueOf } from './contract/ids.ts';

/**
 * Takes one notification to one address, for as long as it takes. Each attempt and each pause shows in the Temporal UI.
 * What it knows stands in PostgreSQL: a run that is lost is started again, and goes on there.
 */
export async function deliver({ deliveryId }: DeliveryInput): Promise<DeliveryReport> {
  const { sendDelivery } = proxyActivities<DeliveryActivities>({
    // A server that is slow must not keep the places of other work.
    taskQueue: deliveriesQueueOf(workflowInfo().taskQueue),
    startToCloseTimeout: '1 minute',
    heartbeatTimeout: '10s',
    retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '1m' },
    summary: 'one attempt',
  });
  let isAskedToTry = false;
  setHandler(TRY_NOW, () => {
    isAskedToTry = true;
  });
  for (;;) {
    isAskedToTry = false;
    const report = await sendDelivery({ deliveryId });
    setCurrentDetails(describe(report));
    if (report.pauseMs !== null) await condition(() => isAskedToTry, Math.max(1_000, report.pauseMs));
    else if (!isAskedToTry) return end(report);
  }
}

/** A delivery that failed fails its workflow, so that a query of the Temporal UI finds it. */
function end(report: DeliveryReport): DeliveryReport {
  if (report.state === 'failed') throw ApplicationFailure.nonRetryable(report.error ?? 'failed', 'DeliveryFailed');
  return report;
}

function describe({ state, attempts, error, answer, pauseMs }: DeliveryReport): string {
  const said = answer === null || answer === '' ? '' : `, answered ${answer}`;
  const next = pauseMs === null ? '' : `; tried again in ${Math.round(pauseMs / 1_000)} s`;
  return `${state}${error === null ? '' : ` (${error})`} after ${attempts} attempts${said}${next}`;
}
