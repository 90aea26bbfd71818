import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { ComparisonActivities, ComparisonInput, ComparisonReport } from '../contract/payments.ts';
import { recordFiring } from '../firing.ts';

const { comparePayments } = proxyActivities<ComparisonActivities>({
  startToCloseTimeout: '20 minutes',
  // A list of a provider may take a minute and a half by itself.
  heartbeatTimeout: '5 minutes',
  retry: { initialInterval: '30s', maximumAttempts: 3 },
  summary: 'the providers’ own lists against the books',
});

/** Compares what providers say happened with the books: see `comparePayments`. Its result shows in the Temporal UI. */
export async function paymentsReconcile({ comparison }: ComparisonInput): Promise<ComparisonReport> {
  recordFiring();
  const report = await comparePayments({ comparison });
  const { providers, listed, converged, mismatches, unmatched, missing } = report;
  setCurrentDetails(
    `${listed} entries of ${providers} providers: ${converged} purchases brought up to date, ${mismatches} mismatches, ${unmatched} payments unmatched, ${missing} MISSING there`,
  );
  return report;
}
