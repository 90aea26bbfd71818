import { sql } from 'kysely';
import { autoTopUpWorkflowId } from '../../workflows/contract/ids.ts';
import type { CardAnswer } from '../fake-payments/stripe-cards.ts';
import type { FakeStripe } from '../fake-payments/stripe.ts';
import type { Person, TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { pausesOf } from './pauses.ts';

interface Buyer {
  readonly person: Person;
  giveCard(): Promise<string>;
  choose(paymentMethodId: string): Promise<void>;
  /** Until the workflow waits for its next try. */
  waits(): Promise<void>;
}

/**
 * An account that falls below its threshold, until its workflow is over.
 * @param answer of the first card's bank. @param meanwhile what the person does while it waits.
 */
export async function toppedUp(
  { stack, stripe }: { readonly stack: TestStack; readonly stripe: FakeStripe },
  answer: CardAnswer = 'approve',
  meanwhile: (buyer: Buyer) => Promise<void> = async () => {},
): Promise<{ stack: TestStack; workflowId: string; person: Person }> {
  const person = await stack.person();
  // It is below already when it is chosen, so that one run sees all of it.
  await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 85 });
  const workflowId = await workflowOf(stack, person);
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
      const wanted = { enabled: true, packId: 'small', belowTokens: 20_000, monthlyLimit: 30_000, paymentMethodId };
      const { status } = await person.call('PUT', '/api/auto-top-up', wanted);
      if (status !== 200) throw new Error(`auto top-up was not chosen: ${status}`);
    },
    waits: () => until(async () => (await pausesOf(stack, workflowId)) > 0),
  };
  await buyer.choose(await buyer.giveCard());
  await meanwhile(buyer);
  await until(async () => {
    const { status } = await stack.temporal.client.workflow.getHandle(workflowId).describe();
    return status.name !== 'RUNNING';
  });
  return { stack, workflowId, person };
}

async function workflowOf({ db, taskQueuePrefix }: TestStack, { userId }: Person): Promise<string> {
  const accounts = await sql<{
    id: number;
  }>`select id::float8 as id from accounts where user_id = ${userId}`.execute(db.database.sql);
  return `${taskQueuePrefix}${autoTopUpWorkflowId(accounts.rows[0]?.id ?? 0)}`;
}
