import { TypedSearchAttributes } from '@temporalio/common';
import {
  autoTopUpWorkflowId,
  purchaseWorkflowId,
  refundWorkflowId,
  taskQueues,
  WORKFLOW_TYPES,
} from '../../workflows/contract/ids.ts';
import { PURCHASE_HINT } from '../../workflows/contract/payments.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/contract/search-attributes.ts';
import { TOP_UP_CHANGED } from '../../workflows/contract/top-ups.ts';
import type { autoTopUp } from '../../workflows/payments/auto-top-up.ts';
import type { purchase } from '../../workflows/purchase.ts';
import type { refund } from '../../workflows/refund.ts';
import type { Temporal } from './connection.ts';
import { isWorkflowOpen } from './is-open.ts';

/** The workflows of purchases and refunds. PostgreSQL holds what they know, so one that is lost is started again. */
export interface PaymentRuns {
  /** Makes the purchase's workflow look now; starts it when there is none. @throws when Temporal is away for 5 s. */
  hint(purchase: { readonly purchaseId: string; readonly userId: number }): Promise<void>;
  /** Whether somebody watches the purchase. @throws as `hint`. */
  isWatched(purchaseId: string): Promise<boolean>;
  /** Whether somebody sees to the refund. @throws as `hint`. */
  isRefunding(refundId: string): Promise<boolean>;
  /** @throws as `hint`. */
  startRefund(refund: {
    readonly refundId: string;
    readonly purchaseId: string;
    readonly userId: number;
  }): Promise<void>;
  /** Whether somebody sees to the account's auto top-up. @throws as `hint`. */
  isToppingUp(accountId: number): Promise<boolean>;
  /**
   * Starts the account's auto top-up, or makes the one that runs look once more: it may have looked before the write
   * that this call follows, and be about to end. @throws as `hint`.
   */
  startTopUp(account: { readonly accountId: number; readonly userId: number }): Promise<void>;
}

const DEADLINE_MS = 5_000;

export function createPaymentRuns(temporal: Temporal, { taskQueuePrefix }: { taskQueuePrefix: string }): PaymentRuns {
  const { client, connection } = temporal;
  const taskQueue = taskQueues(taskQueuePrefix).background;
  // Accounts are numbered anew in each database, and installations with a prefix each may share a namespace.
  const topUpId = (accountId: number) => `${taskQueuePrefix}${autoTopUpWorkflowId(accountId)}`;
  const again = { workflowIdReusePolicy: 'ALLOW_DUPLICATE', workflowIdConflictPolicy: 'USE_EXISTING' } as const;
  return {
    isWatched: (purchaseId) => isWorkflowOpen(temporal, purchaseWorkflowId(purchaseId)),
    isRefunding: (refundId) => isWorkflowOpen(temporal, refundWorkflowId(refundId)),
    async hint({ purchaseId, userId }) {
      await connection.withDeadline(Date.now() + DEADLINE_MS, () =>
        client.workflow.signalWithStart<typeof purchase>(WORKFLOW_TYPES.purchase, {
          ...again,
          workflowId: purchaseWorkflowId(purchaseId),
          taskQueue,
          args: [{ purchaseId }],
          staticSummary: `purchase of user ${userId}`,
          typedSearchAttributes: ofUser(userId),
          signal: PURCHASE_HINT,
        }),
      );
    },
    isToppingUp: (accountId) => isWorkflowOpen(temporal, topUpId(accountId)),
    async startTopUp({ accountId, userId }) {
      await connection.withDeadline(Date.now() + DEADLINE_MS, () =>
        client.workflow.signalWithStart<typeof autoTopUp>(WORKFLOW_TYPES.autoTopUp, {
          ...again,
          workflowId: topUpId(accountId),
          taskQueue,
          args: [{ accountId }],
          staticSummary: `auto top-up of user ${userId}`,
          typedSearchAttributes: ofUser(userId),
          signal: TOP_UP_CHANGED,
        }),
      );
    },
    async startRefund({ refundId, purchaseId, userId }) {
      await connection.withDeadline(Date.now() + DEADLINE_MS, () =>
        client.workflow.start<typeof refund>(WORKFLOW_TYPES.refund, {
          ...again,
          workflowId: refundWorkflowId(refundId),
          taskQueue,
          args: [{ refundId }],
          staticSummary: `refund for user ${userId} of purchase ${purchaseId}`,
          typedSearchAttributes: ofUser(userId),
        }),
      );
    },
  };
}

function ofUser(userId: number): TypedSearchAttributes {
  return new TypedSearchAttributes([{ key: SEARCH_ATTRIBUTES.userId, value: String(userId) }]);
}
