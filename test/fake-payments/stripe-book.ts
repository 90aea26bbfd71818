import { StripeCards } from './stripe-cards.ts';
import {
  at,
  LEAST,
  CANARY_EMAIL,
  CANARY_LAST4,
  get,
  newId,
  refusal,
  seconds,
  SESSION_PARAMETERS,
  text,
  words,
  type Form,
  type Metadata,
  type Row,
  type StripeDispute,
  type StripeIntent,
  type StripeRefund,
  type StripeSession,
} from './stripe-rows.ts';

/** Stripe's side of payments, with what it refuses. */
export class StripeBook {
  readonly sessions = new Map<string, StripeSession>();
  readonly intents = new Map<string, StripeIntent>();
  readonly refunds = new Map<string, StripeRefund>();
  readonly disputes = new Map<string, StripeDispute>();
  readonly keeper: StripeCards;
  readonly #intentMetadata = new Map<string, Metadata>();
  readonly #tell: (type: string, object: object) => void;
  readonly #pageOf: (sessionId: string) => string;

  constructor(tell: (type: string, object: object) => void, pageOf: (sessionId: string) => string) {
    this.#tell = tell;
    this.#pageOf = pageOf;
    this.keeper = new StripeCards(this.intents, tell, pageOf);
  }

  /** @throws Refused for what Stripe refuses. */
  createSession(form: Form): StripeSession {
    for (const name of Object.keys(form)) if (!SESSION_PARAMETERS.has(name)) throw refusal(400, 'parameter_unknown');
    const price = at(form, 'line_items', '0', 'price_data');
    const amount = Number(text(price, 'unit_amount'));
    const currency = text(price, 'currency');
    if (text(form, 'mode') !== 'payment' || currency === '' || text(at(price, 'product_data'), 'name') === '')
      throw refusal(400, 'parameter_missing');
    if (!Number.isSafeInteger(amount) || amount < 1) throw refusal(400, 'parameter_invalid_integer');
    if (currency !== 'usd' && currency !== 'krw') throw refusal(400, 'parameter_invalid');
    if (amount < LEAST[currency]) throw refusal(400, 'amount_too_small');
    const expires = Number(text(form, 'expires_at'));
    if (!(expires >= seconds() + 1_790 && expires <= seconds() + 86_400)) throw refusal(400, 'parameter_invalid');
    const id = newId('cs_test');
    this.#intentMetadata.set(id, words(at(form, 'payment_intent_data', 'metadata')));
    return this.#keep(this.sessions, {
      id,
      object: 'checkout.session',
      mode: 'payment',
      created: seconds(),
      livemode: false,
      status: 'open',
      payment_status: 'unpaid',
      client_reference_id: text(form, 'client_reference_id') || null,
      metadata: words(at(form, 'metadata')),
      amount_total: amount,
      currency,
      expires_at: expires,
      payment_intent: null,
      url: this.#pageOf(id),
      success_url: text(form, 'success_url'),
      cancel_url: text(form, 'cancel_url'),
      customer_details: null,
    });
  }

  /** The buyer pays at the session's page. `later`: by a bank that answers days later. */
  pay(sessionId: string, { later = false, received }: { later?: boolean; received?: number } = {}): StripeSession {
    const session = get(this.sessions, sessionId);
    if (session.status !== 'open') throw refusal(400, 'checkout_session_not_open');
    const { amount_total: amount, currency } = session;
    const intent = this.#intent(sessionId, { amount, currency, status: later ? 'processing' : 'succeeded' }, received);
    const paid = this.#keep(this.sessions, {
      ...session,
      status: 'complete',
      payment_status: later ? 'unpaid' : 'paid',
      payment_intent: intent.id,
      url: null,
      customer_details: { email: CANARY_EMAIL },
    });
    this.#tell('checkout.session.completed', paid);
    if (!later) this.#tell('payment_intent.succeeded', intent);
    return paid;
  }

  /** A payment of Stripe's that nobody here asked for: a payment link, or the dashboard. */
  payOutside(amount: number, currency = 'krw'): StripeIntent {
    const intent = this.#intent(null, { amount, currency, status: 'succeeded' });
    this.#tell('payment_intent.succeeded', intent);
    return intent;
  }

  /** A card is refused; the session stays open for another one. */
  decline(sessionId: string): void {
    const { amount_total: amount, currency } = get(this.sessions, sessionId);
    this.#tell(
      'payment_intent.payment_failed',
      this.#intent(sessionId, { amount, currency, status: 'requires_payment_method' }),
    );
  }

  /** The bank has decided. */
  decide(sessionId: string, isPaid: boolean): void {
    const session = get(this.sessions, sessionId);
    const intent = get(this.intents, session.payment_intent ?? '');
    this.#keep(this.intents, {
      ...intent,
      status: isPaid ? 'succeeded' : 'requires_payment_method',
      amount_received: isPaid ? intent.amount : 0,
    });
    const decided = this.#keep(this.sessions, { ...session, payment_status: isPaid ? 'paid' : 'unpaid' });
    this.#tell(`checkout.session.async_payment_${isPaid ? 'succeeded' : 'failed'}`, decided);
  }

  expire(sessionId: string): void {
    const session = get(this.sessions, sessionId);
    if (session.status !== 'open') throw refusal(400, 'checkout_session_not_open');
    this.#tell('checkout.session.expired', this.#keep(this.sessions, { ...session, status: 'expired', url: null }));
  }

  /** A refund, by the API or in the dashboard. */
  createRefund(form: Form): StripeRefund {
    const intent = get(this.intents, text(form, 'payment_intent'));
    const left = this.left(intent);
    const amount = form['amount'] === undefined ? left : Number(text(form, 'amount'));
    if (left === 0) throw refusal(400, 'charge_already_refunded');
    if ([...this.disputes.values()].some((d) => d.payment_intent === intent.id && d.status === 'needs_response'))
      throw refusal(400, 'charge_disputed');
    if (!Number.isSafeInteger(amount) || amount < 1 || amount > left) throw refusal(400, 'amount_too_large');
    const refund = this.#keep<StripeRefund>(this.refunds, {
      id: newId('re'),
      object: 'refund',
      created: seconds(),
      amount,
      currency: intent.currency,
      payment_intent: intent.id,
      charge: chargeIdOf(intent),
      status: 'succeeded',
      metadata: words(at(form, 'metadata')),
    });
    this.#tell('charge.refunded', this.chargeOf(intent));
    this.#tell('refund.created', refund);
    return refund;
  }

  /** The buyer's bank could not take it: the money is ours again. */
  failRefund(refundId: string): void {
    this.#tell('refund.failed', this.#keep(this.refunds, { ...get(this.refunds, refundId), status: 'failed' }));
  }

  /** `open` takes nothing yet; a bank that has lost gives all of it back, or `returned` of a hundred. */
  dispute(
    intentId: string,
    act: 'open' | 'withdraw' | 'win' | 'lose',
    { amount, returned = 100 } = {} as { amount?: number; returned?: number },
  ): void {
    const intent = get(this.intents, intentId);
    const known = [...this.disputes.values()].find((dispute) => dispute.payment_intent === intentId);
    const total = amount ?? known?.amount ?? this.left(intent);
    const moved = known?.balance_transactions ?? [];
    // Stripe pays out in the account's own currency: its movements are not the payment's figures.
    const taken = { amount: -total * 7, currency: 'eur' };
    const next = {
      open: { status: 'needs_response', balance_transactions: [] },
      withdraw: { status: 'needs_response', balance_transactions: [taken] },
      win: {
        status: 'won',
        balance_transactions: [...moved, { amount: (total * 7 * returned) / 100, currency: 'eur' }],
      },
      lose: { status: 'lost', balance_transactions: moved.length === 0 ? [taken] : moved },
    }[act];
    const dispute = this.#keep<StripeDispute>(this.disputes, {
      id: known?.id ?? newId('dp'),
      object: 'dispute',
      created: seconds(),
      amount: total,
      currency: intent.currency,
      payment_intent: intentId,
      charge: chargeIdOf(intent),
      ...next,
    });
    const types = { open: 'created', withdraw: 'funds_withdrawn', win: 'funds_reinstated', lose: 'closed' };
    this.#tell(`charge.dispute.${types[act]}`, dispute);
  }

  left(intent: StripeIntent): number {
    const given = [...this.refunds.values()].filter((r) => r.payment_intent === intent.id && r.status !== 'failed');
    return intent.amount_received - given.reduce((sum, { amount }) => sum + amount, 0);
  }

  chargeOf(intent: StripeIntent): Row & { readonly created: number } & Record<string, unknown> {
    return {
      id: chargeIdOf(intent),
      object: 'charge',
      created: intent.created,
      livemode: intent.livemode,
      amount: intent.amount,
      currency: intent.currency,
      amount_refunded: intent.amount_received - this.left(intent),
      status: intent.status === 'succeeded' ? 'succeeded' : 'pending',
      payment_intent: intent.id,
      metadata: intent.metadata,
      receipt_url: `https://pay.stripe.test/receipts/${intent.id}`,
      billing_details: { email: CANARY_EMAIL },
      payment_method_details: { type: 'card', card: { last4: CANARY_LAST4 } },
    };
  }

  /** @throws Refused when there is none. */
  session(sessionId: string): StripeSession {
    return get(this.sessions, sessionId);
  }

  #intent(
    sessionId: string | null,
    fields: Pick<StripeIntent, 'amount' | 'currency' | 'status'>,
    received = fields.status === 'succeeded' ? fields.amount : 0,
  ): StripeIntent {
    const id = newId('pi');
    return this.#keep(this.intents, {
      id,
      object: 'payment_intent',
      created: seconds(),
      livemode: false,
      ...fields,
      amount_received: received,
      metadata: sessionId === null ? {} : (this.#intentMetadata.get(sessionId) ?? {}),
      client_secret: `${id}_secret_canary`,
    });
  }

  #keep<T extends Row>(rows: Map<string, T>, row: T): T {
    rows.set(row.id, row);
    return row;
  }
}

const chargeIdOf = ({ id }: Row) => `ch_${id}`;
