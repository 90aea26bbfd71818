import { sql } from 'kysely';
import { freePort } from '../../scripts/services/port.ts';
import { autoTopUpWorkflowId } from '../../workflows/contract/ids.ts';
import { startFakeStripe, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET } from '../fake-payments/stripe.ts';
import type { CardAnswer } from '../fake-payments/stripe-cards.ts';
import type { Person, TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const PACK = {
  packId: 'half',
  name: { ko: '토큰 5만', en: '50,000 tokens' },
  tokens: 50_000,
  currency: 'KRW',
  amount: 10_000,
};

interface Buyer {
  readonly person: Person;
  giveCard(): Promise<string>;
  choose(paymentMethodId: string): Promise<void>;
  read(): Promise<{ nextTryAt: string | null }>;
}

/**
 * An account that falls below its threshold, until its workflow is over.
 * @param answer of the first card's bank. @param meanwhile what the person does while it waits.
 */
export async function toppedUp(
  openIdle: (env: Record<string, string>) => Promise<TestStack>,
  answer: CardAnswer = 'approve',
  meanwhile: (buyer: Buyer) => Promise<void> = async () => {},
): Promise<{ stack: TestStack; workflowId: string }> {
  const stripe = await startFakeStripe();
  const port = String(await freePort());
  const stack = await openIdle({
    PORT: port,
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    PACKS: JSON.stringify([PACK]),
    PAYMENTS_KEY: Buffer.alloc(32, 7).toString('base64'),
    STRIPE_API_URL: stripe.url,
    STRIPE_SECRET_KEY,
    STRIPE_WEBHOOK_SECRET,
  });
  try {
    await stack.startWorker();
    const person = await stack.person();
    const answers: CardAnswer[] = [answer];
    const buyer: Buyer = {
      person,
      async giveCard() {
        const { body } = await person.call('POST', '/api/payment-methods', {});
        const { paymentMethodId, checkout } = body as { paymentMethodId: string; checkout: { url: string } };
        stripe.book.keeper.give(checkout.url.split('/').at(-1) ?? '', answers.shift());
        await until(async () =>
          JSON.stringify((await person.call('GET', '/api/payment-methods')).body).includes(paymentMethodId),
        );
        return paymentMethodId;
      },
      async choose(paymentMethodId) {
        const wanted = {
          enabled: true,
          packId: PACK.packId,
          belowTokens: 20_000,
          monthlyLimit: 30_000,
          paymentMethodId,
        };
        await person.call('PUT', '/api/auto-top-up', wanted);
      },
      read: async () => (await person.call('GET', '/api/auto-top-up')).body as { nextTryAt: string | null },
    };
    // It is below already when it is chosen, so that one run sees all of it.
    await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 85 });
    await buyer.choose(await buyer.giveCard());
    await meanwhile(buyer);
    const accounts = await sql<{
      id: number;
    }>`select id::float8 as id from accounts where user_id = ${person.userId}`.execute(stack.db.database.sql);
    const workflowId = autoTopUpWorkflowId(accounts.rows[0]?.id ?? 0);
    await until(async () => {
      const { status } = await stack.temporal.client.workflow.getHandle(workflowId).describe();
      return status.name !== 'RUNNING';
    });
    return { stack, workflowId };
  } finally {
    await stripe.close();
  }
}
