import { queryOptions } from '@tanstack/react-query';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';

/** The ways to sign in to this installation; they do not change while the page is open. */
export const signInOptions = queryOptions({
  queryKey: ['sign-in-options'],
  queryFn: () => answer(api.GET('/api/auth/options')),
  staleTime: Infinity,
});
