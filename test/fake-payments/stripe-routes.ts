import type { IncomingMessage } from 'node:http';
import type { StripeBook } from './stripe-book.ts';
import { get, refusal, type Form, type StripeIntent, type StripeSession } from './stripe-rows.ts';

/** What this Stripe can be asked. */
export const STRIPE_CALLS = [
  'checkout',
  'session',
  'sessions',
  'charges',
  'refund',
  'refunds',
  'disputes',
  'events',
  'customer',
  'form',
  'charge',
  'intent',
  'intents',
  'detach',
] as const;
export type StripeCall = (typeof STRIPE_CALLS)[number];

export interface StripeEvent {
  readonly id: string;
  readonly object: 'event';
  readonly type: string;
  readonly livemode: boolean;
  readonly created: number;
  readonly data: { readonly object: object };
  /** Whether whoever listens has heard it. */
  delivered: boolean;
}

export interface Route {
  readonly name: StripeCall;
  readonly act: () => object;
}

export function route(
  { book, events }: { book: StripeBook; events: readonly StripeEvent[] },
  request: IncomingMessage,
  body: string,
): Route | null {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://stripe.test');
  const [noun = '', a = '', b = ''] = pathname.slice('/v1/'.length).split('/');
  const isPost = request.method === 'POST';
  const form = readForm(body);
  const { keeper } = book;
  if (noun === 'checkout' && a === 'sessions') {
    if (isPost && b === '' && form['mode'] === 'setup') return { name: 'form', act: () => keeper.createForm(form) };
    if (isPost && b === '') return { name: 'checkout', act: () => book.createSession(form) };
    const kept = keeper.forms.get(b);
    if (!isPost && kept !== undefined) return { name: 'session', act: () => keeper.shown(kept) };
    if (!isPost && b !== '') return { name: 'session', act: () => shown(book, book.session(b), query) };
    const isAsked = (session: StripeSession) => query.get('status') === null || session.status === query.get('status');
    if (!isPost) return { name: 'sessions', act: () => listOf([...book.sessions.values()].filter(isAsked), query) };
  }
  const ofIntent = <T extends { payment_intent: string; id: string; created: number }>(rows: Map<string, T>) => {
    const intent = query.get('payment_intent');
    return listOf(
      [...rows.values()].filter((row) => intent === null || row.payment_intent === intent),
      query,
    );
  };
  if (noun === 'customers' && isPost) return { name: 'customer', act: () => keeper.createCustomer(form) };
  if (noun === 'payment_methods' && isPost && b === 'detach') return { name: 'detach', act: () => keeper.detach(a) };
  if (noun === 'payment_intents') return intents(book, { a, isPost, form, query });
  if (noun === 'refunds' && isPost) return { name: 'refund', act: () => book.createRefund(form) };
  if (isPost) return null;
  if (noun === 'refunds') return { name: 'refunds', act: () => ofIntent(book.refunds) };
  if (noun === 'disputes') return { name: 'disputes', act: () => ofIntent(book.disputes) };
  if (noun === 'charges')
    return {
      name: 'charges',
      act: () =>
        listOf(
          [...book.intents.values()].map((intent) => book.chargeOf(intent)),
          query,
        ),
    };
  if (noun === 'events' && query.get('delivery_success') === 'false')
    return {
      name: 'events',
      act: () =>
        listOf(
          events.filter(({ delivered }) => !delivered),
          query,
        ),
    };
  return null;
}

function shown(book: StripeBook, session: StripeSession, query: URLSearchParams): object {
  const intent = session.payment_intent === null ? undefined : book.intents.get(session.payment_intent);
  const isExpanded = [...query.values()].includes('payment_intent.latest_charge');
  if (intent === undefined || !isExpanded) return session;
  const charge = intent.status === 'succeeded' ? book.chargeOf(intent) : null;
  return { ...session, payment_intent: { ...intent, latest_charge: charge } };
}

/** A page of a list, the newest first. */
function listOf(rows: readonly { id: string; created: number }[], query: URLSearchParams): object {
  const limit = Number(query.get('limit') ?? 10);
  if (!(limit >= 1 && limit <= 100)) throw refusal(400, 'parameter_invalid_integer');
  const [from, to] = [Number(query.get('created[gte]') ?? 0), Number(query.get('created[lt]') ?? Infinity)];
  const all = rows.filter(({ created }) => created >= from && created < to).toReversed();
  const after = query.get('starting_after');
  const start = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1;
  return { object: 'list', url: '/v1', has_more: all.length > start + limit, data: all.slice(start, start + limit) };
}

function intents(
  book: StripeBook,
  { a, isPost, form, query }: { a: string; isPost: boolean; form: Form; query: URLSearchParams },
): Route | null {
  if (isPost) return a === '' ? { name: 'charge', act: () => book.keeper.charge(form) } : null;
  const expanded = (intent: StripeIntent) => ({
    ...intent,
    latest_charge: intent.status === 'succeeded' ? book.chargeOf(intent) : null,
  });
  if (a !== '') return { name: 'intent', act: () => expanded(get(book.intents, a)) };
  const customer = query.get('customer');
  const rows = () => [...book.intents.values()].filter((intent) => customer === null || intent.customer === customer);
  return { name: 'intents', act: () => listOf(rows().map(expanded), query) };
}

/** `a[b][0]=1` as nested objects. */
export function readForm(text: string): Form {
  const form: Record<string, string | Form> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const path = name.split(/[[\]]+/).filter((part) => part !== '');
    let at = form;
    for (const part of path.slice(0, -1)) at = (at[part] ??= {}) as Record<string, string | Form>;
    at[path.at(-1) ?? ''] = value;
  }
  return form;
}
