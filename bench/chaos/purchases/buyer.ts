import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { PRICE, type Toss } from './provider.ts';

interface Answer {
  /** 0: no answer came. */
  readonly status: number;
  readonly body: { readonly purchaseId?: string; readonly state?: string; readonly code?: string };
}

/** Somebody who buys once, may leave for good whenever no answer comes, and may give it back. */
export class Buyer {
  readonly findings: string[] = [];
  readonly #api: string;
  readonly #token: string;
  readonly #toss: Toss;
  readonly #random: Random;

  constructor(options: { api: string; token: string; toss: Toss; random: Random }) {
    this.#api = options.api;
    this.#token = options.token;
    this.#toss = options.toss;
    this.#random = options.random;
  }

  async act(until: number): Promise<void> {
    const key = randomUUID();
    const bought = await this.#insist(until, () =>
      this.#call('POST', '/api/purchases', { packId: 'half', provider: 'toss' }, key),
    );
    const { purchaseId } = bought?.body ?? {};
    if (purchaseId === undefined) return;
    const method = this.#random.next() < 0.5 ? '카드' : '가상계좌';
    // Nobody is in the window at once.
    await sleep(this.#random.whole(0, 500));
    const { paymentKey } = await this.#toss.begin(purchaseId, PRICE, method);
    const path = `/api/purchases/${purchaseId}`;
    const confirm = () => this.#call('POST', `${path}/confirm`, { paymentKey, amount: PRICE });
    if ((await this.#insist(until, confirm)) === null) return;
    if (method === '가상계좌') {
      await this.#until(until, path, 'awaiting_deposit');
      await this.#toss.deposit(purchaseId).catch(() => {});
    }
    if (!(await this.#until(until, path, 'paid')) || this.#random.next() < 0.3) return;
    const wanted = {
      ...(this.#random.next() < 0.5 ? { all: true } : { tokens: 20_000 }),
      ...(method === '카드' ? {} : { refundAccount: { bank: '88', accountNumber: '110123456789', holderName: '김' } }),
    };
    const refundKey = randomUUID();
    await this.#insist(until, () => this.#call('POST', `${path}/refunds`, wanted, refundKey));
  }

  /** Sends again until it is answered, or until this buyer has had enough. Null: they left. */
  async #insist(until: number, send: () => Promise<Answer>): Promise<Answer | null> {
    for (;;) {
      const answer = await send();
      if (answer.status === 500) this.findings.push(`a buyer was answered by a 500: ${JSON.stringify(answer.body)}`);
      if (answer.status !== 0 && answer.status < 500) return answer;
      if (Date.now() > until || this.#random.next() < 0.2) return null;
      await sleep(300);
    }
  }

  async #until(until: number, path: string, state: string): Promise<boolean> {
    while (Date.now() < until) {
      const { status, body } = await this.#call('GET', path);
      if (body.state === state) return true;
      if (status === 0 && this.#random.next() < 0.1) return false;
      await sleep(200);
    }
    return false;
  }

  async #call(method: string, path: string, body?: object, key?: string): Promise<Answer> {
    try {
      const response = await fetch(this.#api + path, {
        method,
        headers: {
          authorization: `Bearer ${this.#token}`,
          'content-type': 'application/json',
          ...(key === undefined ? {} : { 'idempotency-key': key }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(20_000),
      });
      return { status: response.status, body: (await response.json()) as Answer['body'] };
    } catch {
      return { status: 0, body: {} };
    }
  }
}
