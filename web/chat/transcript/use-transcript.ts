import { useInfiniteQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useSyncExternalStore } from 'react';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { liveTurns } from '../../session/keep.ts';
import { mergeNewest, rowsOf, type Message, type MessagePage } from './rows.ts';

/** The end at once; whoever scrolls up reads on and on. */
const FIRST_PAGE = 50;
const OLDER_PAGE = 100;

/** The rows of a conversation: what is stored, and the turns that run. Turns found running are followed. */
export function useTranscript(conversationId: string | null) {
  const turns = liveTurns();
  const live = useSyncExternalStore(turns.subscribe, turns.list);
  const stored = useInfiniteQuery({
    queryKey: messagesKey(conversationId ?? ''),
    queryFn: ({ pageParam }) => readMessages(conversationId ?? '', pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    enabled: conversationId !== null,
    // What has ended does not change; what is new is merged in (refreshTranscript).
    staleTime: Infinity,
  });
  const pages = stored.data?.pages;
  const rows = useMemo(() => rowsOf(pages ?? [], live, conversationId), [pages, live, conversationId]);
  useEffect(() => {
    if (conversationId === null) return;
    for (const { turnId, state, role } of pages?.[0]?.items ?? []) {
      if (role === 'user' && (state === 'accepted' || state === 'running')) turns.follow(turnId, conversationId);
    }
  }, [pages, turns, conversationId]);
  // What other tabs and browsers asked meanwhile.
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

/** Reads the end of a transcript again and puts it in; what was read before stays. */
export function useRefreshTranscript() {
  const queries = useQueryClient();
  return useCallback(
    async (conversationId: string) => {
      const key = messagesKey(conversationId);
      const newest = await readMessages(conversationId, null);
      // A first reading under way may be older than this one.
      if (queries.getQueryData(key) === undefined) await queries.cancelQueries({ queryKey: key });
      let known = false;
      queries.setQueryData<InfiniteData<MessagePage, string | null>>(key, (data) => {
        const merged = mergeNewest(data?.pages ?? [], newest.items);
        if (data === undefined || merged === null) return undefined;
        known = true;
        return { ...data, pages: merged };
      });
      // Never read, or so much is new that a gap would be left.
      if (!known)
        queries.setQueryData<InfiniteData<MessagePage, string | null>>(key, { pages: [newest], pageParams: [null] });
      return newest.items;
    },
    [queries],
  );
}

export function messagesKey(conversationId: string) {
  return ['messages', conversationId] as const;
}

async function readMessages(
  conversationId: string,
  cursor: string | null,
): Promise<{ items: Message[]; nextCursor: string | null }> {
  return answer(
    api.GET('/api/conversations/{conversationId}/messages', {
      params: {
        path: { conversationId },
        query: {
          order: 'desc',
          limit: cursor === null ? FIRST_PAGE : OLDER_PAGE,
          ...(cursor === null ? {} : { cursor }),
        },
      },
    }),
  );
}
