import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';
import { Button } from '../ui/Button.tsx';
import { Loading } from '../ui/Loading.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useFigures } from '../usage/figures.ts';
import { PurchaseStateLabel } from './PurchaseState.tsx';
import { purchasesKey, type Purchase } from './queries.ts';
import { Receipts } from './Receipts.tsx';
import { useMoney } from './use-money.ts';

/** What was bought, newest first. */
export function PurchaseList() {
  const { t } = useTranslation('purchase');
  const list = useInfiniteQuery({
    queryKey: [...purchasesKey, 'list'],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam: cursor }) =>
      answer(api.GET('/api/purchases', { params: { query: { limit: 20, ...(cursor === null ? {} : { cursor }) } } })),
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  if (list.isSuccess && items.length === 0) return null;
  return (
    <section aria-labelledby="purchases">
      <h2 id="purchases" className="mb-2 font-semibold">
        {t('list.title')}
      </h2>
      {list.isPending && <Loading />}
      {list.isError && <Problem error={list.error} onRetry={() => void list.refetch()} />}
      <ul className="divide-y divide-line rounded-xl border border-line bg-raised empty:hidden">
        {items.map((purchase) => (
          <Row key={purchase.purchaseId} purchase={purchase} />
        ))}
      </ul>
      {list.hasNextPage && (
        <Button
          size="small"
          className="mt-3"
          disabled={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          {t('list.more')}
        </Button>
      )}
    </section>
  );
}

function Row({ purchase }: { purchase: Purchase }) {
  const { t } = useTranslation('purchase');
  const { moment } = useFigures();
  const money = useMoney();
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3 text-sm">
      <Link
        href={`/purchase/${purchase.purchaseId}`}
        className="min-w-40 flex-1 rounded font-medium text-accent hover:underline"
      >
        {purchase.name}
        <span className="block text-xs font-normal text-faint">{moment(purchase.createdAt)}</span>
        {purchase.automatic && <span className="block text-xs font-normal text-faint">{t('topUp.automatic')}</span>}
      </Link>
      <span className="tabular-nums">{money(purchase)}</span>
      <PurchaseStateLabel state={purchase.state} />
      <Receipts purchase={purchase} />
    </li>
  );
}
