import { queryOptions } from '@tanstack/react-query';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';

/** How one may sign in to this installation; it stays as it is while the page is open. */
export const signInOptions = queryOptions({
  queryKey: ['sign-in-options'],
  queryFn: () => answer(api.GET('/api/auth/options')),
  staleTime: Infinity,
});
