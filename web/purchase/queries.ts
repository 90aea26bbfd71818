import { queryOptions } from '@tanstack/react-query';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';
import type { Schemas } from '../api/schemas.ts';

export type Pack = Schemas['Pack'];
export type Purchase = Schemas['Purchase'];
export type PurchaseDetail = Schemas['PurchaseDetail'];
export type PurchaseState = Purchase['state'];

/** All that is read of purchases; `purchasesKey` names all of it. */
export const purchasesKey = ['purchases'] as const;

export const packsQuery = queryOptions({ queryKey: ['packs'], queryFn: () => answer(api.GET('/api/packs')) });

export const purchaseQuery = (purchaseId: string) =>
  queryOptions({
    queryKey: [...purchasesKey, purchaseId],
    queryFn: () => answer(api.GET('/api/purchases/{purchaseId}', { params: { path: { purchaseId } } })),
    refetchInterval: ({ state: { data } }) => (data === undefined ? false : askAgainMs(data)),
  });

/** What is still to come is asked for, beside the feed, which tells only of tokens. */
function askAgainMs({ state, refunds }: PurchaseDetail): number | false {
  if (state === 'created' || state === 'pending') return 3_000;
  if (state === 'awaiting_deposit') return 10_000;
  return refunds.some((refund) => refund.state === 'requested') ? 3_000 : false;
}
