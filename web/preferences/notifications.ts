import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';
import type { Schemas } from '../api/schemas.ts';

export type Preferences = Schemas['NotificationPreferences'];
export type Preference = Preferences['items'][number];

export const preferencesQuery = queryOptions({
  queryKey: ['notification-preferences'],
  queryFn: () => answer(api.GET('/api/me/notification-preferences')),
});

/** Switches one kind. */
export function useSwitch() {
  const keep = useKeep();
  return useMutation({
    mutationFn: (item: Preference) => answer(api.PUT('/api/me/notification-preferences', { body: { items: [item] } })),
    onSuccess: keep,
  });
}

/** Asks for mail at another address. */
export function useChangeAddress() {
  const keep = useKeep();
  return useMutation({
    mutationFn: (email: string) => answer(api.POST('/api/me/address', { body: { email } })),
    onSuccess: keep,
  });
}

function useKeep() {
  const queries = useQueryClient();
  return (preferences: Preferences) => queries.setQueryData(preferencesQuery.queryKey, preferences);
}
