import { expect, test } from '@jest/globals';
import { confirmOutcome, refundRefusal } from '../../../platform/payments/toss/outcomes.ts';
import { lookOf, reasonOf, tossPayment } from '../../../platform/payments/toss/payment.ts';

const REFUND_ID = '0199e7a0-1111-7222-8333-444455556666';
/** As Toss answers it, with what is not used. */
const ANSWER = {
  mId: 'tosspayments',
  version: '2022-11-16',
  paymentKey: 'tgen_1',
  orderId: 'order-1',
  status: 'DONE',
  currency: 'KRW',
  totalAmount: 10_000,
  balanceAmount: 10_000,
  approvedAt: '2026-11-30T10:00:00+09:00',
  method: '카드',
  card: { number: '43301234****9876' },
  secret: null,
  receipt: { url: 'https://dashboard.tosspayments.com/receipt/1' },
  cancels: null,
  virtualAccount: null,
};
const account = { accountNumber: '110123456789', bankCode: '88', customerName: '김', dueDate: '2026-12-01T23:59:59' };
const look = (change: object, known: string | null = null) =>
  lookOf(tossPayment.parse({ ...ANSWER, ...change }), { livemode: false, known });
const cancel = (change: object = {}) => ({ cancelAmount: 4_000, cancelReason: 'x', cancelStatus: 'DONE', ...change });

test.each<[object, string, number, string | null]>([
  [{ status: 'READY', approvedAt: null }, 'open', 0, null],
  [{ status: 'IN_PROGRESS', approvedAt: null }, 'pending', 0, null],
  [{ status: 'WAITING_FOR_DEPOSIT', approvedAt: null, virtualAccount: account }, 'awaiting_deposit', 0, null],
  [
    { status: 'WAITING_FOR_DEPOSIT', approvedAt: null, virtualAccount: { ...account, expired: true } },
    'expired',
    0,
    'expired',
  ],
  [{ status: 'DONE' }, 'paid', 10_000, null],
  [{ status: 'PARTIAL_CANCELED', cancels: [cancel()] }, 'paid', 10_000, null],
  [{ status: 'CANCELED', cancels: [cancel({ cancelAmount: 10_000 })] }, 'paid', 10_000, null],
  [{ status: 'CANCELED', approvedAt: null, cancels: [cancel()] }, 'failed', 0, 'cancelled'],
  [{ status: 'ABORTED', approvedAt: null }, 'failed', 0, 'declined'],
  [{ status: 'EXPIRED', approvedAt: null }, 'expired', 0, 'expired'],
])('%j is %s with %i paid', (change, stage, paid, failure) => {
  expect(look(change).payment).toMatchObject({ stage, paid, failure, amount: 10_000, currency: 'KRW', withdrawn: 0 });
});

test.each<[string, object, object | null, string, string | null]>([
  ['ours', { cancelReason: reasonOf(REFUND_ID) }, null, 'succeeded', REFUND_ID],
  ['of the dashboard', {}, null, 'succeeded', null],
  ['on its way', { cancelStatus: 'IN_PROGRESS' }, null, 'pending', null],
  ['given up', { cancelStatus: 'ABORTED' }, null, 'failed', null],
  ['at the bank', {}, { ...account, refundStatus: 'PENDING' }, 'pending', null],
  ['that the bank refused', {}, { ...account, refundStatus: 'FAILED' }, 'failed', null],
  ['that the bank has paid', {}, { ...account, refundStatus: 'COMPLETED' }, 'succeeded', null],
])('a refund %s', (_, change, virtualAccount, state, refundId) => {
  const { refunds } = look({ status: 'PARTIAL_CANCELED', cancels: [cancel(change)], virtualAccount }).payment;
  expect(refunds).toEqual([{ refundId, amount: 4_000, state }]);
});

test('what is cancelled without a word has given everything back, and what no table holds is no answer', () => {
  expect(look({ status: 'CANCELED' }).payment.refunds).toEqual([
    { refundId: null, amount: 10_000, state: 'succeeded' },
  ]);
  for (const change of [{ orderId: 'a\0' }, { paymentKey: '\ud800' }, { currency: '' }, { totalAmount: 0.5 }])
    expect(tossPayment.safeParse({ ...ANSWER, ...change }).success).toBe(false);
});

test('a payment is not the purchase’s until it is taken, or the buyer has come back with it', () => {
  const open = { status: 'IN_PROGRESS', approvedAt: null };
  expect([look(open).paymentId, look(open, 'tgen_1').paymentId, look({}).paymentId]).toEqual([
    null,
    'tgen_1',
    'tgen_1',
  ]);
});

test('a due time without a zone is Korean, and nothing of a card is kept', () => {
  const waiting = look({ status: 'WAITING_FOR_DEPOSIT', approvedAt: null, virtualAccount: account });
  expect(waiting.dueAt).toBe(Date.parse('2026-12-01T14:59:59Z'));
  expect(waiting.deposit).toEqual({ bank: '신한은행', accountNumber: '110123456789', holder: '김' });
  expect(JSON.stringify(look({}))).not.toContain('43301234');
});

test.each([
  ['REJECT_CARD_PAYMENT', 'declined'],
  ['EXCEED_MAX_AUTH_COUNT', 'declined'],
  ['NOT_FOUND_PAYMENT_SESSION', 'gone'],
  ['UNAUTHORIZED_KEY', 'ours'],
  ['DUPLICATED_ORDER_ID', 'ours'],
  ['IDEMPOTENT_REQUEST_PROCESSING', 'unknown'],
  ['ALREADY_PROCESSED_PAYMENT', 'unknown'],
  ['CARD_PROCESSING_ERROR', 'unknown'],
  ['A_CODE_OF_NEXT_YEAR', 'unknown'],
])('confirm: %s is %s', (code, outcome) => {
  expect(confirmOutcome(code)).toBe(outcome);
});

test.each([
  ['NOT_CANCELABLE_AMOUNT', 'refused'],
  ['INVALID_REFUND_ACCOUNT_NUMBER', 'account_refused'],
  ['FAILED_REFUND_PROCESS', null],
  ['ALREADY_CANCELED_PAYMENT', null],
])('cancel: %s is refused as %s', (code, failure) => {
  expect(refundRefusal(code)).toBe(failure);
});
