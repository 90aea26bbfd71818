import { infiniteQueryOptions, queryOptions, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Search } from 'lucide-react';
import { useCallback, useDeferredValue, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { useMe } from '../../session/me.ts';
import { Button } from '../../ui/Button.tsx';
import { Loading } from '../../ui/Loading.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { isComposingKey } from '../../ui/keys/composing-key.ts';
import { SEARCH } from '../../ui/keys/shortcuts.ts';
import { useInView } from '../../ui/use-in-view.ts';
import { ConversationItem } from './ConversationItem.tsx';
import { groupByDay } from './groups.ts';
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
              ...(search === '' && !archived ? { pinned: 'false' as const } : {}),
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

/** Those that are pinned; where they are searched or archived, they stand among the others. */
export const pinnedQuery = queryOptions({
  queryKey: ['conversations', 'pinned'],
  queryFn: () =>
    answer(api.GET('/api/conversations', { params: { query: { limit: 100, archived: 'false', pinned: 'true' } } })),
});

/** The conversations, newest activity first, by day; searched by title and by what was said; scrolling loads more. */
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
  const isPlain = wanted === '' && !archived;
  const pinned = useQuery({ ...pinnedQuery, enabled: isPlain });
  const kept = isPlain ? (pinned.data?.items ?? []) : [];
  const { timeZone } = useMe();
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const sections = [
    ...(kept.length === 0 ? [] : [{ label: t('pinned'), items: kept }]),
    ...(isPlain
      ? groupByDay(items, { timeZone, now: list.dataUpdatedAt }).map(({ group, items: members }) => ({
          label: t(`groups.${group}`),
          items: members,
        }))
      : [{ label: null, items }]),
  ];
  const [moved, setMoved] = useState<Schemas['Conversation'] | null>(null);
  const forgetMoved = useCallback(() => setMoved(null), []);
  const rows = useRef<HTMLDivElement>(null);
  const leaveRow = (conversationId: string) => {
    // The row is still there: the focus goes to the next one, or to the one before the last.
    const links = [...(rows.current?.querySelectorAll<HTMLElement>('li a') ?? [])];
    const at = links.findIndex((link) => link.closest('li')?.dataset['conversation'] === conversationId);
    (links[at + 1] ?? links[at - 1] ?? input.current)?.focus();
  };
  return (
    <nav
      aria-label={t('conversations')}
      // On a screen too low for all of the sidebar it scrolls, and the list keeps room for some rows.
      className="flex min-h-72 flex-1 flex-col"
      onKeyDown={(event) => {
        const step = STEPS.get(event.key);
        if (step === undefined || isComposingKey(event.nativeEvent)) return;
        const stops = [input.current, ...(rows.current?.querySelectorAll<HTMLElement>('li a') ?? [])];
        const at = stops.findIndex((stop) => stop === event.target);
        if (at < 0) return;
        event.preventDefault();
        stops[at + step]?.focus();
      }}
    >
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
        {list.isSuccess && items.length === 0 && kept.length === 0 && (
          <p className="px-3 py-6 text-center text-sm text-faint">
            {wanted !== '' ? t('noneFound') : archived ? t('noneArchived') : t('none')}
          </p>
        )}
        <div role="status" className="sr-only">
          {wanted !== '' && !list.isFetching && items.length > 0 && t('foundCount', { count: items.length })}
        </div>
        <div ref={rows}>
          {sections.map(({ label, items: members }) => (
            <section key={label} {...(label === null ? {} : { 'aria-label': label })}>
              {label !== null && <h2 className="px-3 pt-3 pb-1 text-xs font-medium text-faint">{label}</h2>}
              <ul className="grid grid-cols-[minmax(0,1fr)] gap-px">
                {members.map((item) => (
                  <li key={item.conversationId} data-conversation={item.conversationId}>
                    <ConversationItem
                      item={item}
                      onLeave={onLeave}
                      onMoved={(changed) => {
                        setMoved(changed);
                        leaveRow(changed.conversationId);
                      }}
                      onDeleted={() => leaveRow(item.conversationId)}
                    />
                  </li>
                ))}
              </ul>
            </section>
          ))}
        </div>
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

/** Up and down go through the list, from the search to its last row. */
const STEPS = new Map([
  ['ArrowDown', 1],
  ['ArrowUp', -1],
]);

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
