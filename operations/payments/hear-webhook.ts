import { timingSafeEqual } from 'node:crypto';
import { AppError } from '../../domain/errors.ts';
import type { ProviderName } from '../../domain/payments/provider.ts';
import { noteWebhook } from '../../db/purchases/inbound.ts';
import { findByProviderId, findPurchase, nameSession, type PurchaseRow } from '../../db/purchases/purchases.ts';
import { readSecrets } from '../../db/purchases/secrets.ts';
import type { Hint } from '../../platform/payments/provider.ts';
import { watchPurchase, type BuyDeps } from '../buy-tokens.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Hears what a provider says. Whatever it says only makes us look, so one that is sent twice, late or by somebody else
 * changes nothing.
 * @throws AppError not_found where the provider is not configured, invalid_request for a signature that is not its own.
 */
export async function hearWebhook(
  deps: BuyDeps,
  name: ProviderName,
  { headers, body }: { headers: Readonly<Record<string, unknown>>; body: Buffer },
): Promise<void> {
  const { database, shop } = deps;
  const provider = shop.providers.find((known) => known.name === name);
  if (provider === undefined) throw new AppError('not_found');
  const hint = provider.hear(headers, body);
  if (hint === null) throw new AppError('invalid_request', { field: null, reason: 'the signature is not right' });
  const purchase = await find(deps, name, hint);
  if (purchase === null) return;
  const { purchaseId } = purchase;
  const { eventId, type, sessionId, secret } = hint;
  if (secret !== null) {
    const { hookSecret } = await readSecrets(database.sql, shop.vault, purchaseId);
    if (hookSecret !== null && !isSame(secret, hookSecret)) return;
  }
  if (eventId !== null) await noteWebhook(database.sql, { provider: name, eventId, type, purchaseId });
  // The checkout's name is lost when a process dies right after it was made.
  if (sessionId !== null && purchase.sessionId === null) await nameSession(database.sql, purchaseId, sessionId);
  await watchPurchase(deps, purchaseId);
}

async function find({ database }: BuyDeps, provider: ProviderName, hint: Hint): Promise<PurchaseRow | null> {
  const { purchaseId, paymentId, sessionId } = hint;
  if (purchaseId !== null && UUID.test(purchaseId)) {
    const found = await findPurchase(database.sql, purchaseId);
    if (found !== null) return found.provider === provider ? found : null;
  }
  const bySession = sessionId === null ? null : await findByProviderId(database.sql, provider, { sessionId });
  if (bySession !== null || paymentId === null) return bySession;
  return findByProviderId(database.sql, provider, { paymentId });
}

function isSame(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}
