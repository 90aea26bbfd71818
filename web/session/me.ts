import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { createContext, use } from 'react';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';
import type { Schemas } from '../api/schemas.ts';
import { composeAs } from '../chat/composer/composing.ts';
import { changeLanguage } from '../i18n/language.ts';

export type Me = Schemas['Me'];

export const MeContext = createContext<Me | null>(null);

/** The person who is signed in; only for components that show after signing in. */
export function useMe(): Me {
  const me = use(MeContext);
  if (me === null) throw new Error('useMe needs a signed-in person');
  return me;
}

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: async () => {
    const me = await answer(api.GET('/api/me'));
    composeAs(me.userId);
    await changeLanguage(me.locale);
    return me;
  },
  staleTime: Infinity,
});

export function useUpdateMe() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (change: Schemas['UpdateMe']) => answer(api.PATCH('/api/me', { body: change })),
    onSuccess: async (me) => {
      await changeLanguage(me.locale);
      queries.setQueryData(['me'], me);
      // The server's sentences are in the language in which they were asked for, so they are read again.
      await queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'me' });
    },
  });
}
