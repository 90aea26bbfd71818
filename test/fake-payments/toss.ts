import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Desk, deliver, json, listen, Refused, type Delivery, type Fault } from './http.ts';
import { TossBook, type TossBooked } from './toss-book.ts';
import { payPage, STANDARD_SCRIPT } from './toss-pages.ts';

export const TOSS_SECRET_KEY = 'test_sk_canaryOfTheTest';
const AUTHORIZATION = `Basic ${Buffer.from(`${TOSS_SECRET_KEY}:`).toString('base64')}`;

/** Toss Payments at its socket. */
export interface FakeToss {
  readonly url: string;
  readonly book: TossBook;
  readonly desk: Desk;
  /** What becomes of webhooks from now on; they go nowhere at first. */
  hooks(delivery: Delivery): void;
  close(): Promise<void>;
}

/** @param port 0: a free one. */
export async function startFakeToss(port = 0): Promise<FakeToss> {
  const desk = new Desk();
  let delivery: Delivery = { url: null };
  const book = new TossBook((payment, deposit) => {
    const headers = { 'tosspayments-webhook-transmission-id': randomUUID() };
    const body = JSON.stringify({ eventType: 'PAYMENT_STATUS_CHANGED', createdAt: new Date(), data: payment });
    void deliver(delivery, { body, headers });
    if (!deposit) return;
    const { orderId, secret, status, lastTransactionKey } = payment;
    const callback = { createdAt: new Date(), orderId, secret, status, transactionKey: lastTransactionKey };
    void deliver(delivery, { body: JSON.stringify(callback), headers });
  });
  const server = await listen(async (request, response, body) => {
    const { pathname } = new URL(request.url ?? '/', 'http://toss.test');
    if (pathname.startsWith('/v1/')) return api({ desk, book }, request, response, body);
    if (pathname.startsWith('/__toss/'))
      return json(response, 200, control(pathname.slice(8), read(body), { desk, book, set: (d) => (delivery = d) }));
    if (pathname === '/v2/standard') {
      response
        .writeHead(200, { 'content-type': 'text/javascript' })
        .end(STANDARD_SCRIPT(`http://${request.headers.host}`));
      return;
    }
    if (pathname === '/pay') return payPage(book, request, response, body);
    throw new Refused(404, { code: 'NOT_FOUND' });
  }, port);
  return { ...server, book, desk, hooks: (wanted) => (delivery = wanted) };
}

async function api(
  { desk, book }: { desk: Desk; book: TossBook },
  request: IncomingMessage,
  response: ServerResponse,
  text: string,
): Promise<void> {
  const { method = 'GET', headers, url = '/' } = request;
  if (headers.authorization !== AUTHORIZATION) throw refused(401, 'UNAUTHORIZED_KEY');
  const { pathname, searchParams } = new URL(url, 'http://toss.test');
  const [noun = '', first = '', second = ''] = pathname.slice(4).split('/').map(decodeURIComponent);
  const found = route(book, { method, noun, first, second, body: read(text), searchParams });
  if (found === null) throw refused(404, 'NOT_FOUND');
  const key = method === 'POST' ? (headers['idempotency-key']?.toString() ?? null) : null;
  if (key !== null && key.length > 300) throw refused(400, 'INVALID_IDEMPOTENCY_KEY');
  await desk.run({ name: found.name, path: pathname, key, body: read(text) }, response, {
    scope: key === null ? null : `${method} ${pathname} ${key}`,
    busy: () => refused(409, 'IDEMPOTENT_REQUEST_PROCESSING'),
    act: found.act,
  });
}

interface Asked {
  readonly method: string;
  readonly noun: string;
  readonly first: string;
  readonly second: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly searchParams: URLSearchParams;
}

function route(
  book: TossBook,
  { method, noun, first, second, body, searchParams }: Asked,
): { readonly name: string; readonly act: () => object } | null {
  if (method === 'GET' && noun === 'transactions')
    return { name: 'transactions', act: () => transactions(book, searchParams) };
  if (noun !== 'payments') return null;
  if (method === 'GET')
    return { name: 'get', act: () => (first === 'orders' ? book.ofOrder(second) : book.get(first)) };
  if (method !== 'POST') return null;
  if (first === 'confirm')
    return {
      name: 'confirm',
      act: () =>
        book.confirm({
          paymentKey: String(body['paymentKey']),
          orderId: String(body['orderId']),
          amount: Number(body['amount']),
        }),
    };
  return second === 'cancel' ? { name: 'cancel', act: () => book.cancel(first, body) } : null;
}

/** One row a movement of money, the oldest first. */
function transactions(book: TossBook, query: URLSearchParams): object[] {
  const [from, to] = ['startDate', 'endDate'].map((name) => Date.parse(`${query.get(name) ?? ''}+09:00`));
  if (from === undefined || to === undefined || Number.isNaN(from) || Number.isNaN(to))
    throw refused(400, 'INVALID_REQUEST');
  const rows = [...book.payments.values()].flatMap((payment) => {
    const { paymentKey, orderId, method, currency, totalAmount: amount, approvedAt, cancels } = payment;
    const one = { paymentKey, orderId, method, currency };
    const taken =
      approvedAt === null
        ? []
        : [{ ...one, transactionKey: `${paymentKey}-0`, status: 'DONE', transactionAt: approvedAt, amount }];
    return [
      ...taken,
      ...(cancels ?? []).map(({ transactionKey, canceledAt: transactionAt, cancelAmount }) => ({
        ...one,
        transactionKey,
        status: 'CANCELED',
        transactionAt,
        amount: -cancelAmount,
      })),
    ];
  });
  const inside = rows.filter(
    ({ transactionAt }) => Date.parse(transactionAt) >= from && Date.parse(transactionAt) <= to,
  );
  const after = query.get('startingAfter');
  const start = after === null ? 0 : inside.findIndex(({ transactionKey }) => transactionKey === after) + 1;
  return inside.slice(start, start + Math.min(Number(query.get('limit') ?? 100), 5_000));
}

/**
 * What a test or a person makes happen: `begin`, `deposit`, `expire`, `cancel`, `next`, `heal` and `webhooks`; and what
 * they look at: `payments` and `calls`.
 */
function control(
  act: string,
  body: Readonly<Record<string, unknown>>,
  { desk, book, set }: { desk: Desk; book: TossBook; set: (delivery: Delivery) => void },
): object {
  const orderId = String(body['orderId']);
  switch (act) {
    case 'begin':
      return book.begin({ orderId, amount: Number(body['amount']), ...chosen(body['method']) });
    case 'deposit':
      return book.deposit(orderId, { error: body['error'] === true });
    case 'expire':
      return book.expire(orderId);
    case 'cancel':
      return book.cancelHere(orderId, Number(body['amount']));
    case 'next':
      desk.fail(String(body['call']), body as Fault);
      return {};
    case 'webhooks':
      set(body as unknown as Delivery);
      return {};
    case 'heal':
      desk.heal();
      return {};
    case 'payments':
      return {
        payments: [...book.payments.values()].map(
          ({ orderId, paymentKey, status, method, approvedAt, balanceAmount }) => ({
            orderId,
            paymentKey,
            status,
            method,
            isPaid: approvedAt !== null,
            kept: approvedAt === null ? 0 : balanceAmount,
          }),
        ),
        effects: book.effects,
      };
    case 'calls':
      return { calls: desk.calls, effects: book.effects };
    default:
      throw refused(404, 'NOT_FOUND');
  }
}

function chosen(method: unknown): { method?: TossBooked['method'] } {
  return method === '가상계좌' || method === '계좌이체' || method === '간편결제' ? { method } : {};
}

function refused(status: number, code: string): Refused {
  return new Refused(status, { code, message: `${code} 오류입니다.` });
}

function read(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
