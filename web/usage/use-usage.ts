import { queryOptions, useQuery, type QueryClient } from '@tanstack/react-query';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';
import type { Schemas } from '../api/schemas.ts';
import { useFallback } from '../events/use-account-feed.ts';

export type Usage = Schemas['UsageState'];
export type Level = Usage['level'];
const KEY = ['usage'] as const;
export const usageQuery = queryOptions({ queryKey: KEY, queryFn: readUsage });

/** The account's tokens: the figures by which turns are admitted. The account's feed keeps them current. */
export function useUsage() {
  return useQuery({ ...usageQuery, ...useFallback() });
}

/** Why nothing can be sent; null when something can, or when nothing is known yet. */
export function closedBy(usage: Usage | undefined): 'suspended' | 'exhausted' | null {
  if (usage === undefined) return null;
  return usage.suspended ? 'suspended' : usage.canSend ? null : 'exhausted';
}

/**
 * An answer never replaces newer figures that the feed brought meanwhile. If they are older, the feed soon corrects
 * them, because it tells of every change.
 */
async function readUsage({ client }: { client: QueryClient }): Promise<Usage> {
  const askedAt = Date.now();
  const read = await answer(api.GET('/api/ai-usage'));
  const { data, dataUpdatedAt = 0 } = client.getQueryState<Usage>(KEY) ?? {};
  return data !== undefined && dataUpdatedAt >= askedAt ? data : read;
}
