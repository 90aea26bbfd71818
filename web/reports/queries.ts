import { queryOptions } from '@tanstack/react-query';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';
import type { Schemas } from '../api/schemas.ts';

export type Report = Schemas['UsageReport'];

/** A month that is over never changes; only titles may. */
export const reportQuery = (label: string) =>
  queryOptions({
    queryKey: ['reports', label],
    // The same address answers files, too, to who asks for them.
    queryFn: () => answer(api.GET('/api/reports/{label}', { params: { path: { label } } })) as Promise<Report>,
  });
