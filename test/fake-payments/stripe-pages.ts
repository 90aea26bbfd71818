import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StripeBook } from './stripe-book.ts';
import { refusal } from './stripe-rows.ts';

/** Stripe's page of one session: pay, be declined and stay, pay by a bank that answers later, or go back. */
export function checkoutPage(book: StripeBook, request: IncomingMessage, response: ServerResponse, body: string): void {
  const sessionId = new URL(request.url ?? '/', 'http://stripe.test').pathname.split('/').at(-1) ?? '';
  if (book.keeper.forms.has(sessionId)) return cardForm(book, sessionId, { request, response, body });
  const { amount_total: amount, currency, status, success_url: success, cancel_url: cancel } = book.session(sessionId);
  const page = (said: string) =>
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(
      `<!doctype html><meta charset="utf-8"><title>Stripe (시험용)</title><form method="post"><p>${amount} ${currency}</p><p role="status">${said}</p>
<button name="choice" value="pay">승인</button><button name="choice" value="decline">거절</button><button name="choice" value="later">나중에 입금</button><button name="choice" value="close">닫기</button></form>`,
    );
  if (status !== 'open') throw refusal(404, 'resource_missing');
  if (request.method !== 'POST') return void page('');
  const choice = new URLSearchParams(body).get('choice');
  if (choice === 'decline') {
    book.decline(sessionId);
    return void page('카드가 거절되었습니다.');
  }
  if (choice !== 'close') book.pay(sessionId, { later: choice === 'later' });
  response.writeHead(303, { location: choice === 'close' ? cancel : success }).end();
}

/** Stripe's page where a card is given: one that is good, one that declines, or none. */
function cardForm(
  { keeper }: StripeBook,
  sessionId: string,
  { request, response, body }: { request: IncomingMessage; response: ServerResponse; body: string },
): void {
  const { status, success_url: success, cancel_url: cancel } = keeper.forms.get(sessionId) ?? {};
  if (status !== 'open') throw refusal(404, 'resource_missing');
  if (request.method !== 'POST')
    return void response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(
      `<!doctype html><meta charset="utf-8"><title>Stripe (시험용)</title><form method="post">
<button name="choice" value="give">카드 등록</button><button name="choice" value="broke">한도가 없는 카드 등록</button><button name="choice" value="close">닫기</button></form>`,
    );
  const choice = new URLSearchParams(body).get('choice');
  if (choice !== 'close') keeper.give(sessionId, choice === 'broke' ? { decline: 'insufficient_funds' } : 'approve');
  response.writeHead(303, { location: choice === 'close' ? cancel : success }).end();
}
