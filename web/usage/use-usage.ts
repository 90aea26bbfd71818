import { useQuery } from '@tanstack/react-query';
import { answer, api } from '../api/client.ts';
import type { Schemas } from '../api/schemas.ts';

export type Usage = Schemas['UsageState'];
export type Level = Usage['level'];

/** The account's tokens: the same figures that decide whether a turn is let in. */
export function useUsage() {
  return useQuery({ queryKey: ['usage'], queryFn: () => answer(api.GET('/api/ai-usage')), refetchOnWindowFocus: 'always' });
}
