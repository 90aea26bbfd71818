import { freePort } from '../../../scripts/services/port.ts';
import { launch, type Service, type ServiceContext } from '../../../scripts/services/service.ts';

/** What the fake of Toss Payments knows of a payment. */
export interface AtToss {
  readonly orderId: string;
  readonly paymentKey: string;
  readonly status: string;
  readonly method: string;
  readonly isPaid: boolean;
  /** What is paid and not given back, in won. */
  readonly kept: number;
}

export interface Effect {
  readonly what: 'confirm' | 'cancel';
  readonly orderId: string;
  readonly amount: number;
}

export const TOSS_CALLS = ['get', 'confirm', 'cancel'] as const;
type TossCall = (typeof TOSS_CALLS)[number];

/** What happens at Toss: what its buyers, its banks and its network do. */
export class Toss {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  begin(orderId: string, amount: number, method: '카드' | '가상계좌'): Promise<{ paymentKey: string }> {
    return this.#ask('begin', { orderId, amount, method });
  }

  async deposit(orderId: string): Promise<void> {
    await this.#ask('deposit', { orderId });
  }

  /** Holds the answers of the next calls. Their effects come at once. */
  async slow(call: TossCall, delays: readonly number[]): Promise<void> {
    for (const delayMs of delays) await this.fail(call, { delayMs });
  }

  /** What goes wrong with the next call that no other fault waits for. */
  async fail(call: TossCall, fault: { delayMs?: number; cut?: 'before' | 'after' }): Promise<void> {
    await this.#ask('next', { call, ...fault });
  }

  /** Each call that came, with its idempotency key. */
  async calls(): Promise<readonly { name: string; key: string | null; body: unknown }[]> {
    return (await this.#ask<{ calls: { name: string; key: string | null; body: unknown }[] }>('calls', {})).calls;
  }

  async heal(): Promise<void> {
    await this.#ask('heal', {});
  }

  read(): Promise<{ payments: readonly AtToss[]; effects: readonly Effect[] }> {
    return this.#ask('payments', {});
  }

  /** Webhooks come from here on, as often and as late as they like. */
  async tell(url: string): Promise<void> {
    await this.#ask('webhooks', { url, duplicate: 2, delayMs: 500, reorder: true });
  }

  async #ask<T>(act: string, body: object): Promise<T> {
    const response = await fetch(`${this.url}/__toss/${act}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`the fake of Toss answered ${act} with ${response.status}`);
    return (await response.json()) as T;
  }
}

export const PRICE = 10_000;
export const TOKENS = 50_000;

/** The fake in a process of its own, and the variables of a program that sells by it. */
export async function startToss(
  context: ServiceContext,
): Promise<{ service: Service; variables: Record<string, string> }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const service = await launch(context, {
    name: 'toss',
    url,
    port,
    label: 'the fake of Toss Payments',
    file: process.execPath,
    cwd: process.cwd(),
    args: [
      '--disable-warning=ExperimentalWarning',
      'test/fake-payments/main.ts',
      '--provider',
      'toss',
      '--port',
      String(port),
    ],
    isReady: async () => (await fetch(`${url}/v2/standard`)).ok,
    withinMs: 60_000,
  });
  const pack = { packId: 'half', name: { ko: '토큰', en: 'Tokens' }, tokens: TOKENS, currency: 'KRW', amount: PRICE };
  return {
    service,
    variables: {
      PUBLIC_URL: 'http://127.0.0.1:1',
      PACKS: JSON.stringify([pack]),
      PAYMENTS_KEY: Buffer.alloc(32, 7).toString('base64'),
      TOSS_API_URL: url,
      TOSS_SECRET_KEY: 'test_sk_canaryOfTheTest',
      TOSS_CLIENT_KEY: 'test_ck_1',
    },
  };
}
