import type { Look } from '../../domain/payments/purchase.ts';
import type { AtProvider } from './provider.ts';

/** A purchase whose checkout never reached the provider, or that nobody has begun to pay. */
export function unknownTo({ purchaseId, amount, currency, livemode, expiresAt }: AtProvider): Look {
  const isOver = Date.now() > expiresAt;
  return {
    payment: {
      stage: isOver ? 'expired' : 'open',
      orderId: purchaseId,
      amount,
      currency,
      livemode,
      paid: 0,
      refunds: [],
      withdrawn: 0,
      isDisputed: false,
      failure: isOver ? 'expired' : null,
    },
    paymentId: null,
    method: null,
    dueAt: null,
    receiptUrl: null,
    deposit: null,
    hookSecret: null,
  };
}
