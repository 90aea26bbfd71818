export interface ReconcileActivities {
  reconcileTurns(): Promise<ReconcileReport>;
}

/** What one reconcile found and mended. */
export interface ReconcileReport {
  readonly settled: number;
  readonly started: number;
  readonly interrupted: number;
  /** Turns that could not be mended in this round. Absent in histories of older workers. */
  readonly failed?: number;
  readonly expiredHolds: number;
  /**
   * Accounts or periods whose counters, or periods whose rollups, differ from the sum of their ledger entries: must be
   * 0.
   */
  readonly mismatches: number;
}
