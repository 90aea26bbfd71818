import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';
import type { Schemas } from '../api/schemas.ts';
import { useFallback, useFeed } from '../events/use-account-feed.ts';

export type Notification = Schemas['Notification'];

const KEY = ['notifications'] as const;

/** The newest; the feed says when there is another. Those read in another browser are seen on coming back. */
export function useNotifications() {
  return useQuery({
    queryKey: KEY,
    queryFn: () => answer(api.GET('/api/notifications', { params: { query: { limit: 20 } } })),
    refetchOnWindowFocus: 'always',
    ...useFallback(),
  });
}

/** @returns marks one as read, or with null all of them. */
export function useMarkRead() {
  const queries = useQueryClient();
  const feed = useFeed();
  return useMutation({
    mutationFn: async (id: number | null) => {
      if (id === null) await answer(api.POST('/api/notifications/read-all'));
      else await answer(api.POST('/api/notifications/{id}/read', { params: { path: { id: String(id) } } }));
    },
    onSuccess: () => {
      feed.tellRead();
      return queries.invalidateQueries({ queryKey: KEY });
    },
  });
}
