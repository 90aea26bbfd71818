import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { freePort } from '../../scripts/services/port.ts';
import type { Person } from './stack.ts';
import { until } from './until.ts';

export const PAYMENTS_KEY = Buffer.alloc(32, 7).toString('base64');
export const SOLD = [
  { packId: 'half', name: { ko: '토큰 5만', en: '50,000 tokens' }, tokens: 50_000, currency: 'KRW', amount: 10_000 },
  { packId: 'dollar', name: { ko: '토큰 9만', en: '90,000 tokens' }, tokens: 90_000, currency: 'USD', amount: 999 },
];

/** The variables of a service that sells; its provider's are added to them. */
export async function selling(): Promise<Record<string, string>> {
  const port = await freePort();
  return { PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}`, PACKS: JSON.stringify(SOLD), PAYMENTS_KEY };
}

export interface Detail {
  readonly state: string;
  readonly method: string | null;
  readonly receiptUrl: string | null;
  readonly deposit: { readonly accountNumber: string } | null;
  readonly asksForRefundAccount: boolean;
  readonly refundable: { readonly tokens: number; readonly amount: number };
  readonly refunds: readonly { readonly state: string; readonly failure: string | null }[];
}

/** What a person does who buys. */
export function buyerOf(person: Person, provider: string) {
  const post = (path: string, body: object, key: string = randomUUID()) =>
    person.call('POST', path, body, { 'idempotency-key': key });
  const detail = async (purchaseId: string): Promise<Detail> => {
    const { status, body } = await person.call('GET', `/api/purchases/${purchaseId}`);
    expect(status).toBe(200);
    return body as Detail;
  };
  return {
    post,
    detail,
    async buy(packId = 'half', key?: string) {
      const { status, body } = await post('/api/purchases', { packId, provider }, key);
      expect([status, body]).toEqual([201, expect.anything()]);
      return body as { purchaseId: string; checkout: Record<string, unknown> };
    },
    confirm: (purchaseId: string, paymentKey: string, amount = 10_000) =>
      post(`/api/purchases/${purchaseId}/confirm`, { paymentKey, amount }),
    refund: (purchaseId: string, body: object, key?: string) => post(`/api/purchases/${purchaseId}/refunds`, body, key),
    async usage() {
      return (await person.call('GET', '/api/ai-usage')).body as { purchasedTokens: number; canSend: boolean };
    },
    /** Waits as a page does: each reading also looks at the provider. */
    untilState: (purchaseId: string, state: string) =>
      until(async () => (await detail(purchaseId)).state === state, 30_000),
  };
}
