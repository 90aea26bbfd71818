import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TossBook } from './toss-book.ts';

/** What the browser's package loads: as much of it as opens the window of one payment. */
export const STANDARD_SCRIPT = (origin: string) => `window.TossPayments = (clientKey) => ({
  payment: ({ customerKey }) => ({
    async requestPayment({ method, amount, orderId, orderName, successUrl, failUrl }) {
      const query = new URLSearchParams({ clientKey, customerKey, method, amount: amount.value, currency: amount.currency, orderId, orderName, successUrl, failUrl });
      location.assign(${JSON.stringify(origin)} + '/pay?' + query);
      return new Promise(() => {});
    },
  }),
});
window.TossPayments.ANONYMOUS = 'ANONYMOUS';`;

const METHODS = { CARD: '카드', VIRTUAL_ACCOUNT: '가상계좌', TRANSFER: '계좌이체' } as const;

/** The window: agree, decline, or close it. */
export function payPage(book: TossBook, request: IncomingMessage, response: ServerResponse, body: string): void {
  const { searchParams: query } = new URL(request.url ?? '/', 'http://toss.test');
  const orderId = query.get('orderId') ?? '';
  if (request.method !== 'POST') {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(
      `<!doctype html><meta charset="utf-8"><title>토스페이먼츠 (시험용)</title><form method="post"><p>${Number(query.get('amount'))} 원</p>
<button name="choice" value="pay">승인</button><button name="choice" value="decline">거절</button><button name="choice" value="close">닫기</button></form>`,
    );
    return;
  }
  const choice = new URLSearchParams(body).get('choice');
  const target = new URL(query.get(choice === 'pay' ? 'successUrl' : 'failUrl') ?? 'about:blank');
  if (choice === 'pay') {
    const method = Object.entries(METHODS).find(([name]) => name === query.get('method'))?.[1] ?? '카드';
    const amount = Number(query.get('amount'));
    const { paymentKey } = book.begin({ orderId, amount, method });
    for (const [name, value] of Object.entries({ paymentKey, orderId, amount: String(amount) }))
      target.searchParams.set(name, value);
  } else {
    target.searchParams.set('code', choice === 'close' ? 'PAY_PROCESS_CANCELED' : 'REJECT_CARD_COMPANY');
    target.searchParams.set('message', choice === 'close' ? '취소' : '거절');
    target.searchParams.set('orderId', orderId);
  }
  response.writeHead(303, { location: target.href }).end();
}
