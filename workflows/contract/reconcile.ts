export interface ReconcileActivities {
  reconcileTurns(): Promise<ReconcileReport>;
}

/** What one round of reconcile found and mended. */
export interface ReconcileReport {
  readonly settled: number;
  readonly started: number;
  readonly interrupted: number;
  /** Turns that this round could not mend. Absent in histories of older workers. */
  readonly failed?: number;
  /** Redrives whose workflow was not there. Absent in histories of older workers. */
  readonly redrives?: number;
  /** Purchases and refunds whose workflow was not there. Absent in histories of older workers. */
  readonly payments?: number;
  /** Deliveries, and resends of many, whose workflow was not there. Absent in histories of older workers. */
  readonly deliveries?: number;
  readonly expiredHolds: number;
  /**
   * Accounts or periods whose counters, or periods whose rollups, differ from the sum of their ledger entries. It must
   * be 0.
   */
  readonly mismatches: number;
}
