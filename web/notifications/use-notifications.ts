import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';
import type { Schemas } from '../api/schemas.ts';
import { useFallback, useFeed } from '../events/use-account-feed.ts';

export type Notification = Schemas['Notification'];

const KEY = ['notifications'] as const;

/**
 * The newest notifications. The feed says when there is another; those read in another browser are updated when the
 * page gets the focus again.
 */
export function useNotifications() {
  return useQuery({
    queryKey: KEY,
    queryFn: () => answer(api.GET('/api/notifications', { params: { query: { limit: 20 } } })),
    refetchOnWindowFocus: 'always',
    ...useFallback(),
  });
}

/** @returns a mutation that marks one as read, or all of them with null. */
export function useMarkRead() {
  const queries = useQueryClient();
  const feed = useFeed();
  return useMutation({
    mutationFn: async (id: number | null) => {
      if (id === null) await answer(api.POST('/api/notifications/read-all'));
      else await answer(api.POST('/api/notifications/{id}/read', { params: { path: { id } } }));
    },
    onSuccess: () => {
      feed.tellRead();
      return queries.invalidateQueries({ queryKey: KEY });
    },
  });
}
