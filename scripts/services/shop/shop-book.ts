import { readFileSync, renameSync, writeFileSync } from 'node:fs';

export interface DemoRefund {
  readonly refundId: string;
  readonly amount: number;
  readonly status: 'succeeded';
}

/** A payment of the demo shop, as its API says it. Amounts in the smallest unit, instants in milliseconds. */
export interface DemoPayment {
  readonly orderId: string;
  readonly orderName: string;
  readonly amount: number;
  readonly currency: string;
  readonly returnUrl: string;
  /** Where hints go; null: nowhere. */
  readonly notifyUrl: string | null;
  readonly expiresAt: number;
  readonly status: 'open' | 'awaiting_deposit' | 'paid' | 'declined' | 'expired';
  readonly method: 'card' | 'deposit' | null;
  readonly dueAt: number | null;
  readonly paid: number;
  readonly refunds: readonly DemoRefund[];
  readonly withdrawn: number;
  readonly disputed: boolean;
  /** Counts its changes. */
  readonly version: number;
  /** When the last of them came. */
  readonly changedAt: number;
}

type Opening = Pick<
  DemoPayment,
  'orderId' | 'orderName' | 'amount' | 'currency' | 'returnUrl' | 'notifyUrl' | 'expiresAt'
>;

/** What the owner of the machine may do to a payment, as the buyer's bank would. */
export const ACTS = ['deposit', 'lose-deposit', 'dispute', 'withdraw', 'win', 'lose', 'refund'] as const;

/** The shop's payments, in a file, so that a new start knows them. */
export class ShopBook {
  readonly #file: string;
  readonly #payments: Map<string, DemoPayment>;

  constructor(file: string) {
    this.#file = file;
    this.#payments = new Map(readPayments(file).map((payment) => [payment.orderId, payment]));
  }

  /** Newest first. */
  all(): DemoPayment[] {
    return [...this.#payments.keys()].reverse().flatMap((orderId) => this.get(orderId) ?? []);
  }

  /** A payment whose time is over has expired; so has a deposit, until it arrives all the same. */
  get(orderId: string): DemoPayment | null {
    const payment = this.#payments.get(orderId);
    if (payment === undefined) return null;
    const until =
      payment.status === 'open' ? payment.expiresAt : payment.status === 'awaiting_deposit' ? payment.dueAt : null;
    return until !== null && Date.now() > until ? { ...payment, status: 'expired' } : payment;
  }

  /** The same order again is the same payment. @returns null when it differs. */
  open(opening: Opening): DemoPayment | null {
    const known = this.get(opening.orderId);
    if (known !== null) return known.amount === opening.amount && known.currency === opening.currency ? known : null;
    return this.#keep({
      ...opening,
      status: 'open',
      method: null,
      dueAt: null,
      paid: 0,
      refunds: [],
      withdrawn: 0,
      disputed: false,
      version: 0,
      changedAt: 0,
    });
  }

  /** What the buyer chose. @returns null when nothing is left to choose. */
  decide(orderId: string, choice: string, minutes: number): DemoPayment | null {
    const payment = this.get(orderId);
    if (payment?.status !== 'open') return null;
    if (choice === 'pay') return this.#keep({ ...payment, status: 'paid', method: 'card', paid: payment.amount });
    if (choice === 'decline') return this.#keep({ ...payment, status: 'declined' });
    if (choice !== 'later') return null;
    // The page offers a minute at least; programs need not wait as long.
    const dueAt = Date.now() + Math.min(Math.max(minutes, 1 / 60), 10_080) * 60_000;
    return this.#keep({ ...payment, status: 'awaiting_deposit', method: 'deposit', dueAt });
  }

  /** @returns why it is refused, or null. The same refund again is the same refund. */
  refund(orderId: string, { refundId, amount }: { refundId: string; amount: number }): string | null {
    const payment = this.get(orderId);
    if (payment === null) return 'no_such_payment';
    if (payment.refunds.some((refund) => refund.refundId === refundId)) return null;
    const left = payment.paid - payment.withdrawn - payment.refunds.reduce((sum, refund) => sum + refund.amount, 0);
    if (payment.disputed) return 'disputed';
    if (payment.status !== 'paid' || !Number.isSafeInteger(amount) || amount < 1 || amount > left) return 'too_much';
    this.#keep({ ...payment, refunds: [...payment.refunds, { refundId, amount, status: 'succeeded' }] });
    return null;
  }

  act(orderId: string, act: string): DemoPayment | null {
    const payment = this.get(orderId);
    if (payment === null) return null;
    const refunded = payment.refunds.reduce((sum, { amount }) => sum + amount, 0);
    const left = payment.paid - refunded - payment.withdrawn;
    const changes: Record<(typeof ACTS)[number], Partial<DemoPayment>> = {
      deposit: { status: 'paid', paid: payment.amount },
      'lose-deposit': { status: 'awaiting_deposit', paid: 0 },
      dispute: { disputed: true },
      withdraw: { disputed: true, withdrawn: payment.withdrawn + left },
      win: { disputed: false, withdrawn: 0 },
      lose: { disputed: false, withdrawn: payment.withdrawn + left },
      refund: {
        refunds: [...payment.refunds, { refundId: `shop-${payment.version}`, amount: left, status: 'succeeded' }],
      },
    };
    const change = Object.entries(changes).find(([name]) => name === act)?.[1];
    return change === undefined ? null : this.#keep({ ...payment, ...change });
  }

  #keep(payment: DemoPayment): DemoPayment {
    const kept = { ...payment, version: payment.version + 1, changedAt: Date.now() };
    this.#payments.set(kept.orderId, kept);
    writeFileSync(`${this.#file}.new`, JSON.stringify([...this.#payments.values()]), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
    return kept;
  }
}

function readPayments(file: string): DemoPayment[] {
  try {
    const read: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const payments = Array.isArray(read) ? (read as DemoPayment[]) : [];
    // Older starts did not note it.
    return payments.map((payment) => ({ ...payment, changedAt: (payment.changedAt as number | undefined) ?? 0 }));
  } catch {
    // A shop without payments is as good as a damaged one: nobody has paid anything.
    return [];
  }
}
