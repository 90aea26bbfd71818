import type { DemoPayment } from './shop-book.ts';

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color:#1b1b1f;background:#fafafa}
@media(prefers-color-scheme:dark){body{color:#eee;background:#18181b}}
.note{background:#fff3c4;color:#5b4300;padding:.75rem 1rem;border-radius:.5rem}
button{font:inherit;min-height:2.75rem;padding:.5rem 1rem;border-radius:.5rem;border:1px solid #888;margin:.25rem .25rem .25rem 0;cursor:pointer}
button[value=pay]{background:#1f6f54;color:#fff;border-color:#1f6f54}
select{font:inherit;min-height:2.75rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.5rem;border-top:1px solid #8884;vertical-align:top}form{display:inline}`;

const NOTE = '<p class="note">데모 상점입니다. 실제 돈은 오가지 않습니다. · This is a demo shop: no money moves.</p>';

/** The buyer's page: agree, decline, or pay a deposit later. */
export function payPage(payment: DemoPayment): string {
  const { orderName, orderId, status, returnUrl } = payment;
  const body =
    status === 'open'
      ? `<form method="post" action="/pay/${encodeURIComponent(orderId)}">
<p><button name="choice" value="pay">승인 (Approve)</button> <button name="choice" value="decline">거절 (Decline)</button></p>
<p><label>입금 기한 (deposit due) <select name="minutes"><option value="1">1분 (1 minute)</option><option value="60" selected>1시간 (1 hour)</option><option value="10080">7일 (7 days)</option></select></label>
<button name="choice" value="later">나중에 입금 (Deposit later)</button></p></form>`
      : `<p>${STATUS[status]}</p><p><a href="${escape(returnUrl)}">돌아가기 (Back)</a></p>`;
  return shell(
    '데모 상점 · Demo shop',
    `<h1>데모 상점 · Demo shop</h1>${NOTE}<p>${escape(orderName)} · <strong>${amountOf(payment)}</strong></p>${body}`,
  );
}

/** What the buyer's bank would do, for whoever runs this machine. */
export function listPage(payments: readonly DemoPayment[]): string {
  const rows = payments.map(
    (payment) =>
      `<tr><td>${escape(payment.orderName)}<br><small>${escape(payment.orderId)}</small></td><td>${amountOf(payment)}</td><td>${STATUS[payment.status]}${payment.disputed ? '<br>이의 제기 중 (disputed)' : ''}${payment.withdrawn > 0 ? '<br>회수됨 (withdrawn)' : ''}${payment.refunds.length > 0 ? '<br>환불 있음 (refunded)' : ''}</td><td>${actsOf(
        payment,
      )
        .map(
          ([act, label]) =>
            `<form method="post" action="/do/${encodeURIComponent(payment.orderId)}/${act}"><button>${label}</button></form>`,
        )
        .join(' ')}</td></tr>`,
  );
  return shell(
    '데모 상점의 결제 · Payments of the demo shop',
    `<h1>데모 상점의 결제 · Payments of the demo shop</h1>${NOTE}<table><thead><tr><th>주문 (order)</th><th>금액 (amount)</th><th>상태 (state)</th><th></th></tr></thead><tbody>${rows.join('')}</tbody></table>${rows.length === 0 ? '<p>아직 결제가 없습니다. (No payments yet.)</p>' : ''}`,
  );
}

const STATUS = {
  open: '결제 대기 (open)',
  awaiting_deposit: '입금 대기 (awaiting the deposit)',
  paid: '결제됨 (paid)',
  declined: '거절됨 (declined)',
  expired: '기한 지남 (expired)',
} as const satisfies Record<DemoPayment['status'], string>;

function actsOf({ status, method, disputed, withdrawn }: DemoPayment): [string, string][] {
  if (method === 'deposit' && status !== 'paid') return [['deposit', '입금 도착 (deposit arrives)']];
  if (status !== 'paid') return [];
  if (disputed && withdrawn === 0)
    return [
      ['withdraw', '금액 회수 (take the money)'],
      ['win', '이의 기각 (we win)'],
    ];
  if (disputed || withdrawn > 0)
    return [
      ['win', '금액 반환 (we win)'],
      ['lose', '이의 인정 (we lose)'],
    ];
  return [
    ['dispute', '이의 제기 (open a dispute)'],
    ['refund', '상점에서 환불 (refund here)'],
    ...(method === 'deposit' ? [['lose-deposit', '입금 오류 (deposit error)'] as [string, string]] : []),
  ];
}

function amountOf({ amount, currency }: DemoPayment): string {
  return escape(`${(currency === 'USD' ? amount / 100 : amount).toLocaleString('en-US')} ${currency}`);
}

function shell(title: string, body: string): string {
  return `<!doctype html><html lang="ko"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title><style>${STYLE}</style><body>${body}</body></html>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
