import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { answer, api } from '../api/client.ts';
import type { Schemas } from '../api/schemas.ts';

export type Notification = Schemas['Notification'];

/** A notification shows within this time wherever the person has a page open. */
const EVERY_MS = 10_000;
const KEY = ['notifications'] as const;

export function useNotifications() {
  return useQuery({ queryKey: KEY, queryFn: () => answer(api.GET('/api/notifications', { params: { query: { limit: 20 } } })), refetchInterval: EVERY_MS });
}

/** @returns marks one as read, or with null all of them. */
export function useMarkRead() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (id: number | null) => {
      if (id === null) await answer(api.POST('/api/notifications/read-all'));
      else await answer(api.POST('/api/notifications/{id}/read', { params: { path: { id: String(id) } } }));
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}
