import type { AuditActor } from '../../domain/audit.ts';
import { AppError } from '../../domain/errors.ts';
import { acceptMismatch } from '../../db/purchases/accept.ts';
import type { PurchaseRow } from '../../db/purchases/purchases.ts';
import { ProviderUnavailable } from '../../platform/payments/provider.ts';
import { afterWrite } from '../after-write.ts';
import { lookAtPurchase, type LookDeps } from '../look-at-purchase.ts';

/**
 * Lets an admin grant a purchase whose payment has another amount. What the provider says now decides.
 * @throws AppError not_found, not_acceptable, provider_unavailable.
 */
export async function acceptForAdmin(
  deps: LookDeps,
  wanted: { purchaseId: string; actor: AuditActor; reason: string },
): Promise<PurchaseRow> {
  const { purchaseId } = wanted;
  await lookAtPurchase(deps, { purchaseId, source: 'admin' }).catch((cause: unknown) => {
    if (!(cause instanceof ProviderUnavailable)) throw cause;
    throw new AppError('provider_unavailable', { purchaseId, retryAfter: 5 }, { cause });
  });
  const { purchase } = await acceptMismatch(deps.database, wanted);
  await afterWrite(deps, purchase.userId);
  return purchase;
}
