import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../scripts/services/port.ts';
import { STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, type FakeStripe } from '../fake-payments/stripe.ts';
import { until } from './until.ts';

/** The demo shop of the embedded stack, in a process of its own. */
export interface TestShop {
  readonly url: string;
  /** What the buyer chooses on its page. @returns where the page leads. */
  choose(checkoutUrl: string, choice: 'pay' | 'decline' | 'later', minutes?: number): Promise<string | null>;
  /** What the buyer's bank does. */
  act(orderId: string, act: string): Promise<void>;
  /** A refund that is made at the provider, of which nobody tells. */
  refund(orderId: string, amount: number): Promise<void>;
  close(): Promise<void>;
}

/** The variables of a service that sells by this shop. It listens where the shop's pages lead back to. */
export async function sellingBy(shop: TestShop): Promise<Record<string, string>> {
  const port = await freePort();
  return { PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}`, DEMO_SHOP_URL: shop.url };
}

/** The variables of a service that also sells by this Stripe. */
export function sellingByStripe({ url }: Pick<FakeStripe, 'url'>): Record<string, string> {
  const PAYMENTS_KEY = Buffer.alloc(32, 7).toString('base64');
  return { STRIPE_API_URL: url, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, PAYMENTS_KEY };
}

export async function startTestShop(): Promise<TestShop> {
  const folder = mkdtempSync(join(tmpdir(), 'turnkeeper-shop-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const file = fileURLToPath(new URL('../../scripts/services/shop/demo-shop.ts', import.meta.url));
  const shop = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', file, String(port), join(folder, 'shop.json')],
    { stdio: 'inherit', env: {} },
  );
  await until(async () => (await fetch(url).catch(() => null))?.ok === true);
  return {
    url,
    async choose(checkoutUrl, choice, minutes = 60) {
      const response = await fetch(checkoutUrl, {
        method: 'POST',
        body: new URLSearchParams({ choice, minutes: String(minutes) }),
        redirect: 'manual',
      });
      return response.headers.get('location');
    },
    async act(orderId, act) {
      const response = await fetch(`${url}/do/${orderId}/${act}`, { method: 'POST', redirect: 'manual' });
      if (response.status !== 303) throw new Error(`the shop answered ${response.status}`);
    },
    async refund(orderId, amount) {
      await fetch(`${url}/v1/payments/${orderId}/refunds`, {
        method: 'POST',
        body: JSON.stringify({ refundId: 'made-there', amount }),
      });
    },
    async close() {
      const ended = once(shop, 'exit');
      shop.kill();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
