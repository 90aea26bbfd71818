import { timingSafeEqual } from 'node:crypto';
import { AppError } from '../../domain/errors.ts';
import type { ProviderName } from '../../domain/payments/provider.ts';
import { noteCheck } from '../../db/purchases/checks.ts';
import { noteWebhook } from '../../db/purchases/inbound.ts';
import { nameSession } from '../../db/purchases/purchases.ts';
import { readSecrets } from '../../db/purchases/secrets.ts';
import { watchPurchase, type BuyDeps } from '../buy-tokens.ts';
import { findNamed } from './find-named.ts';

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
  const purchase = await findNamed(database.sql, name, hint);
  if (purchase === null) return;
  const { purchaseId } = purchase;
  const { eventId, type, sessionId, secret } = hint;
  if (secret !== null) {
    const { hookSecret } = await readSecrets(database.sql, shop.vault, purchaseId);
    if (hookSecret !== null && !isSame(secret, hookSecret)) return;
  }
  await noteCheck(database.sql, { provider: name, what: 'webhook' });
  if (eventId !== null) await noteWebhook(database.sql, { provider: name, eventId, type, purchaseId });
  // The checkout's name is lost when a process dies right after it was made.
  if (sessionId !== null && purchase.sessionId === null) await nameSession(database.sql, purchaseId, sessionId);
  await watchPurchase(deps, purchaseId);
}

function isSame(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}
