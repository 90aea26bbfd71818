import { defineSignal } from '@temporalio/workflow';
import type { Comparison } from '../../domain/payments/listed.ts';
import type { PurchaseState } from '../../domain/payments/purchase.ts';
import type { RefundState } from '../../domain/payments/refund.ts';

/** Something may have changed at the provider: a webhook came, or an admin asks. It says nothing more. */
export const PURCHASE_HINT = defineSignal('hint');

export interface PurchaseInput {
  readonly purchaseId: string;
}

export interface RefundInput {
  readonly refundId: string;
}

/** Ids, words and figures only: what Temporal keeps must name neither card nor account nor the provider's keys. */
export interface PaymentActivities {
  /** Reads the payment at its provider and books what follows. */
  lookAtPurchase(input: { purchaseId: string; hinted: boolean }): Promise<PurchaseReport>;
  /** Asks the provider for the refund, unless it has it, and books what follows. */
  sendRefund(input: { refundId: string }): Promise<RefundReport>;
}

export interface PurchaseReport {
  readonly state: PurchaseState;
  /** Tokens booked by this look; negative when they were taken. */
  readonly booked: number;
  /** How long until the next look without a hint; null: no more. */
  readonly nextLookMs: number | null;
}

export interface ComparisonInput {
  /** `hourly`: the last two hours; `daily`: the last three days. */
  readonly comparison: Comparison;
}

export interface ComparisonActivities {
  comparePayments(input: ComparisonInput): Promise<ComparisonReport>;
}

/** Of all providers together. */
export interface ComparisonReport {
  readonly providers: number;
  readonly listed: number;
  readonly converged: number;
  readonly mismatches: number;
  readonly unmatched: number;
  readonly missing: number;
}

export interface RefundReport {
  readonly state: RefundState;
}
