import { z } from 'zod';
import { bankName } from '../../../domain/payments/banks.ts';
import type { PaymentMethod } from '../../../domain/payments/provider.ts';
import type { Look, Payment, PaymentFailure, PaymentStage, SeenRefund } from '../../../domain/payments/purchase.ts';
import { told } from '../told.ts';

const receiptUrl = z.url({ protocol: /^https?$/ });

const cancel = z.object({
  cancelAmount: z.int().min(0),
  cancelReason: z.string().nullish(),
  cancelStatus: z.enum(['IN_PROGRESS', 'DONE', 'ABORTED']).nullish(),
});

/** What of Toss's Payment object is used (version 2022-11-16). All else, such as the card, is dropped here. */
export const tossPayment = z.object({
  paymentKey: told,
  orderId: told,
  status: z.enum([
    'READY',
    'IN_PROGRESS',
    'WAITING_FOR_DEPOSIT',
    'DONE',
    'CANCELED',
    'PARTIAL_CANCELED',
    'ABORTED',
    'EXPIRED',
  ]),
  currency: told,
  totalAmount: z.int().min(0),
  approvedAt: z.string().nullish(),
  method: z.string().nullish(),
  secret: z.string().max(50).nullish(),
  receipt: z.object({ url: receiptUrl }).nullish(),
  // What cannot be shown is no reason to miss what was paid.
  cashReceipt: z.object({ receiptUrl: receiptUrl.nullish() }).nullish().catch(null),
  cancels: z.array(cancel).nullish(),
  virtualAccount: z
    .object({
      accountNumber: z.string(),
      bankCode: z.string(),
      customerName: z.string().nullish(),
      dueDate: z.string().nullish(),
      expired: z.boolean().nullish(),
      refundStatus: z.enum(['NONE', 'PENDING', 'FAILED', 'PARTIAL_FAILED', 'COMPLETED']).nullish(),
    })
    .nullish(),
});
export type TossPayment = z.infer<typeof tossPayment>;

/** @param known the payment that the buyer has come back with; null before. */
export function lookOf(
  data: TossPayment,
  { livemode, known }: { readonly livemode: boolean; readonly known: string | null },
): Look {
  const { paymentKey, orderId, currency, totalAmount, method, virtualAccount, receipt, cashReceipt, secret } = data;
  const stage = stageOf(data);
  const payment: Payment = {
    stage,
    orderId,
    currency,
    amount: totalAmount,
    livemode,
    paid: stage === 'paid' ? totalAmount : 0,
    refunds: stage === 'paid' ? refundsOf(data) : [],
    withdrawn: 0,
    isDisputed: false,
    failure: failureOf(data, stage),
  };
  // Until it is taken, a payment is the purchase's only once the buyer has come back with it: another window of the
  // same order may yet bring another.
  const isTaken = stage === 'paid' || stage === 'awaiting_deposit' || paymentKey === known;
  const account = stage === 'awaiting_deposit' ? (virtualAccount ?? null) : null;
  return {
    payment,
    paymentId: isTaken ? paymentKey : null,
    method: methodOf(method),
    dueAt: instantOf(virtualAccount?.dueDate),
    receiptUrl: receipt?.url ?? null,
    cashReceiptUrl: cashReceipt?.receiptUrl ?? null,
    deposit:
      account === null
        ? null
        : {
            bank: bankName(account.bankCode),
            accountNumber: account.accountNumber,
            holder: account.customerName ?? null,
          },
    hookSecret: secret ?? null,
  };
}

function stageOf({ status, approvedAt, virtualAccount }: TossPayment): PaymentStage {
  switch (status) {
    case 'READY':
      return 'open';
    case 'IN_PROGRESS':
      return 'pending';
    case 'WAITING_FOR_DEPOSIT':
      return virtualAccount?.expired === true ? 'expired' : 'awaiting_deposit';
    case 'DONE':
    case 'PARTIAL_CANCELED':
      return 'paid';
    case 'CANCELED':
      // One that is cancelled before its deposit was never paid.
      return approvedAt == null ? 'failed' : 'paid';
    case 'ABORTED':
      return 'failed';
    case 'EXPIRED':
      return 'expired';
  }
}

function failureOf({ status }: TossPayment, stage: PaymentStage): PaymentFailure | null {
  if (stage === 'expired') return 'expired';
  if (stage !== 'failed') return null;
  return status === 'CANCELED' ? 'cancelled' : 'declined';
}

const REFUND_ID = /\[([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\]$/;

/** Toss keeps no key of ours with a cancellation, so its reason ends with it. */
export function reasonOf(refundId: string): string {
  return `환불 [${refundId}]`;
}

function refundsOf({ status, totalAmount, cancels, virtualAccount }: TossPayment): SeenRefund[] {
  const all = cancels ?? [];
  // Of what is given back wholly without a word, nothing is left to us.
  if (status === 'CANCELED' && all.length === 0) return [{ refundId: null, amount: totalAmount, state: 'succeeded' }];
  return all.map(({ cancelAmount, cancelReason, cancelStatus }, i) => ({
    refundId: REFUND_ID.exec(cancelReason ?? '')?.[1] ?? null,
    amount: cancelAmount,
    state: stateOf(cancelStatus ?? 'DONE', i === all.length - 1 ? virtualAccount?.refundStatus : undefined),
  }));
}

/** What is paid back to a bank account is over when the bank has it: that is told of the last one only. */
function stateOf(
  status: 'IN_PROGRESS' | 'DONE' | 'ABORTED',
  atBank: NonNullable<TossPayment['virtualAccount']>['refundStatus'],
): SeenRefund['state'] {
  if (atBank === 'FAILED' || atBank === 'PARTIAL_FAILED' || status === 'ABORTED') return 'failed';
  return atBank === 'PENDING' || status === 'IN_PROGRESS' ? 'pending' : 'succeeded';
}

const METHODS = new Map<string, PaymentMethod>([
  ['카드', 'card'],
  ['계좌이체', 'transfer'],
  ['가상계좌', 'deposit'],
  ['간편결제', 'easy_pay'],
  ['휴대폰', 'phone'],
]);

function methodOf(method: string | null | undefined): PaymentMethod | null {
  return method == null ? null : (METHODS.get(method) ?? 'other');
}

/** Toss writes Korean time, sometimes without saying so. @returns milliseconds; null for what is no time. */
export function instantOf(text: string | null | undefined): number | null {
  if (text == null) return null;
  const at = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}+09:00`);
  return Number.isNaN(at) ? null : at;
}
