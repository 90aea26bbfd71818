import { AppError } from '../../domain/errors.ts';
import type { TopUpWay } from '../../domain/payments/top-up.ts';
import { setTopUp, type WantedTopUp } from '../../db/top-ups/settings.ts';
import type { OperationDeps } from '../deps.ts';
import type { ChannelDeps } from '../channels/channels.ts';
import { sellersOf, type PaymentDeps } from '../payments.ts';
import { cardKeeperOf } from './keep-cards.ts';

type WayDeps = Pick<PaymentDeps, 'shop'> & Pick<ChannelDeps, 'channels'>;
export type SetDeps = PaymentDeps & WayDeps & Pick<OperationDeps, 'database' | 'log'>;

export interface ChosenTopUp {
  readonly way: TopUpWay;
  readonly packId: string;
  readonly belowTokens: number;
  readonly monthlyLimit?: number;
  readonly paymentMethodId?: string;
}

/** What can be chosen here, the better one first. A reminder is a mail. */
export function waysOf({ shop, channels }: WayDeps): TopUpWay[] {
  if (!shop.packs.some((pack) => sellersOf(shop, pack).length > 0)) return [];
  return [
    ...(cardKeeperOf(shop) === null ? [] : (['charge'] as const)),
    ...(channels.outward.email ? (['remind'] as const) : []),
  ];
}

/**
 * Chooses or switches off (null), and looks at once.
 * @throws AppError invalid_request, card_declined.
 */
export async function chooseTopUp(
  deps: SetDeps,
  { accountId, userId, chosen }: { accountId: number; userId: number; chosen: ChosenTopUp | null },
): Promise<void> {
  const { database, shop } = deps;
  const livemode = cardKeeperOf(shop)?.livemode ?? false;
  await setTopUp(database, { accountId, livemode, wanted: chosen === null ? null : wantedOf(deps, chosen) });
  await deps.paymentRuns
    .startTopUp({ accountId, userId })
    .catch((error: unknown) => deps.log.warn({ accountId, reason: String(error) }, 'an auto top-up was not started'));
}

function wantedOf(deps: WayDeps, chosen: ChosenTopUp): WantedTopUp {
  const { shop } = deps;
  const { way, packId, belowTokens, monthlyLimit = null, paymentMethodId = null } = chosen;
  const wrong = (field: string, reason: string) => new AppError('invalid_request', { field, reason });
  if (!waysOf(deps).includes(way)) throw wrong('way', 'is not to be had here');
  const pack = shop.packs.find((known) => known.packId === packId);
  const sellers = pack === undefined ? [] : sellersOf(shop, pack);
  if (pack === undefined || sellers.length === 0) throw wrong('packId', 'no such pack is sold');
  if (way === 'charge' && !sellers.some(({ cards }) => cards !== undefined))
    throw wrong('packId', 'is not sold by who keeps cards');
  // Else one purchase would not end the fall, and the next one would follow at once.
  if (belowTokens >= pack.tokens) throw wrong('belowTokens', `must be below the pack’s ${pack.tokens} tokens`);
  if (monthlyLimit !== null && monthlyLimit < pack.amount)
    throw wrong('monthlyLimit', `must be at least the pack’s price of ${pack.amount}`);
  return { pack, way, belowTokens, monthlyLimit, methodId: paymentMethodId };
}
