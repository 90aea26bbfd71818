import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Desk, deliver, json, listen, type Delivery, type Fault } from './http.ts';
import { StripeBook } from './stripe-book.ts';
import { checkoutPage } from './stripe-pages.ts';
import { refusal, seconds, type Form, type StripeSession } from './stripe-rows.ts';

export const STRIPE_SECRET_KEY = 'sk_test_canaryOfTheTest';
export const STRIPE_WEBHOOK_SECRET = 'whsec_canaryOfTheTest';

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
] as const;
type StripeCall = (typeof STRIPE_CALLS)[number];

/** Stripe at its socket: sessions, payments, refunds, disputes and events. */
export interface FakeStripe {
  readonly url: string;
  readonly book: StripeBook;
  readonly desk: Desk;
  /** Each request that was made, as it came. */
  readonly requests: {
    readonly name: StripeCall;
    readonly method: string;
    readonly path: string;
    readonly body: string;
  }[];
  /** What became of each event, the oldest first. */
  readonly events: StripeEvent[];
  /** What becomes of webhooks from now on; they go nowhere at first. */
  hooks(delivery: Delivery): void;
  /** The header of a webhook as Stripe signs it. @param at seconds. */
  sign(body: string, at?: number, secret?: string): Record<string, string>;
  close(): Promise<void>;
}

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

/** @param port 0: a free one. */
export async function startFakeStripe(port = 0): Promise<FakeStripe> {
  const desk = new Desk();
  const events: StripeEvent[] = [];
  const requests: FakeStripe['requests'] = [];
  let delivery: Delivery = { url: null };
  let origin = '';
  const book = new StripeBook(
    (type, object) => {
      const event = { id: `evt_${randomBytes(12).toString('hex')}`, object: 'event', type, livemode: false } as const;
      const told: StripeEvent = { ...event, created: seconds(), data: { object }, delivered: false };
      events.push(told);
      const body = JSON.stringify({ ...told, delivered: undefined });
      void deliver(delivery, { body, headers: sign(body) }).then((heard) => (told.delivered ||= heard));
    },
    (sessionId) => `${origin}/c/pay/${sessionId}`,
  );
  const server = await listen(async (request, response, body) => {
    const { pathname } = new URL(request.url ?? '/', origin);
    if (pathname.startsWith('/v1/')) {
      const found = route({ book, events }, request, body);
      if (found === null) throw refusal(404, 'unknown_url');
      requests.push({ name: found.name, method: request.method ?? 'GET', path: request.url ?? '/', body });
      return answer(desk, { request, response, body, ...found });
    }
    if (pathname.startsWith('/c/pay/')) return checkoutPage(book, request, response, body);
    if (pathname.startsWith('/__stripe/'))
      return json(
        response,
        200,
        control(pathname.slice('/__stripe/'.length), read(body), { desk, book, events, set: (d) => (delivery = d) }),
      );
    throw refusal(404, 'unknown_url');
  }, port);
  origin = server.url;
  return { ...server, book, desk, requests, events, sign, hooks: (wanted) => (delivery = wanted) };
}

function sign(body: string, at = seconds(), secret = STRIPE_WEBHOOK_SECRET): Record<string, string> {
  const signature = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex');
  return { 'stripe-signature': `t=${at},v1=${signature}` };
}

interface Route {
  readonly name: StripeCall;
  readonly act: () => object;
}

/**
 * A key is the account's, whatever is asked for with it: asking for something else is refused, and what was answered is
 * answered again. A request that was not valid is forgotten.
 */
async function answer(
  desk: Desk,
  { request, response, body, name, act }: Route & { request: IncomingMessage; response: ServerResponse; body: string },
): Promise<void> {
  const { method = 'GET', headers, url = '/' } = request;
  if (headers.authorization !== `Bearer ${STRIPE_SECRET_KEY}`) throw refusal(401, 'api_key_invalid');
  const key = method === 'POST' ? (headers['idempotency-key']?.toString() ?? null) : null;
  if (key !== null && key.length > 255) throw refusal(400, 'idempotency_key_too_long');
  await desk.run({ name, path: url, key, body: readForm(body) }, response, {
    scope: key,
    busy: () => refusal(409, 'idempotency_key_in_use'),
    differs: () => refusal(400, 'idempotency_error', 'idempotency_error'),
    forgets: ({ status }) => status === 400 || status === 404 || status === 409,
    act,
  });
}

function route(
  { book, events }: { book: StripeBook; events: readonly StripeEvent[] },
  request: IncomingMessage,
  body: string,
): Route | null {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://stripe.test');
  const [noun = '', a = '', b = ''] = pathname.slice('/v1/'.length).split('/');
  const isPost = request.method === 'POST';
  const form = readForm(body);
  if (noun === 'checkout' && a === 'sessions') {
    if (isPost && b === '') return { name: 'checkout', act: () => book.createSession(form) };
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

/** What a test or a person makes happen. */
function control(
  act: string,
  body: Readonly<Record<string, unknown>>,
  {
    desk,
    book,
    events,
    set,
  }: { desk: Desk; book: StripeBook; events: readonly StripeEvent[]; set: (delivery: Delivery) => void },
): object {
  const sessionId = String(body['sessionId']);
  const intentId = String(body['paymentIntent']);
  const acts: Readonly<Record<string, () => unknown>> = {
    pay: () => book.pay(sessionId, { later: body['later'] === true }),
    decline: () => book.decline(sessionId),
    decide: () => book.decide(sessionId, body['paid'] === true),
    expire: () => book.expire(sessionId),
    outside: () => book.payOutside(Number(body['amount'])),
    refund: () => book.createRefund({ payment_intent: intentId, amount: String(body['amount']) }),
    dispute: () => book.dispute(intentId, body['act'] as 'open'),
    next: () => desk.fail(String(body['call']), body as Fault),
    webhooks: () => set(body as unknown as Delivery),
    calls: () => ({ calls: desk.calls, events }),
    sessions: () => ({ sessions: [...book.sessions.values()] }),
  };
  const found = acts[act];
  if (found === undefined) throw refusal(404, 'unknown_url');
  return (found() ?? {}) as object;
}

/** `a[b][0]=1` as nested objects. */
function readForm(text: string): Form {
  const form: Record<string, string | Form> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const path = name.split(/[[\]]+/).filter((part) => part !== '');
    let at = form;
    for (const part of path.slice(0, -1)) at = (at[part] ??= {}) as Record<string, string | Form>;
    at[path.at(-1) ?? ''] = value;
  }
  return form;
}

function read(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
