import { Refused } from './http.ts';
import {
  at,
  get,
  LEAST,
  newId,
  refusal,
  seconds,
  text,
  words,
  type Form,
  type Metadata,
  type StripeIntent,
} from './stripe-rows.ts';

export interface StripeCustomer {
  readonly id: string;
  readonly object: 'customer';
  readonly created: number;
  readonly metadata: Metadata;
}

/** What the bank says to the next charges of a card. */
export type CardAnswer =
  | 'approve'
  /** It decides later. */
  | 'processing'
  /** A code of Stripe's tables, such as `insufficient_funds` or `lost_card`. */
  | { readonly decline: string };

export interface StripeCard {
  readonly id: string;
  readonly object: 'payment_method';
  readonly customer: string | null;
  readonly card: {
    readonly brand: string;
    readonly last4: string;
    readonly exp_month: number;
    readonly exp_year: number;
    readonly fingerprint: string;
  };
  readonly answer: CardAnswer;
}

/** A Checkout Session that only keeps a card. */
export interface StripeForm {
  readonly id: string;
  readonly object: 'checkout.session';
  readonly mode: 'setup';
  readonly created: number;
  readonly livemode: false;
  readonly status: 'open' | 'complete' | 'expired';
  readonly payment_status: 'no_payment_required';
  readonly client_reference_id: string | null;
  readonly customer: string;
  readonly metadata: Metadata;
  readonly amount_total: null;
  readonly currency: null;
  readonly url: string | null;
  readonly success_url: string;
  readonly cancel_url: string;
  readonly setup_intent: string;
  readonly card: string | null;
}

/** Canary: whoever finds it in a log, a history or the database's clear text has found a leak. */
export const CANARY_CARD_PREFIX = 'pm_canary';

const FORM = new Set(
  'mode customer allowed_payment_method_types client_reference_id metadata success_url cancel_url locale'.split(' '),
);
const CHARGE = new Set(
  'amount currency customer payment_method allowed_payment_method_types off_session confirm error_on_requires_action metadata'.split(
    ' ',
  ),
);

/** Stripe's side of customers, of cards that it keeps, and of charges without their owner, with what it refuses. */
export class StripeCards {
  readonly customers = new Map<string, StripeCustomer>();
  readonly cards = new Map<string, StripeCard>();
  readonly forms = new Map<string, StripeForm>();
  readonly #intents: Map<string, StripeIntent>;
  readonly #tell: (type: string, object: object) => void;
  readonly #pageOf: (sessionId: string) => string;

  constructor(
    intents: Map<string, StripeIntent>,
    tell: (type: string, object: object) => void,
    pageOf: (sessionId: string) => string,
  ) {
    this.#intents = intents;
    this.#tell = tell;
    this.#pageOf = pageOf;
  }

  createCustomer(form: Form): StripeCustomer {
    const customer = {
      id: newId('cus'),
      object: 'customer',
      created: seconds(),
      metadata: words(at(form, 'metadata')),
    } as const;
    this.customers.set(customer.id, customer);
    return customer;
  }

  createForm(form: Form): StripeForm {
    for (const name of Object.keys(form)) if (!FORM.has(name)) throw refusal(400, 'parameter_unknown');
    const customer = get(this.customers, text(form, 'customer'));
    const id = newId('cs_test');
    return this.#keep({
      id,
      object: 'checkout.session',
      mode: 'setup',
      created: seconds(),
      livemode: false,
      status: 'open',
      payment_status: 'no_payment_required',
      client_reference_id: text(form, 'client_reference_id') || null,
      customer: customer.id,
      metadata: words(at(form, 'metadata')),
      amount_total: null,
      currency: null,
      url: this.#pageOf(id),
      success_url: text(form, 'success_url'),
      cancel_url: text(form, 'cancel_url'),
      setup_intent: newId('seti'),
      card: null,
    });
  }

  /** The owner gives a card at the form's page. */
  give(sessionId: string, answer: CardAnswer = 'approve'): StripeCard {
    const form = get(this.forms, sessionId);
    if (form.status !== 'open') throw refusal(400, 'checkout_session_not_open');
    const card: StripeCard = {
      id: newId(CANARY_CARD_PREFIX),
      object: 'payment_method',
      customer: form.customer,
      card: { brand: 'visa', last4: '4242', exp_month: 4, exp_year: 2_031, fingerprint: 'canaryFingerprint' },
      answer,
    };
    this.cards.set(card.id, card);
    this.#tell('checkout.session.completed', this.#keep({ ...form, status: 'complete', url: null, card: card.id }));
    return card;
  }

  /** What the bank says from now on. */
  answerWith(cardId: string, answer: CardAnswer): void {
    this.cards.set(cardId, { ...get(this.cards, cardId), answer });
  }

  detach(cardId: string): StripeCard {
    const card = get(this.cards, cardId);
    if (card.customer === null) throw refusal(400, 'payment_method_not_attached');
    const detached = { ...card, customer: null };
    this.cards.set(cardId, detached);
    return detached;
  }

  /** A payment without its owner. @throws Refused with the payment, when the bank says no. */
  charge(form: Form): StripeIntent {
    for (const name of Object.keys(form)) if (!CHARGE.has(name)) throw refusal(400, 'parameter_unknown');
    for (const name of ['off_session', 'confirm', 'error_on_requires_action'])
      if (text(form, name) !== 'true') throw refusal(400, 'parameter_missing');
    const [amount, currency] = [Number(text(form, 'amount')), text(form, 'currency')];
    if (currency !== 'usd' && currency !== 'krw') throw refusal(400, 'parameter_invalid');
    if (!Number.isSafeInteger(amount) || amount < LEAST[currency]) throw refusal(400, 'amount_too_small');
    const customer = get(this.customers, text(form, 'customer'));
    const card = get(this.cards, text(form, 'payment_method'));
    if (card.customer !== customer.id) throw refusal(400, 'payment_method_unexpected_state');
    const id = newId('pi');
    const intent: StripeIntent = {
      id,
      object: 'payment_intent',
      created: seconds(),
      livemode: false,
      status: card.answer === 'approve' ? 'succeeded' : 'processing',
      currency,
      amount,
      amount_received: card.answer === 'approve' ? amount : 0,
      customer: customer.id,
      metadata: words(at(form, 'metadata')),
      client_secret: `${id}_secret_canary`,
      last_payment_error: null,
    };
    if (typeof card.answer === 'string') {
      this.#intents.set(id, intent);
      if (intent.status === 'succeeded') this.#tell('payment_intent.succeeded', intent);
      return intent;
    }
    const { decline } = card.answer;
    const code = ['authentication_required', 'expired_card', 'processing_error'].includes(decline)
      ? decline
      : 'card_declined';
    const error = { type: 'card_error', code, decline_code: decline, message: 'the bank’s own words, a canary' };
    const declined: StripeIntent = { ...intent, status: 'requires_payment_method', last_payment_error: error };
    this.#intents.set(id, declined);
    this.#tell('payment_intent.payment_failed', declined);
    throw new Refused(402, { error: { ...error, payment_intent: declined } });
  }

  /** A form as it is read, with what was asked to be expanded. */
  shown(form: StripeForm): object {
    const { card, setup_intent: id, ...rest } = form;
    const kept = card === null ? null : get(this.cards, card);
    const status = form.status === 'complete' ? 'succeeded' : 'requires_payment_method';
    return { ...rest, setup_intent: { id, object: 'setup_intent', status, payment_method: kept } };
  }

  #keep(form: StripeForm): StripeForm {
    this.forms.set(form.id, form);
    return form;
  }
}
