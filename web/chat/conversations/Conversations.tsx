import { infiniteQueryOptions, useInfiniteQuery } from '@tanstack/react-query';
import { Search } from 'lucide-react';
import { useCallback, useDeferredValue, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Button } from '../../ui/Button.tsx';
import { Loading } from '../../ui/Loading.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { SEARCH } from '../../ui/keys/shortcuts.ts';
import { useInView } from '../../ui/use-in-view.ts';
import { ConversationItem } from './ConversationItem.tsx';
import { Undo } from './Undo.tsx';

export function conversationsQuery({ search, archived }: { search: string; archived: boolean }) {
  return infiniteQueryOptions({
    queryKey: ['conversations', { search, archived }],
    queryFn: ({ pageParam }) =>
      answer(
        api.GET('/api/conversations', {
          params: {
            query: {
              limit: 40,
              archived: archived ? 'true' : 'false',
              ...(search === '' ? {} : { search }),
              ...(pageParam === null ? {} : { cursor: pageParam }),
            },
          },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
  });
}

/** The conversations, newest activity first, searched by title; scrolling loads more. */
export function Conversations({ onLeave }: { onLeave: () => void }) {
  const { t } = useTranslation('chat');
  const [search, setSearch] = useState('');
  const [archived, setArchived] = useState(false);
  const wanted = useDeferredValue(search.trim());
  const input = useSearchKey();
  const list = useInfiniteQuery({
    ...conversationsQuery({ search: wanted, archived }),
    placeholderData: (before) => before,
  });
  const more = useInView(() => {
    if (list.hasNextPage && !list.isFetchingNextPage) void list.fetchNextPage();
  }, list.dataUpdatedAt);
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const [moved, setMoved] = useState<Schemas['Conversation'] | null>(null);
  const forgetMoved = useCallback(() => setMoved(null), []);
  const rows = useRef<HTMLUListElement>(null);
  const onMoved = (item: Schemas['Conversation'], at: number) => {
    setMoved(item);
    // The row is still there: the focus goes to the next one, or to the one before the last.
    const links = [...(rows.current?.querySelectorAll<HTMLElement>(':scope > li a') ?? [])];
    (links[at + 1] ?? links[at - 1] ?? input.current)?.focus();
  };
  return (
    <nav aria-label={t('conversations')} className="flex min-h-0 flex-1 flex-col">
      <div className="relative mb-2">
        <Search
          aria-hidden
          className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-faint"
        />
        <input
          ref={input}
          type="search"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          aria-label={t('search')}
          placeholder={t('search')}
          aria-keyshortcuts="Control+K"
          maxLength={200}
          className="h-9 w-full rounded-lg bg-transparent pr-2 pl-9 text-sm placeholder:text-faint hover:bg-hover focus:bg-raised"
        />
      </div>
      <div className="-mx-1 min-h-0 flex-1 overflow-y-auto px-1" aria-busy={list.isFetching}>
        {list.isPending && <Loading />}
        {list.isError && <Problem error={list.error} onRetry={() => void list.refetch()} />}
        {list.isSuccess && items.length === 0 && (
          <p className="px-3 py-6 text-center text-sm text-faint">
            {wanted !== '' ? t('noneFound') : archived ? t('noneArchived') : t('none')}
          </p>
        )}
        <ul ref={rows} className="grid grid-cols-[minmax(0,1fr)] gap-px">
          {items.map((item, at) => (
            <li key={item.conversationId}>
              <ConversationItem item={item} onLeave={onLeave} onMoved={(changed) => onMoved(changed, at)} />
            </li>
          ))}
        </ul>
        <div ref={more} className="h-px" />
        {list.isFetchingNextPage && <Loading className="p-3" />}
      </div>
      <div role="status">
        {moved !== null && <Undo key={moved.conversationId} moved={moved} onGone={forgetMoved} />}
      </div>
      <Button
        look="bare"
        size="small"
        className="mt-1 justify-start"
        aria-pressed={archived}
        onClick={() => setArchived(!archived)}
      >
        {archived ? t('showCurrent') : t('showArchived')}
      </Button>
    </nav>
  );
}

function useSearchKey() {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = () => {
      // The sidebar may exist twice (beside the page and in the drawer): the visible one takes the focus.
      if (input.current?.checkVisibility() === true) input.current.select();
    };
    addEventListener(SEARCH, focus);
    return () => removeEventListener(SEARCH, focus);
  }, []);
  return input;
}
