import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { takeAlong } from '../../session/session.ts';

export type AutoTopUp = Schemas['AutoTopUp'];
export type Card = Schemas['PaymentMethod'];
export type Wanted = Schemas['SetAutoTopUp'];

export const topUpQuery = queryOptions({
  queryKey: ['auto-top-up'],
  queryFn: () => answer(api.GET('/api/auto-top-up')),
  // A bank that decides, or a card that is asked again, changes it by itself.
  refetchInterval: ({ state: { data } }) => (data?.state === 'on' ? 5_000 : false),
});

export const cardsQuery = queryOptions({
  queryKey: ['payment-methods'],
  queryFn: () => answer(api.GET('/api/payment-methods')),
});

export function useSetTopUp() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Wanted) => answer(api.PUT('/api/auto-top-up', { body })),
    onSuccess: (now) => queries.setQueryData(topUpQuery.queryKey, now),
  });
}

/** Goes to the provider's page, where the card is given. */
export function useAddCard() {
  return useMutation({
    mutationFn: async () => {
      const { checkout } = await answer(api.POST('/api/payment-methods', { body: { provider: 'stripe' } }));
      takeAlong();
      location.assign(checkout.url);
    },
  });
}

export function useRemoveCard() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (paymentMethodId: string) =>
      answer(api.DELETE('/api/payment-methods/{paymentMethodId}', { params: { path: { paymentMethodId } } })),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: cardsQuery.queryKey }),
        queries.invalidateQueries({ queryKey: topUpQuery.queryKey }),
      ]),
  });
}
