import type { Schemas } from '../../api/schemas.ts';
import { takeAlong } from '../../session/session.ts';
import type { Way } from '../ways.ts';

type TossCheckout = Extract<Schemas['Checkout'], { kind: 'toss' }>;

/** Toss's window did not open. Nothing has been paid. */
export class WindowFailed extends Error {
  override readonly name = 'WindowFailed';
}

/**
 * Opens the payment window of Toss Payments in this tab. It comes back to the purchase's page with the payment, or with
 * why there is none.
 * @throws WindowFailed
 */
export async function openTossWindow(checkout: TossCheckout, method: Way['method']): Promise<void> {
  const { clientKey, customerKey, orderId, orderName, amount: value, currency, scriptUrl } = checkout;
  const back = `${location.origin}/purchase/${orderId}`;
  const wanted = {
    amount: { value, currency },
    orderId,
    orderName,
    successUrl: back,
    failUrl: back,
    // A window of its own needs no frame, and is the same on a phone.
    windowTarget: 'self',
  } as const;
  try {
    trustScriptsOf(scriptUrl);
    const { loadTossPayments } = await import('@tosspayments/tosspayments-sdk');
    const payment = (await loadTossPayments(clientKey, { src: scriptUrl })).payment({ customerKey });
    takeAlong();
    if (method === 'transfer') await payment.requestPayment({ ...wanted, method: 'TRANSFER' });
    else if (method === 'deposit') await payment.requestPayment({ ...wanted, method: 'VIRTUAL_ACCOUNT' });
    else await payment.requestPayment({ ...wanted, method: 'CARD' });
  } catch (cause) {
    throw new WindowFailed('the payment window did not open', { cause });
  }
}

interface TrustedTypes {
  readonly defaultPolicy: object | null;
  createPolicy(
    name: 'default',
    rules: { createScriptURL(url: string): string | null; createHTML(html: string): string },
  ): object;
}

/**
 * The page runs no script that a string names. From here on it runs those of Toss's origin, until it is left. What its
 * script writes as HTML still runs nothing: the page's policy has no inline scripts.
 */
function trustScriptsOf(scriptUrl: string): void {
  const { trustedTypes } = window as { readonly trustedTypes?: TrustedTypes };
  if (trustedTypes === undefined || trustedTypes.defaultPolicy !== null) return;
  const { origin } = new URL(scriptUrl);
  trustedTypes.createPolicy('default', {
    createScriptURL: (url) => (new URL(url, location.href).origin === origin ? url : null),
    createHTML: (html) => html,
  });
}
