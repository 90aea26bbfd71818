import type { z } from 'zod';
import type { CardRow } from '../../db/top-ups/cards.ts';
import type { TopUpSettings } from '../../db/top-ups/settings.ts';
import type { TopUpWay } from '../../domain/payments/top-up.ts';
import type { autoTopUp, paymentMethods } from '../wire/top-up.ts';
import { iso, isoOrNull } from './turn.ts';

export function presentCard(card: CardRow): z.infer<typeof paymentMethods>['items'][number] {
  const { methodId, provider, brand, last4, expires, refusedAt, createdAt } = card;
  return {
    paymentMethodId: methodId,
    provider,
    brand: brand ?? '',
    last4: last4 ?? '',
    expires: expires ?? '',
    isRefused: refusedAt !== null,
    createdAt: iso(createdAt),
  };
}

/** @param settings null: nothing was ever chosen. @param spent this month. */
export function presentTopUp(
  settings: TopUpSettings | null,
  { ways, spent }: { ways: TopUpWay[]; spent: number },
): z.infer<typeof autoTopUp> {
  const isAwaited = settings?.state === 'on' && settings.declines > 0;
  return {
    state: settings?.state ?? 'off',
    ways,
    way: settings?.way ?? null,
    packId: settings?.packId ?? null,
    belowTokens: settings?.belowTokens ?? null,
    monthlyLimit: settings?.monthlyLimit ?? null,
    currency: settings?.currency ?? null,
    paymentMethodId: settings?.methodId ?? null,
    spentThisMonth: spent,
    pausedBecause: settings?.pause ?? null,
    nextTryAt: isoOrNull(isAwaited ? settings.claimedUntil : null),
  };
}
