import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { ReconcileActivities, ReconcileReport } from './contract/reconcile.ts';
import { recordFiring } from './firing.ts';

const { reconcileTurns } = proxyActivities<ReconcileActivities>({
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '5s', maximumAttempts: 3 },
  summary: 'turns that nothing runs any more, then counters against the ledger',
});

/** Mends the turns that no live workflow will end: see `reconcileTurns`. Its result shows in the Temporal UI. */
export async function reconcile(): Promise<ReconcileReport> {
  recordFiring();
  const report = await reconcileTurns();
  setCurrentDetails(describe(report));
  return report;
}

function describe({
  settled,
  started,
  interrupted,
  failed = 0,
  redrives = 0,
  payments = 0,
  deliveries = 0,
  expiredHolds,
  mismatches,
}: ReconcileReport): string {
  const found = Object.entries({
    settled,
    started,
    interrupted,
    'not mended': failed,
    'redrives started': redrives,
    'payments started': payments,
    'deliveries started': deliveries,
    'holds expired': expiredHolds,
  }).filter(([, count]) => count > 0);
  const mended = found.length === 0 ? 'nothing to mend' : found.map(([what, count]) => `${count} ${what}`).join(', ');
  return `${mended}; ${mismatches === 0 ? 'counters equal the ledger' : `COUNTERS OF ${mismatches} DIFFER FROM THE LEDGER`}`;
}
