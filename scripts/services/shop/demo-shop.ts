import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { ShopBook, type DemoPayment } from './shop-book.ts';
import { listPage, payPage } from './shop-pages.ts';

/**
 * The demo shop, a process of its own: a payment provider where nobody pays. It has a page to agree, to decline or to
 * pay a deposit later, and one where the owner of this machine opens disputes and lets deposits arrive. The app speaks
 * to it over HTTP as to any provider.
 */
const [port, file] = [Number(process.argv[2]), process.argv[3]];
if (file === undefined) throw new Error('demo-shop.ts <port> <file>');
const book = new ShopBook(file);

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    response.writeHead(500).end(String(error));
  });
});
server.listen(port, '127.0.0.1');
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    server.closeAllConnections();
    server.close(() => process.exit(0));
  });

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://shop');
  const [, first, second, third] = pathname.split('/').map(decodeURIComponent);
  if (first === 'v1' && second === 'payments') return api(request, response, third ?? null, pathname.split('/')[4]);
  if (first === 'pay' && second !== undefined) return page(request, response, second);
  if (first === undefined || first === '') return html(response, 200, listPage(book.all()));
  if (first === 'do' && request.method === 'POST' && second !== undefined && third !== undefined) {
    if (isCrossSite(request)) return html(response, 403, 'Forbidden');
    const payment = book.act(second, third);
    if (payment === null) return html(response, 404, 'Not found');
    await tell(payment);
    return redirect(response, '/');
  }
  html(response, 404, 'Not found');
}

async function api(
  request: IncomingMessage,
  response: ServerResponse,
  orderId: string | null,
  call: string | undefined,
): Promise<void> {
  if (request.method === 'POST' && orderId === null) {
    const opened = book.open((await readJson(request)) as Parameters<ShopBook['open']>[0]);
    if (opened === null) return json(response, 409, { code: 'order_differs' });
    return json(response, 200, { ...opened, url: `http://${request.headers.host}/pay/${opened.orderId}` });
  }
  if (orderId === null && request.method === 'GET') {
    const { searchParams: query } = new URL(request.url ?? '/', 'http://shop');
    const [from, to] = [Number(query.get('from') ?? 0), Number(query.get('to') ?? Date.now())];
    return json(
      response,
      200,
      book.all().filter(({ changedAt }) => changedAt >= from && changedAt < to),
    );
  }
  const payment = orderId === null ? null : book.get(orderId);
  if (payment === null) return json(response, 404, { code: 'no_such_payment' });
  if (request.method === 'GET') return json(response, 200, payment);
  if (request.method === 'POST' && call === 'refunds') {
    const refused = book.refund(payment.orderId, (await readJson(request)) as Parameters<ShopBook['refund']>[1]);
    return refused === null ? json(response, 200, book.get(payment.orderId)) : json(response, 409, { code: refused });
  }
  json(response, 405, { code: 'no_such_call' });
}

/** The buyer's page. What they choose is known here before the browser goes back. */
async function page(request: IncomingMessage, response: ServerResponse, orderId: string): Promise<void> {
  const payment = book.get(orderId);
  if (payment === null) return html(response, 404, 'Not found');
  if (request.method !== 'POST') return html(response, 200, payPage(payment));
  if (isCrossSite(request)) return html(response, 403, 'Forbidden');
  const form = new URLSearchParams(await readText(request));
  const decided = book.decide(orderId, form.get('choice') ?? '', Number(form.get('minutes') ?? 0));
  if (decided !== null) await tell(decided);
  redirect(response, payment.returnUrl);
}

/** A form of another site must not decide here. */
function isCrossSite(request: IncomingMessage): boolean {
  const site = request.headers['sec-fetch-site'];
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/** A hint that something has changed. When nobody hears it, the app looks by itself later. */
async function tell({ notifyUrl, orderId, version }: DemoPayment): Promise<void> {
  if (notifyUrl === null) return;
  await fetch(notifyUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ eventId: `${orderId}-${version}`, orderId }),
    signal: AbortSignal.timeout(2_000),
  }).catch(() => {});
}

const MOST_BYTES = 64 * 1024;

async function readText(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MOST_BYTES) throw new Error('too much');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  return JSON.parse(await readText(request));
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function html(response: ServerResponse, status: number, body: string): void {
  response
    .writeHead(status, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      'cache-control': 'no-store',
    })
    .end(body);
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location }).end();
}
