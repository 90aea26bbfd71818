import { findByProviderId, findPurchase, type PurchaseRow } from '../../db/purchases/purchases.ts';
import type { Sql } from '../../db/database.ts';
import type { ProviderName } from '../../domain/payments/provider.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The purchase that a provider names by our id, or else by its own ids. All of it is text from outside. */
export async function findNamed(
  on: Sql,
  provider: ProviderName,
  names: { readonly purchaseId: string | null; readonly sessionId: string | null; readonly paymentId: string | null },
): Promise<PurchaseRow | null> {
  const { purchaseId, sessionId, paymentId } = names;
  if (purchaseId !== null && UUID.test(purchaseId)) {
    const found = await findPurchase(on, purchaseId);
    if (found !== null) return found.provider === provider ? found : null;
  }
  const bySession = sessionId === null ? null : await findByProviderId(on, provider, { sessionId });
  if (bySession !== null || paymentId === null) return bySession;
  return findByProviderId(on, provider, { paymentId });
}
