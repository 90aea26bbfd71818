import { useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { createContext, use, useEffect, useMemo, useRef, useState } from 'react';
import { accepted } from '../api/api-error.ts';
import type { Schemas } from '../api/schemas.ts';
import { knows, type MessagePage } from '../chat/transcript/rows.ts';
import { messagesKey, useRefreshTranscript } from '../chat/transcript/use-transcript.ts';
import { authorizedFetch } from '../session/fetch.ts';
import { liveTurns } from '../session/keep.ts';
import { useMe } from '../session/me.ts';
import { AccountFeed } from './account-feed.ts';
import type { FeedEvent, FeedState } from './feed-connection.ts';

type Usage = Schemas['UsageState'];

export interface Feed {
  readonly state: FeedState;
  /** Tells the other pages of this browser that notifications were marked as read here. */
  tellRead(): void;
}

export const FeedContext = createContext<Feed>({ state: 'connecting', tellRead: () => {} });

/** The account's feed; only for components within FeedContext. */
export function useFeed(): Feed {
  return use(FeedContext);
}

/** Query options: while the feed is lost, the page asks from time to time. */
export function useFallback(): { refetchInterval: number | false } {
  return { refetchInterval: useFeed().state === 'lost' ? 30_000 : false };
}

/** Keeps what the page shows true by the account's feed. It is used once, around all pages. */
export function useAccountFeed(): Feed {
  const { userId, eventId } = useMe();
  const [from] = useState(eventId);
  const [state, setState] = useState<FeedState>('connecting');
  const feed = useRef<AccountFeed | null>(null);
  const queries = useQueryClient();
  const onTurn = useOnTurn();
  useEffect(() => {
    const rereadNotifications = () => void queries.invalidateQueries({ queryKey: ['notifications'] });
    const onUsage = (usage: Usage) => {
      const before = queries.getQueryData<Usage>(['usage']);
      queries.setQueryData(['usage'], usage);
      // The usage history, if it is on the screen.
      if (before !== undefined && before.usedTokens !== usage.usedTokens)
        void queries.invalidateQueries({ queryKey: ['usage', 'history'] });
    };
    const onEvent = (event: FeedEvent) => {
      if (event.type === 'usage') onUsage(event.data);
      else if (event.type === 'notification') rereadNotifications();
      else onTurn(event.data);
    };
    const onGap = () => void queries.invalidateQueries();
    const opened = new AccountFeed({
      userId,
      from,
      open,
      listener: { onEvent, onState: setState, onGap, onRead: rereadNotifications },
    });
    feed.current = opened;
    return () => opened.close();
  }, [userId, from, queries, onTurn]);
  return useMemo(() => ({ state, tellRead: () => feed.current?.tellRead() }), [state]);
}

/** A turn that this page follows has its own stream; any other may belong to a conversation that it shows. */
function useOnTurn() {
  const queries = useQueryClient();
  const refresh = useRefreshTranscript();
  return useMemo(
    () => (change: Extract<FeedEvent, { type: 'turn' }>['data']) => {
      const known = liveTurns().get(change.turnId);
      // What was read of a failed turn is kept; a replay by an admin begins it anew.
      if (known !== undefined && known.ending?.state !== 'failed') return;
      void queries.invalidateQueries({ queryKey: ['conversations'] });
      const key = messagesKey(change.conversationId);
      const isOpen = queries.getQueryCache().find({ queryKey: key })?.isActive() === true;
      // A conversation that is not on the screen is read again when it is opened.
      if (!isOpen) queries.removeQueries({ queryKey: key });
      else if (!knows(queries.getQueryData<InfiniteData<MessagePage>>(key)?.pages ?? [], change))
        void refresh(change.conversationId).then(
          () => {
            // One that runs on a branch that is not shown is followed all the same: nothing else can be sent meanwhile.
            const pages = queries.getQueryData<InfiniteData<MessagePage>>(key)?.pages ?? [];
            if (isLive(change.state) && !knows(pages, change)) liveTurns().follow(change.turnId, change.conversationId);
          },
          () => {},
        );
    },
    [queries, refresh],
  );
}

function isLive(state: Schemas['Turn']['state']): boolean {
  return state === 'accepted' || state === 'running';
}

async function open(lastEventId: string, signal: AbortSignal): Promise<Response> {
  return accepted(
    await authorizedFetch('/api/events', {
      signal,
      cache: 'no-store',
      headers: { Accept: 'text/event-stream', ...(lastEventId === '' ? {} : { 'Last-Event-ID': lastEventId }) },
    }),
  );
}
