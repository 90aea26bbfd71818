import type { OperationDeps } from './deps.ts';

/**
 * Tells whoever runs the turn that its row asks for a stop. While Temporal is away the end is late, but the row keeps
 * the stop.
 */
export async function deliverStop(
  deps: Pick<OperationDeps, 'feed' | 'runs' | 'log'>,
  { turnId, userId }: { turnId: string; userId: number },
): Promise<void> {
  deps.feed.announce(turnId, 'stop');
  await deps.runs
    .cancel({ turnId, userId })
    .catch((error: unknown) => deps.log.warn({ turnId, reason: String(error) }, 'a stop did not reach Temporal'));
}
