import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';
import { Button } from '../ui/Button.tsx';
import { Loading } from '../ui/Loading.tsx';
import { Page } from '../ui/Page.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useFigures } from '../usage/figures.ts';

/** Months that are over, newest first. */
export function ReportList() {
  const { t } = useTranslation('reports');
  const { tokens, monthOf } = useFigures();
  const list = useInfiniteQuery({
    queryKey: ['reports', 'list'],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam: cursor }) =>
      answer(api.GET('/api/reports', { params: { query: { limit: 24, ...(cursor === null ? {} : { cursor }) } } })),
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Page title={t('title')}>
      <p className="mb-6 text-sm text-soft">{t('lead')}</p>
      {list.isPending && <Loading />}
      {list.isError && <Problem error={list.error} onRetry={() => void list.refetch()} />}
      {list.isSuccess && items.length === 0 && (
        <p className="rounded-xl border border-dashed border-line px-4 py-10 text-center text-sm text-faint">
          {t('none')}
        </p>
      )}
      <ul className="divide-y divide-line rounded-xl border border-line bg-raised empty:hidden">
        {items.map(({ label, turns, usedTokens }) => (
          <li key={label}>
            <Link
              href={`/usage/reports/${label}`}
              className="flex min-h-14 flex-wrap items-center justify-between gap-x-4 gap-y-1 px-4 py-3 hover:bg-hover"
            >
              <span className="font-medium text-accent">{monthOf(label)}</span>
              <span className="text-sm text-soft tabular-nums">
                {usedTokens === 0
                  ? t('unused')
                  : t('line', { count: turns, tokens: tokens(usedTokens), turns: tokens(turns) })}
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {list.hasNextPage && (
        <Button
          size="small"
          className="mt-3"
          disabled={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          {t('more')}
        </Button>
      )}
    </Page>
  );
}
