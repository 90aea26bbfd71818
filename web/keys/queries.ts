import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';

/** All that is read of keys. */
export const keysKey = ['keys'] as const;

export const keysQuery = ({ revoked }: { revoked: boolean }) =>
  infiniteQueryOptions({
    queryKey: [...keysKey, { revoked }],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam: cursor }) =>
      answer(
        api.GET('/api/keys', {
          params: { query: { revoked: `${revoked}`, limit: 50, ...(cursor === null ? {} : { cursor }) } },
        }),
      ),
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });

export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: () => answer(api.GET('/api/models')),
  staleTime: 300_000,
});
