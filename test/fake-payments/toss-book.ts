import { randomBytes } from 'node:crypto';
import { Refused } from './http.ts';

export interface Cancel {
  readonly cancelAmount: number;
  readonly cancelReason: string;
  readonly cancelStatus: 'IN_PROGRESS' | 'DONE' | 'ABORTED';
  readonly transactionKey: string;
  readonly canceledAt: string;
  readonly refundableAmount: number;
}

/** A payment, with the fields of the real one that say something here. */
export interface TossBooked {
  readonly version: '2022-11-16';
  readonly paymentKey: string;
  readonly orderId: string;
  readonly orderName: string;
  readonly status:
    'READY' | 'IN_PROGRESS' | 'WAITING_FOR_DEPOSIT' | 'DONE' | 'CANCELED' | 'PARTIAL_CANCELED' | 'ABORTED' | 'EXPIRED';
  readonly method: '카드' | '가상계좌' | '계좌이체' | '간편결제';
  readonly currency: string;
  readonly totalAmount: number;
  readonly balanceAmount: number;
  readonly requestedAt: string;
  readonly approvedAt: string | null;
  readonly secret: string;
  readonly lastTransactionKey: string | null;
  readonly cancels: readonly Cancel[] | null;
  readonly card: object | null;
  readonly virtualAccount: Readonly<Record<string, unknown>> | null;
  readonly receipt: { readonly url: string } | null;
  readonly cashReceipt: Readonly<Record<string, unknown>> | null;
  readonly failure: object | null;
}

const error = (status: number, code: string) => new Refused(status, { code, message: `${code} 오류입니다.` });
const newKey = (prefix: string) => `${prefix}${randomBytes(12).toString('hex')}`;
/** Canaries: whoever finds one of them in a log or a history has found a leak. */
export const CANARY_CARD = '43301234****9876';
export const CANARY_ACCOUNT = '70498112349871';
export const CANARY_HOLDER = '김카나리';

/** Toss's side of payments, with what it refuses. */
export class TossBook {
  readonly payments = new Map<string, TossBooked>();
  /** How often money was taken or given back, by payment. */
  readonly effects: { readonly what: 'confirm' | 'cancel'; readonly orderId: string; readonly amount: number }[] = [];
  readonly onChange: (payment: TossBooked, deposit: boolean) => void;

  constructor(onChange: TossBook['onChange']) {
    this.onChange = onChange;
  }

  /** The buyer has agreed in the window. @returns what the browser brings back. */
  begin(wanted: {
    orderId: string;
    amount: number;
    method?: TossBooked['method'];
    currency?: string;
    orderName?: string;
  }): TossBooked {
    return this.#keep({
      version: '2022-11-16',
      paymentKey: newKey('tgen_canary'),
      orderId: wanted.orderId,
      orderName: wanted.orderName ?? '토큰',
      status: 'IN_PROGRESS',
      method: wanted.method ?? '카드',
      currency: wanted.currency ?? 'KRW',
      totalAmount: wanted.amount,
      balanceAmount: wanted.amount,
      requestedAt: now(),
      approvedAt: null,
      secret: newKey('ps_canary'),
      lastTransactionKey: null,
      cancels: null,
      card: null,
      virtualAccount: null,
      receipt: null,
      cashReceipt: null,
      failure: null,
    });
  }

  get(paymentKey: string): TossBooked {
    const found = this.payments.get(paymentKey);
    if (found === undefined) throw error(404, 'NOT_FOUND_PAYMENT');
    return found;
  }

  /** The newest of the order. */
  ofOrder(orderId: string): TossBooked {
    const found = [...this.payments.values()].filter((payment) => payment.orderId === orderId).at(-1);
    if (found === undefined) throw error(404, 'NOT_FOUND_PAYMENT');
    return found;
  }

  confirm({ paymentKey, orderId, amount }: { paymentKey: string; orderId: string; amount: number }): TossBooked {
    const payment = this.payments.get(paymentKey);
    if (payment === undefined || payment.status === 'EXPIRED') throw error(404, 'NOT_FOUND_PAYMENT_SESSION');
    if (payment.orderId !== orderId || payment.totalAmount !== amount) throw error(400, 'INVALID_REQUEST');
    if (payment.status !== 'IN_PROGRESS') throw error(400, 'ALREADY_PROCESSED_PAYMENT');
    if ([...this.payments.values()].some((other) => other.orderId === orderId && other.approvedAt !== null))
      throw error(400, 'DUPLICATED_ORDER_ID');
    this.effects.push({ what: 'confirm', orderId, amount });
    if (payment.method !== '가상계좌') return this.#take(payment);
    return this.change(payment, {
      status: 'WAITING_FOR_DEPOSIT',
      virtualAccount: {
        accountType: '일반',
        accountNumber: CANARY_ACCOUNT,
        bankCode: '88',
        customerName: CANARY_HOLDER,
        dueDate: new Date(Date.now() + 9 * 3_600_000 + 86_400_000).toISOString().slice(0, 19),
        expired: false,
        refundStatus: 'NONE',
        settlementStatus: 'INCOMPLETED',
      },
    });
  }

  /** The card company says no; the payment is over. */
  decline(paymentKey: string, code: string): never {
    this.change(this.get(paymentKey), { status: 'ABORTED', failure: { code, message: '거절' } });
    throw error(code.startsWith('NOT_FOUND') ? 404 : 403, code);
  }

  cancel(
    paymentKey: string,
    { cancelReason, cancelAmount, refundReceiveAccount }: Readonly<Record<string, unknown>>,
  ): TossBooked {
    const payment = this.get(paymentKey);
    if (typeof cancelReason !== 'string' || cancelReason === '' || cancelReason.length > 200)
      throw error(400, 'INVALID_REQUEST');
    if (payment.status === 'CANCELED') throw error(400, 'ALREADY_CANCELED_PAYMENT');
    if (!['DONE', 'PARTIAL_CANCELED', 'WAITING_FOR_DEPOSIT'].includes(payment.status))
      throw error(403, 'NOT_CANCELABLE_PAYMENT');
    const amount = cancelAmount === undefined ? payment.balanceAmount : Number(cancelAmount);
    if (!Number.isSafeInteger(amount) || amount < 1 || amount > payment.balanceAmount)
      throw error(403, 'NOT_CANCELABLE_AMOUNT');
    if (payment.method === '가상계좌' && payment.approvedAt !== null) assertAccount(refundReceiveAccount);
    this.effects.push({ what: 'cancel', orderId: payment.orderId, amount });
    return this.#cancelled(payment, amount, cancelReason);
  }

  /** The buyer's bank has the money. `error`: it was a mistake, and the account waits again. */
  deposit(orderId: string, { error: isError = false } = {}): TossBooked {
    const payment = this.ofOrder(orderId);
    if (!isError) return this.#take(payment, true);
    return this.change(payment, { status: 'WAITING_FOR_DEPOSIT', approvedAt: null }, true);
  }

  expire(orderId: string): TossBooked {
    const payment = this.ofOrder(orderId);
    if (payment.virtualAccount === null) return this.change(payment, { status: 'EXPIRED' });
    return this.change(payment, { virtualAccount: { ...payment.virtualAccount, expired: true } });
  }

  /** A refund in the dashboard. */
  cancelHere(orderId: string, amount: number): TossBooked {
    return this.#cancelled(this.ofOrder(orderId), amount, '고객센터');
  }

  change(payment: TossBooked, change: Partial<TossBooked>, deposit = false): TossBooked {
    const changed = this.#keep({ ...payment, ...change, lastTransactionKey: newKey('tx') });
    this.onChange(changed, deposit);
    return changed;
  }

  #take(payment: TossBooked, deposit = false): TossBooked {
    const card = payment.method === '카드' ? { number: CANARY_CARD, approveNo: '00000000' } : null;
    const receipt = { url: `https://dashboard.tosspayments.test/receipt/${payment.orderId}` };
    // The buyer asked for it in the window; cards have none.
    const cashReceipt =
      card === null
        ? {
            type: '소득공제',
            receiptKey: newKey('cr'),
            issueNumber: '219843217',
            receiptUrl: `https://dashboard.tosspayments.test/cash-receipt/${payment.orderId}`,
            amount: payment.totalAmount,
            taxFreeAmount: 0,
          }
        : null;
    return this.change(payment, { status: 'DONE', approvedAt: now(), card, receipt, cashReceipt }, deposit);
  }

  #cancelled(payment: TossBooked, amount: number, cancelReason: string): TossBooked {
    const balanceAmount = payment.balanceAmount - amount;
    const cancel: Cancel = {
      cancelAmount: amount,
      cancelReason,
      cancelStatus: 'DONE',
      transactionKey: newKey('tx'),
      canceledAt: now(),
      refundableAmount: balanceAmount,
    };
    return this.change(payment, {
      balanceAmount,
      status: balanceAmount === 0 ? 'CANCELED' : 'PARTIAL_CANCELED',
      cancels: [...(payment.cancels ?? []), cancel],
    });
  }

  #keep(payment: TossBooked): TossBooked {
    this.payments.set(payment.paymentKey, payment);
    return payment;
  }
}

function assertAccount(account: unknown): void {
  if (typeof account !== 'object' || account === null) throw error(400, 'INVALID_REQUEST');
  const { bank, accountNumber, holderName } = account as Record<string, unknown>;
  if (typeof bank !== 'string' || !/^\d\d$/.test(bank)) throw error(400, 'INVALID_BANK');
  if (typeof accountNumber !== 'string' || !/^\d{6,20}$/.test(accountNumber))
    throw error(400, 'INVALID_REFUND_ACCOUNT_NUMBER');
  if (typeof holderName !== 'string' || holderName === '') throw error(400, 'INVALID_REFUND_ACCOUNT_INFO');
}

function now(): string {
  return `${new Date(Date.now() + 9 * 3_600_000).toISOString().slice(0, 19)}+09:00`;
}
