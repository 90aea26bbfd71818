import Stripe from 'stripe';
import { z } from 'zod';
import { CardRefused, type CardKeeper, type KeptCard, type ToCharge, type ToKeep } from '../cards.ts';
import { ProviderUnavailable } from '../provider.ts';
import { answerOf } from './client.ts';
import { declineOf } from './declines.ts';

const id = z.string().min(1).max(200);
const made = z.object({ id });
const form = z.object({
  id,
  client_reference_id: z.string().nullable(),
  url: z.url({ protocol: /^https?$/ }).nullish(),
});
const card = z.object({
  id,
  card: z.object({
    brand: z.string().regex(/^[a-z_]{1,30}$/),
    last4: z.string().regex(/^\d{4}$/),
    exp_month: z.int().min(1).max(12),
    exp_year: z.int().min(2000).max(9999),
  }),
});
const finished = form.extend({
  setup_intent: z.object({ status: z.string(), payment_method: z.union([card, z.unknown()]) }).nullish(),
});

/** Cards that Stripe keeps for a customer of its own, given on its page. */
export function createCardKeeper(stripe: Stripe): CardKeeper {
  return {
    async openForm(wanted: ToKeep) {
      const customerRef = wanted.customer.ref ?? (await createCustomer(stripe, wanted.customer.key));
      const opened = await answerOf(
        stripe.checkout.sessions.create(
          {
            mode: 'setup',
            customer: customerRef,
            allowed_payment_method_types: ['card'],
            client_reference_id: wanted.methodId,
            metadata: { paymentMethodId: wanted.methodId },
            success_url: wanted.returnUrl,
            cancel_url: wanted.returnUrl,
            locale: wanted.locale,
          },
          { idempotencyKey: `card/${wanted.methodId}` },
        ),
        form,
      );
      if (opened.client_reference_id !== wanted.methodId || opened.url == null)
        throw new ProviderUnavailable('Stripe answered another form');
      return { url: opened.url, sessionId: opened.id, customerRef };
    },
    async readForm({ methodId, sessionId }): Promise<KeptCard | null> {
      const { client_reference_id: of, setup_intent: intent } = await answerOf(
        stripe.checkout.sessions.retrieve(sessionId, { expand: ['setup_intent.payment_method'] }),
        finished,
      );
      const kept = card.safeParse(intent?.payment_method);
      if (of !== methodId || intent?.status !== 'succeeded' || !kept.success) return null;
      const { brand, last4, exp_month: month, exp_year: year } = kept.data.card;
      return { ref: kept.data.id, brand, last4, expires: `${year}-${String(month).padStart(2, '0')}` };
    },
    charge: (wanted) => charge(stripe, wanted),
    async forget(cardRef) {
      const gone = (code: string) => new CardRefused('card_gone', code);
      await answerOf(stripe.paymentMethods.detach(cardRef), made, gone).catch((error: unknown) => {
        if (!(error instanceof CardRefused)) throw error;
      });
    },
  };
}

async function createCustomer(stripe: Stripe, key: string): Promise<string> {
  const created = stripe.customers.create({ metadata: { key } }, { idempotencyKey: `customer/${key}` });
  return (await answerOf(created, made)).id;
}

/** A card that is refused has a payment nevertheless, which says so when it is looked at. */
async function charge(
  stripe: Stripe,
  { purchaseId, accountId, customer, cardRef, amount, currency }: ToCharge,
): Promise<{ paymentId: string }> {
  const asked = stripe.paymentIntents.create(
    {
      amount,
      currency: currency.toLowerCase(),
      customer,
      payment_method: cardRef,
      allowed_payment_method_types: ['card'],
      off_session: true,
      confirm: true,
      error_on_requires_action: true,
      metadata: { purchaseId },
    },
    { idempotencyKey: `auto-top-up/${accountId}/${purchaseId}` },
  );
  const refusal = await asked.then(() => null, cardErrorOf);
  if (refusal !== null) {
    const payment = made.safeParse(refusal.payment_intent);
    if (payment.success) return { paymentId: payment.data.id };
    throw new CardRefused(declineOf(refusal.decline_code, refusal.code), refusal.code ?? 'card_error');
  }
  const { id: paymentId } = await answerOf(asked, made, (code) => new CardRefused('card_gone', code));
  return { paymentId };
}

function cardErrorOf(error: unknown): Stripe.errors.StripeCardError | null {
  return error instanceof Stripe.errors.StripeCardError ? error : null;
}
