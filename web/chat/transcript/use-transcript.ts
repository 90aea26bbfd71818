import { useInfiniteQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useSyncExternalStore } from 'react';
import { answer } from '../../api/answer.ts';
import { ApiError } from '../../api/api-error.ts';
import { api } from '../../api/client.ts';
import { liveTurns } from '../../session/keep.ts';
import { branchOf, useBranch, wantBranch } from '../branches/shown-branch.ts';
import { mergeNewest, rowsOf, type Message, type MessagePage } from './rows.ts';

/** The end of a transcript shows sooner with a short page; whoever scrolls up reads long ones. */
const FIRST_PAGE = 50;
const OLDER_PAGE = 100;

/**
 * The rows of the branch of a conversation that is shown: stored messages and running turns. Turns that are found
 * running are followed.
 */
export function useTranscript(conversationId: string | null) {
  const turns = liveTurns();
  const branch = useBranch(conversationId);
  const live = useSyncExternalStore(turns.subscribe, turns.list);
  const stored = useInfiniteQuery({
    queryKey: messagesKey(conversationId ?? ''),
    queryFn: ({ pageParam }) => readMessages(conversationId ?? '', pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    enabled: conversationId !== null,
    // Ended turns do not change, and refreshTranscript merges new ones in.
    staleTime: Infinity,
  });
  const pages = stored.data?.pages;
  const rows = useMemo(() => rowsOf(pages ?? [], live, conversationId, branch), [pages, live, conversationId, branch]);
  useEffect(() => {
    if (conversationId === null) return;
    for (const { turnId, state, role } of pages?.[0]?.items ?? []) {
      if (role === 'user' && (state === 'accepted' || state === 'running')) turns.follow(turnId, conversationId);
    }
  }, [pages, turns, conversationId]);
  // Follows turns that other tabs and browsers began.
  const refresh = useRefreshTranscript();
  useEffect(() => {
    if (conversationId === null) return;
    const onReturn = () => {
      if (document.visibilityState === 'visible') void refresh(conversationId).catch(() => {});
    };
    document.addEventListener('visibilitychange', onReturn);
    addEventListener('focus', onReturn);
    addEventListener('online', onReturn);
    return () => {
      document.removeEventListener('visibilitychange', onReturn);
      removeEventListener('focus', onReturn);
      removeEventListener('online', onReturn);
    };
  }, [conversationId, refresh]);
  return { rows, stored };
}

/** Reads the end of the line that is shown again and merges it in; the rest stays. */
export function useRefreshTranscript() {
  const queries = useQueryClient();
  return useCallback(
    async function refresh(conversationId: string): Promise<readonly Message[]> {
      const key = messagesKey(conversationId);
      const newest = await readMessages(conversationId, null);
      // Another branch was chosen meanwhile.
      if (newest.branch !== branchOf(conversationId)) return refresh(conversationId);
      // A first reading that is still under way may be older than this one.
      if (queries.getQueryData(key) === undefined) await queries.cancelQueries({ queryKey: key });
      let known = false;
      queries.setQueryData<InfiniteData<MessagePage, string | null>>(key, (data) => {
        const merged = mergeNewest(data?.pages ?? [], newest);
        if (data === undefined || merged === null) return undefined;
        known = true;
        return { ...data, pages: merged };
      });
      // Nothing was read before, or so much is new that there would be a gap.
      if (!known)
        queries.setQueryData<InfiniteData<MessagePage, string | null>>(key, { pages: [newest], pageParams: [null] });
      return newest.items;
    },
    [queries],
  );
}

/**
 * Shows the line through a turn of a conversation.
 * @returns rejects, with the line shown that was shown before, when it cannot be read.
 */
export function useShowBranch() {
  const queries = useQueryClient();
  const refresh = useRefreshTranscript();
  return useCallback(
    async (conversationId: string, turnId: string): Promise<void> => {
      const before = branchOf(conversationId);
      wantBranch(conversationId, turnId);
      try {
        // An older page that is on its way is of the line that is left.
        await queries.cancelQueries({ queryKey: messagesKey(conversationId) });
        await refresh(conversationId);
      } catch (error) {
        if (branchOf(conversationId) === turnId) wantBranch(conversationId, before);
        throw error;
      }
    },
    [queries, refresh],
  );
}

export function messagesKey(conversationId: string) {
  return ['messages', conversationId] as const;
}

/** A branch that is not there, as one that was chosen in a conversation since erased, gives way to the newest. */
async function readMessages(
  conversationId: string,
  cursor: string | null,
): Promise<MessagePage & { readonly branch: string | null }> {
  const branch = branchOf(conversationId);
  const page = await answer(
    api.GET('/api/conversations/{conversationId}/messages', {
      params: {
        path: { conversationId },
        query: {
          order: 'desc',
          branch: branch ?? 'newest',
          limit: cursor === null ? FIRST_PAGE : OLDER_PAGE,
          ...(cursor === null ? {} : { cursor }),
        },
      },
    }),
  ).catch((error: unknown) => {
    if (branch === null || !(error instanceof ApiError) || error.code !== 'not_found') throw error;
    if (branchOf(conversationId) === branch) wantBranch(conversationId, null);
    return null;
  });
  return page === null ? readMessages(conversationId, null) : { ...page, branch };
}
