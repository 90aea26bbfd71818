import { queryOptions, useQuery, type QueryClient } from '@tanstack/react-query';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';
import type { Schemas } from '../api/schemas.ts';
import { useFallback } from '../events/use-account-feed.ts';

export type Usage = Schemas['UsageState'];
export type Level = Usage['level'];
const KEY = ['usage'] as const;
export const usageQuery = queryOptions({ queryKey: KEY, queryFn: readUsage });

/**
 * The account's tokens: the same figures that decide whether a turn is let in. The feed of the account keeps them as
 * they are.
 */
export function useUsage() {
  return useQuery({ ...usageQuery, ...useFallback() });
}

/** What the feed said while this was asked may be newer, and is never older for long: it tells of every change. */
async function readUsage({ client }: { client: QueryClient }): Promise<Usage> {
  const askedAt = Date.now();
  const read = await answer(api.GET('/api/ai-usage'));
  const { data, dataUpdatedAt = 0 } = client.getQueryState<Usage>(KEY) ?? {};
  return data !== undefined && dataUpdatedAt >= askedAt ? data : read;
}
