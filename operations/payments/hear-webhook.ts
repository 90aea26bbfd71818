import { timingSafeEqual } from 'node:crypto';
import { AppError } from '../../domain/errors.ts';
import type { ProviderName } from '../../domain/payments/provider.ts';
import { noteCheck } from '../../db/purchases/checks.ts';
import { noteWebhook } from '../../db/purchases/inbound.ts';
import { nameSession } from '../../db/purchases/purchases.ts';
import { readSecrets } from '../../db/purchases/secrets.ts';
import { findCardOfForm } from '../../db/top-ups/cards.ts';
import { ProviderUnavailable } from '../../platform/payments/provider.ts';
import { watchPurchase, type BuyDeps } from '../buy-tokens.ts';
import { lookAtCard } from '../top-ups/keep-cards.ts';
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
  if (purchase === null) return hearOfCard(deps, name, hint.sessionId);
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

/** A form that is finished keeps a card. A provider that is away is asked when its owner looks. */
async function hearOfCard(deps: BuyDeps, provider: ProviderName, sessionId: string | null): Promise<void> {
  const card = sessionId === null ? null : await findCardOfForm(deps.database.sql, { provider, sessionId });
  if (card?.state !== 'open') return;
  await noteCheck(deps.database.sql, { provider, what: 'webhook' });
  await lookAtCard(deps, card).catch((error: unknown) => {
    if (!(error instanceof ProviderUnavailable)) throw error;
  });
}

function isSame(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}
