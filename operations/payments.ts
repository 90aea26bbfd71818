import type { Pack } from '../domain/payments/pack.ts';
import type { ProviderName } from '../domain/payments/provider.ts';
import type { Vault } from '../domain/payments/vault.ts';
import type { PurchaseRow } from '../db/purchases/purchases.ts';
import type { PublishedPack } from '../db/purchases/packs.ts';
import type { PaymentRuns } from '../platform/temporal/payment-runs.ts';
import { ProviderUnavailable, type AtProvider, type PaymentProvider } from '../platform/payments/provider.ts';

/** What is sold here and who takes the money. Empty where nothing is sold. */
export interface Shop {
  readonly packs: readonly PublishedPack[];
  readonly providers: readonly PaymentProvider[];
  /** Seals what must be kept secret. */
  readonly vault: Vault;
  /** The address of the web app, without a slash at its end; payment pages lead back to it. */
  readonly publicUrl: string;
}

/** What operations with payments need beside the others' parts. */
export interface PaymentDeps {
  readonly shop: Shop;
  readonly paymentRuns: PaymentRuns;
}

/** Those who take the pack's currency, in the configured order. */
export function sellersOf({ providers }: Shop, { currency }: Pack): PaymentProvider[] {
  return providers.filter((provider) => provider.takes(currency));
}

/** @throws ProviderUnavailable when the purchase's provider is no longer configured. */
export function providerOf({ providers }: Shop, { provider }: { provider: ProviderName }): PaymentProvider {
  const found = providers.find(({ name }) => name === provider);
  if (found === undefined) throw new ProviderUnavailable(`the payment provider ${provider} is not configured any more`);
  return found;
}

/** Whether a refund must say to which account it goes. */
export function needsRefundAccount({ providers }: Shop, { method, provider }: PurchaseRow): boolean {
  const found = providers.find(({ name }) => name === provider);
  return method === 'deposit' && (found === undefined || found.asksForRefundAccount);
}

export function atProvider(purchase: PurchaseRow): AtProvider {
  const { purchaseId, sessionId, paymentId, customer, amount, currency, livemode, expiresAt } = purchase;
  return { purchaseId, sessionId, paymentId, customer, amount, currency, livemode, expiresAt };
}
