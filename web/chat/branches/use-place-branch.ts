import { useEffect, useRef } from 'react';
import { useSearchParams } from 'wouter';
import type { Row } from '../transcript/rows.ts';
import { useShowBranch } from '../transcript/use-transcript.ts';

/** Shows the branch of the turn that the address names, once, where the line that is shown has read no such turn. */
export function usePlaceBranch(conversationId: string | null, rows: readonly Row[], read: boolean): void {
  const [params] = useSearchParams();
  const show = useShowBranch();
  const shown = useRef<string | null>(null);
  const place = params.get('turn');
  useEffect(() => {
    if (place === null || conversationId === null || !read || shown.current === place) return;
    shown.current = place;
    // A turn that is not there leaves the line as it is.
    if (!rows.some(({ turnId }) => turnId === place)) void show(conversationId, place).catch(() => {});
  }, [place, conversationId, read, rows, show]);
}
