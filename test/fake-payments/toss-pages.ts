import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TossBook } from './toss-book.ts';

/** What the browser’s package loads: as much of it as opens the window of a payment. It refuses what Toss refuses. */
export const STANDARD_SCRIPT = (origin: string) => `window.TossPayments = (clientKey) => {
  const refuse = (code) => { throw Object.assign(new Error(code), { code }); };
  if (!/^(test|live)_g?ck_./.test(clientKey)) refuse('INVALID_CLIENT_KEY');
  return {
    payment({ customerKey }) {
      if (!/^[A-Za-z0-9_=.@-]{2,50}$/.test(customerKey) || !/[-_=.@]/.test(customerKey)) refuse('INVALID_CUSTOMER_KEY');
      return {
        async requestPayment({ method, amount, orderId, orderName, successUrl, failUrl, windowTarget = 'iframe' }) {
          if (!['CARD', 'TRANSFER', 'VIRTUAL_ACCOUNT'].includes(method)) refuse('INVALID_METHOD');
          if (!Number.isInteger(amount.value) || amount.value < 1 || amount.currency !== 'KRW') refuse('INVALID_AMOUNT');
          if (!/^[A-Za-z0-9_=-]{6,64}$/.test(orderId)) refuse('INVALID_ORDER_ID');
          if (typeof orderName !== 'string' || orderName === '' || orderName.length > 100) refuse('INVALID_ORDER_NAME');
          for (const url of [successUrl, failUrl]) if (!URL.canParse(url)) refuse('INVALID_URL');
          if (windowTarget !== 'self') refuse('NOT_SUPPORTED_HERE');
          const query = new URLSearchParams({ clientKey, customerKey, method, amount: amount.value, currency: amount.currency, orderId, orderName, successUrl, failUrl });
          location.assign(${JSON.stringify(origin)} + '/pay?' + query);
          return new Promise(() => {});
        },
      };
    },
  };
};
window.TossPayments.ANONYMOUS = '@@ANONYMOUS';`;

const METHODS = { CARD: '카드', VIRTUAL_ACCOUNT: '가상계좌', TRANSFER: '계좌이체' } as const;

const CHOICES = { pay: '승인', decline: '거절', close: '닫기' } as const;

/** The window: agree, decline, or close it. */
export function payPage(book: TossBook, request: IncomingMessage, response: ServerResponse, body: string): void {
  const { searchParams: query } = new URL(request.url ?? '/', 'http://toss.test');
  const orderId = query.get('orderId') ?? '';
  const method = Object.entries(METHODS).find(([name]) => name === query.get('method'))?.[1] ?? '카드';
  if (request.method !== 'POST') {
    const buttons = Object.entries(CHOICES).map(
      ([value, label]) => `<button name="choice" value="${value}">${label}</button>`,
    );
    response
      .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
      .end(
        `<!doctype html><html lang="ko"><meta charset="utf-8"><title>토스페이먼츠 (시험용)</title><h1>${method} ${Number(query.get('amount'))}원</h1><form method="post">${buttons.join('')}</form></html>`,
      );
    return;
  }
  const choice = new URLSearchParams(body).get('choice');
  const target = new URL(query.get(choice === 'pay' ? 'successUrl' : 'failUrl') ?? 'about:blank');
  if (choice === 'pay') {
    const amount = Number(query.get('amount'));
    const { paymentKey } = book.begin({ orderId, amount, method });
    for (const [name, value] of Object.entries({ paymentType: 'NORMAL', paymentKey, orderId, amount: String(amount) }))
      target.searchParams.set(name, value);
  } else {
    target.searchParams.set('code', choice === 'close' ? 'PAY_PROCESS_CANCELED' : 'REJECT_CARD_COMPANY');
    target.searchParams.set('message', choice === 'close' ? '취소' : '거절');
    target.searchParams.set('orderId', orderId);
  }
  response.writeHead(303, { location: target.href }).end();
}
