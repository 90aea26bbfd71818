import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';
import type { Schemas } from '../api/schemas.ts';

export type Endpoint = Schemas['WebhookEndpoint'];
export type NewEndpoint = Schemas['CreateWebhookEndpoint'];
export type EndpointChange = Schemas['UpdateWebhookEndpoint'];

export const endpointsQuery = queryOptions({
  queryKey: ['webhook-endpoints'],
  queryFn: async () => (await answer(api.GET('/api/webhook-endpoints'))).items,
});

export const deliveriesQuery = (endpointId: string) =>
  queryOptions({
    queryKey: ['webhook-deliveries', endpointId],
    queryFn: async () =>
      (await answer(api.GET('/api/webhook-endpoints/{endpointId}/deliveries', { params: { path: { endpointId } } })))
        .items,
    // What waits goes on without being asked.
    refetchInterval: ({ state }) => (state.data?.some(({ state }) => state === 'pending') === true ? 2_000 : false),
  });

/** What may be done with endpoints. Each reads the list anew. */
export function useEndpoints() {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: endpointsQuery.queryKey });
  const of = (endpointId: string) => ({ params: { path: { endpointId } } });
  return {
    create: useMutation({
      mutationFn: (body: NewEndpoint) => answer(api.POST('/api/webhook-endpoints', { body })),
      onSuccess,
    }),
    change: useMutation({
      mutationFn: ({ endpointId, ...body }: EndpointChange & { endpointId: string }) =>
        answer(api.PATCH('/api/webhook-endpoints/{endpointId}', { ...of(endpointId), body })),
      onSuccess,
    }),
    remove: useMutation({
      mutationFn: (endpointId: string) => answer(api.DELETE('/api/webhook-endpoints/{endpointId}', of(endpointId))),
      onSuccess,
    }),
  };
}

/** Sends an endpoint a test, or something once more. */
export function useSend(endpointId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (deliveryId: string | null) =>
      deliveryId === null
        ? answer(api.POST('/api/webhook-endpoints/{endpointId}/test', { params: { path: { endpointId } } }))
        : answer(
            api.POST('/api/webhook-endpoints/{endpointId}/deliveries/{deliveryId}/resend', {
              params: { path: { endpointId, deliveryId } },
            }),
          ),
    onSuccess: () => queries.invalidateQueries({ queryKey: deliveriesQuery(endpointId).queryKey }),
  });
}
