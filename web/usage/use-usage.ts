import { useQuery } from '@tanstack/react-query';
import { answer, api } from '../api/client.ts';
import type { Schemas } from '../api/schemas.ts';

export type Usage = Schemas['UsageState'];
export type Level = Usage['level'];

/** Whatever moves an account elsewhere (a grant, a reset, another browser) shows within this time. */
const EVERY_MS = 5_000;

/** The account's tokens: the same figures that decide whether a turn is let in. */
export function useUsage() {
  return useQuery({ queryKey: ['usage'], queryFn: () => answer(api.GET('/api/ai-usage')), refetchOnWindowFocus: 'always', refetchInterval: EVERY_MS });
}
