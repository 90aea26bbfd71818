import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Desk, deliver, json, listen, type Delivery, type Fault } from './http.ts';
import { StripeBook } from './stripe-book.ts';
import { checkoutPage } from './stripe-pages.ts';
import { readForm, route, type Route, type StripeCall, type StripeEvent } from './stripe-routes.ts';
import { refusal, seconds } from './stripe-rows.ts';

export { STRIPE_CALLS } from './stripe-routes.ts';

export const STRIPE_SECRET_KEY = 'sk_test_canaryOfTheTest';
export const STRIPE_WEBHOOK_SECRET = 'whsec_canaryOfTheTest';

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
    give: () => book.keeper.give(sessionId, body['answer'] as 'approve'),
    answer: () => book.keeper.answerWith(String(body['card']), body['answer'] as 'approve'),
    next: () => desk.fail(String(body['call']), body as Fault),
    webhooks: () => set(body as unknown as Delivery),
    calls: () => ({ calls: desk.calls, events }),
    sessions: () => ({ sessions: [...book.sessions.values()] }),
  };
  const found = acts[act];
  if (found === undefined) throw refusal(404, 'unknown_url');
  return (found() ?? {}) as object;
}

function read(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
