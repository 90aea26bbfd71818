import type { Database } from '../../db/database.ts';
import { publishPacks } from '../../db/purchases/packs.ts';
import type { Config } from '../../platform/config/config.ts';
import { createDemoShop } from '../../platform/payments/demo.ts';
import { createToss } from '../../platform/payments/toss/toss.ts';
import { createVault } from '../../platform/payments/vault.ts';
import type { Shop } from '../payments.ts';

/** Publishes what is sold, and makes the adapters of those who take the money. */
export async function openShop(
  database: Database,
  { payments, publicUrl }: Pick<Config, 'payments' | 'publicUrl'>,
): Promise<Shop> {
  const { demoShopUrl, stripe, toss, packs, key } = payments;
  const notifyUrl = `${publicUrl}/api/webhooks/demo`;
  return {
    packs: await publishPacks(database, packs),
    providers: [
      ...(stripe === null ? [] : [await openStripe(stripe)]),
      ...(toss === null ? [] : [createToss(toss)]),
      ...(demoShopUrl === undefined ? [] : [createDemoShop({ url: demoShopUrl, notifyUrl })]),
    ],
    vault: createVault(key),
    publicUrl: publicUrl ?? '',
  };
}

/** Loads Stripe's library, which is large, only where it is used. */
async function openStripe(settings: NonNullable<Config['payments']['stripe']>) {
  const { createStripe } = await import('../../platform/payments/stripe/stripe.ts');
  return createStripe(settings);
}
