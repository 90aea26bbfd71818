import { AppError } from '../../domain/errors.ts';
import type { Locale } from '../../domain/messages.ts';
import {
  findCard,
  findCardsToForget,
  findOpenCards,
  keepCard,
  listCards,
  nameCardForm,
  nameCustomer,
  noteCardLook,
  noteForgotten,
  openCard,
  readCardRef,
  removeCard,
  type CardRow,
} from '../../db/top-ups/cards.ts';
import { ProviderUnavailable, type PaymentProvider } from '../../platform/payments/provider.ts';
import type { CardKeeper } from '../../platform/payments/cards.ts';
import type { OperationDeps } from '../deps.ts';
import type { PaymentDeps, Shop } from '../payments.ts';

export type CardDeps = Pick<PaymentDeps, 'shop'> & Pick<OperationDeps, 'database' | 'log'>;

const BETWEEN_LOOKS_MS = 2_000;
const AT_A_TIME = 100;

/** Who keeps cards here; null where nobody does. */
export function cardKeeperOf({ providers }: Shop): (PaymentProvider & { readonly cards: CardKeeper }) | null {
  const found = providers.find(({ cards }) => cards !== undefined);
  return found?.cards === undefined ? null : { ...found, cards: found.cards };
}

/**
 * Makes the row of a card and asks its provider for the page where it is given.
 * @throws AppError invalid_request, rate_limited, provider_unavailable.
 */
export async function addCard(
  { database, shop }: CardDeps,
  { accountId, locale }: { accountId: number; locale: Locale },
): Promise<{ methodId: string; url: string }> {
  const provider = cardKeeperOf(shop);
  if (provider === null) throw new AppError('invalid_request', { field: 'provider', reason: 'keeps no cards here' });
  const at = { accountId, provider: provider.name, livemode: provider.livemode };
  const { methodId, customer } = await openCard(database, at);
  try {
    const opened = await provider.cards.openForm({
      methodId,
      customer,
      returnUrl: `${shop.publicUrl}/purchase?card=${methodId}`,
      locale,
    });
    await nameCustomer(database.sql, { key: customer.key, ref: opened.customerRef });
    await nameCardForm(database.sql, methodId, opened.sessionId);
    return { methodId, url: opened.url };
  } catch (cause) {
    if (!(cause instanceof ProviderUnavailable)) throw cause;
    throw new AppError('provider_unavailable', { retryAfter: 5 }, { cause });
  }
}

/** An account's cards. Those that its owner may just have given are looked at; a provider that is away adds none. */
export async function readCards(deps: CardDeps, accountId: number): Promise<CardRow[]> {
  for (const card of await findOpenCards(deps.database.sql, accountId)) {
    if (card.lookedAt !== null && Date.now() - card.lookedAt < BETWEEN_LOOKS_MS) continue;
    await lookAtCard(deps, card).catch((error: unknown) => {
      if (!(error instanceof ProviderUnavailable)) throw error;
    });
  }
  return listCards(deps.database.sql, accountId);
}

/** Reads at its provider whether a card was given. @throws ProviderUnavailable. */
export async function lookAtCard({ database, shop }: CardDeps, { methodId, sessionId }: CardRow): Promise<void> {
  const provider = cardKeeperOf(shop);
  if (provider === null || sessionId === null) return;
  await noteCardLook(database.sql, methodId);
  const kept = await provider.cards.readForm({ methodId, sessionId });
  if (kept !== null) await keepCard(database.sql, shop.vault, { methodId, ...kept });
}

/** Takes a card away at once; the provider forgets it then, or later. @throws AppError not_found. */
export async function dropCard(deps: CardDeps, card: { accountId: number; methodId: string }): Promise<void> {
  await removeCard(deps.database, card);
  const found = await findCard(deps.database.sql, card.methodId);
  if (found !== null) await forget(deps, found).catch(() => {});
}

/** Makes providers forget cards that were removed while they were away. */
export async function forgetCards(deps: CardDeps): Promise<void> {
  for (const card of await findCardsToForget(deps.database.sql, AT_A_TIME))
    await forget(deps, card).catch((error: unknown) => {
      if (!(error instanceof ProviderUnavailable)) throw error;
    });
}

async function forget({ database, shop }: CardDeps, { methodId, livemode }: CardRow): Promise<void> {
  const provider = cardKeeperOf(shop);
  if (provider === null || provider.livemode !== livemode) return;
  const ref = await readCardRef(database.sql, shop.vault, methodId);
  if (ref !== null) await provider.cards.forget(ref);
  await noteForgotten(database.sql, methodId);
}
