import { z } from 'zod';
import { parseJson } from '../../model/json.ts';
import { answerOf } from '../call.ts';
import {
  PaymentRefused,
  ProviderUnavailable,
  RefundRefused,
  type AtProvider,
  type Hint,
  type PaymentProvider,
  type ToRefund,
} from '../provider.ts';
import { told } from '../told.ts';
import { unknownTo } from '../unknown.ts';
import { confirmOutcome, refundRefusal } from './outcomes.ts';
import { lookOf, reasonOf, tossPayment } from './payment.ts';
import { listTransactions } from './transactions.ts';

export interface TossSettings {
  readonly secretKey: string;
  readonly clientKey: string;
  readonly apiUrl: string;
  readonly scriptUrl: string;
  readonly livemode: boolean;
}

/** A card company may take as long; whoever waits in a browser is told to look again. */
const TAKEN_WITHIN_MS = 30_000;

const failed = z.object({ code: z.string().max(100) });

/**
 * Toss Payments: the buyer pays in its window, the browser brings back a payment, and we confirm it. It signs no
 * webhooks.
 */
export function createToss({ secretKey, clientKey, apiUrl, scriptUrl, livemode }: TossSettings): PaymentProvider {
  const authorization = `Basic ${Buffer.from(`${secretKey}:`).toString('base64')}`;
  const read = (path: string) => answerOf(`${apiUrl}/v1/payments/${path}`, { headers: { authorization } });
  const send = (path: string, key: string, body: object) =>
    answerOf(`${apiUrl}/v1/payments/${path}`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
      withinMs: TAKEN_WITHIN_MS,
    });

  async function look(purchase: AtProvider) {
    const { purchaseId, paymentId } = purchase;
    const { status, body } = await read(
      paymentId === null ? `orders/${encodeURIComponent(purchaseId)}` : encodeURIComponent(paymentId),
    );
    if (status === 404 && codeOf(body) === 'NOT_FOUND_PAYMENT') return unknownTo(purchase);
    const found = tossPayment.safeParse(body);
    if (status !== 200 || !found.success) throw unclear(status, body);
    return lookOf(found.data, { livemode, known: paymentId });
  }

  async function refund(purchase: AtProvider, { refundId, amount, account }: ToRefund): Promise<void> {
    const { status, body } = await send(
      `${encodeURIComponent(purchase.paymentId ?? '')}/cancel`,
      `refund-${refundId}`,
      {
        cancelReason: reasonOf(refundId),
        cancelAmount: amount,
        ...(account === null ? {} : { refundReceiveAccount: account }),
      },
    );
    if (status === 200) return;
    const code = codeOf(body);
    const refusal = code === null || status >= 500 ? null : refundRefusal(code);
    if (refusal !== null) throw new RefundRefused(refusal);
    if (code === 'ALREADY_CANCELED_PAYMENT') {
      const { refunds } = (await look(purchase)).payment;
      if (refunds.some((seen) => seen.refundId === refundId)) return;
      throw new RefundRefused('refused');
    }
    throw unclear(status, body);
  }

  return {
    name: 'toss',
    livemode,
    asksForRefundAccount: true,
    takes: (currency) => currency === 'KRW',
    checkout: ({ purchaseId, customerKey, amount, currency, names, locale }) =>
      Promise.resolve({
        checkout: {
          kind: 'toss',
          clientKey,
          customerKey,
          orderId: purchaseId,
          amount,
          currency,
          orderName: names[locale],
          scriptUrl,
        },
        sessionId: null,
      }),
    look,
    async confirm({ purchaseId, paymentId, amount }) {
      const { status, body } = await send('confirm', `confirm-${purchaseId}`, {
        paymentKey: paymentId,
        orderId: purchaseId,
        amount,
      });
      if (status === 200) return;
      const outcome = status >= 500 ? 'unknown' : confirmOutcome(codeOf(body) ?? '');
      if (outcome === 'declined' || outcome === 'gone') throw new PaymentRefused(outcome);
      throw unclear(status, body);
    },
    refund,
    list: (window) => listTransactions({ apiUrl, authorization }, window),
    hear: (headers, body) => hintOf(headers, body),
  };
}

function codeOf(body: unknown): string | null {
  const parsed = failed.safeParse(body);
  return parsed.success ? parsed.data.code : null;
}

/** Its code is a word of Toss's table and names nobody. */
function unclear(status: number, body: unknown): ProviderUnavailable {
  return new ProviderUnavailable(`Toss Payments answered ${status} ${codeOf(body) ?? ''}`.trim());
}

const changed = z.object({ eventType: told, data: z.object({ orderId: told.nullish(), paymentKey: told.nullish() }) });
const deposited = z.object({ orderId: told, secret: told.nullish() });

/** Of two shapes: a changed payment, and a deposit, which has no type. @returns a hint of nothing for all else. */
function hintOf(headers: Readonly<Record<string, unknown>>, body: Buffer): Hint {
  const sent = parseJson(body.toString('utf8'));
  const eventId = told.safeParse(headers['tosspayments-webhook-transmission-id']).data ?? null;
  const none = { eventId, type: 'unknown', purchaseId: null, sessionId: null, paymentId: null, secret: null };
  const change = changed.safeParse(sent);
  if (change.success) {
    const { eventType, data } = change.data;
    return { ...none, type: eventType, purchaseId: data.orderId ?? null, paymentId: data.paymentKey ?? null };
  }
  const deposit = deposited.safeParse(sent);
  if (!deposit.success) return none;
  // A deposit's webhook without its secret proves nothing, as a wrong one.
  return {
    ...none,
    type: 'DEPOSIT_CALLBACK',
    purchaseId: deposit.data.orderId,
    secret: deposit.data.secret ?? '',
  };
}
