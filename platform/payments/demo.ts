import { z } from 'zod';
import type { Listed } from '../../domain/payments/listed.ts';
import type { Look, Payment } from '../../domain/payments/purchase.ts';
import { parseJson } from '../model/json.ts';
import { answerOf } from './call.ts';
import { ProviderUnavailable, RefundRefused, type AtProvider, type PaymentProvider, type ToPay } from './provider.ts';
import { told } from './told.ts';
import { unknownTo } from './unknown.ts';

const payment = z.object({
  orderId: z.string(),
  amount: z.int(),
  currency: z.string(),
  status: z.enum(['open', 'awaiting_deposit', 'paid', 'declined', 'expired']),
  method: z.enum(['card', 'deposit']).nullable(),
  dueAt: z.number().nullable(),
  paid: z.int(),
  refunds: z.array(z.object({ refundId: z.string(), amount: z.int(), status: z.literal('succeeded') })),
  withdrawn: z.int(),
  disputed: z.boolean(),
});
const hint = z.object({ eventId: told, orderId: told });
const changed = payment.extend({ changedAt: z.number() });
const opened = payment.extend({ url: z.url() });

/** The shop of the embedded stack, where nobody pays. @param notifyUrl where it sends its hints. */
export function createDemoShop({ url, notifyUrl }: { url: string; notifyUrl: string | null }): PaymentProvider {
  const ask = (method: 'GET' | 'POST', path: string, body?: object) =>
    answerOf(`${url}/v1/payments${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  return {
    name: 'demo',
    livemode: false,
    asksForRefundAccount: false,
    takes: () => true,
    async checkout({ purchaseId, amount, currency, names, locale, returnUrl, expiresAt }: ToPay) {
      const { status, body } = await ask('POST', '', {
        orderId: purchaseId,
        orderName: names[locale],
        amount,
        currency,
        returnUrl,
        notifyUrl,
        expiresAt,
      });
      const made = opened.safeParse(body);
      if (status !== 200 || !made.success) throw new ProviderUnavailable(`the demo shop answered ${status}`);
      return { checkout: { kind: 'redirect', url: made.data.url }, sessionId: null };
    },
    async look(purchase: AtProvider): Promise<Look> {
      const { status, body } = await ask('GET', `/${purchase.purchaseId}`);
      if (status === 404) return unknownTo(purchase);
      const found = payment.safeParse(body);
      if (status !== 200 || !found.success) throw new ProviderUnavailable(`the demo shop answered ${status}`);
      const { data } = found;
      return {
        payment: paymentOf(data),
        paymentId: data.orderId,
        method: data.method,
        dueAt: data.dueAt,
        receiptUrl: null,
        deposit:
          data.status === 'awaiting_deposit'
            ? { bank: '데모은행', accountNumber: '000-0000-0000', holder: '데모 상점' }
            : null,
        hookSecret: null,
      };
    },
    async refund({ purchaseId }, { refundId, amount }) {
      const { status } = await ask('POST', `/${purchaseId}/refunds`, { refundId, amount });
      if (status === 409) throw new RefundRefused('refused');
      if (status !== 200) throw new ProviderUnavailable(`the demo shop answered ${status}`);
    },
    async list({ from, to }): Promise<Listed[]> {
      const { status, body } = await ask('GET', `?from=${from}&to=${to}`);
      const found = z.array(changed).safeParse(body);
      if (status !== 200 || !found.success) throw new ProviderUnavailable(`the demo shop answered ${status}`);
      return found.data.map(listedOf);
    },
    hear(_headers, body) {
      const { eventId = null, orderId = null } = hint.safeParse(parseJson(body.toString('utf8'))).data ?? {};
      return { eventId, type: 'changed', purchaseId: orderId, sessionId: null, paymentId: null, secret: null };
    },
  };
}

/** What was disputed is not told apart from what was given back, so that whatever is gone makes us look. */
function listedOf({
  orderId,
  amount,
  currency,
  paid,
  refunds,
  disputed,
  withdrawn,
  changedAt,
}: z.infer<typeof changed>): Listed {
  const isMoved = paid === 0 || disputed || withdrawn > 0;
  const refunded = refunds.reduce((sum, refund) => sum + refund.amount, 0);
  return {
    kind: isMoved ? 'change' : 'payment',
    purchaseId: orderId,
    sessionId: null,
    paymentId: orderId,
    taken: isMoved ? null : { amount, currency, at: changedAt, refunded },
  };
}

function paymentOf(data: z.infer<typeof payment>): Payment {
  const { orderId, amount, currency, status, paid, refunds, withdrawn, disputed } = data;
  return {
    stage: status === 'declined' ? 'failed' : status,
    orderId,
    amount,
    currency,
    livemode: false,
    paid,
    refunds: refunds.map((refund) => ({ refundId: refund.refundId, amount: refund.amount, state: refund.status })),
    withdrawn,
    isDisputed: disputed,
    failure: status === 'declined' ? 'declined' : status === 'expired' ? 'expired' : null,
  };
}
