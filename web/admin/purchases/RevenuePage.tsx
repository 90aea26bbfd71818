import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { useMoney } from '../../purchase/use-money.ts';
import { Loading } from '../../ui/Loading.tsx';
import { Page } from '../../ui/Page.tsx';
import { useFigures } from '../../usage/figures.ts';
import { AdminProblem } from '../AdminProblem.tsx';
import { Filters, TextFilter } from '../Fields.tsx';
import { Table } from '../Table.tsx';
import { useAddress } from '../use-address.ts';
import { PurchaseTabs } from './PurchaseTabs.tsx';

const MOVES = ['paid', 'refunded', 'withdrawn', 'net'] as const;

/** Real money by day, on the admin's own clock. */
export function RevenuePage() {
  const { t } = useTranslation('admin');
  const { tokens: written } = useFigures();
  const money = useMoney();
  const [{ from, to }] = useAddress();
  const revenue = useQuery({
    queryKey: ['admin', 'revenue', from, to],
    placeholderData: keepPreviousData,
    queryFn: () =>
      answer(
        api.GET('/api/admin/revenue', {
          params: { query: { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) } },
        }),
      ),
  });
  return (
    <Page title={t('sales.tab.revenue')} wide>
      <PurchaseTabs />
      <Filters>
        <TextFilter name="from" type="date" label={t('sales.from')} />
        <TextFilter name="to" type="date" label={t('sales.to')} />
      </Filters>
      {revenue.isPending && <Loading />}
      {revenue.isError && <AdminProblem error={revenue.error} onRetry={() => void revenue.refetch()} />}
      {revenue.data !== undefined && (
        <div className="grid grid-cols-1 gap-3">
          <p className="text-sm text-soft">{t('sales.lead', revenue.data)}</p>
          <Table
            label={t('sales.tab.revenue')}
            items={revenue.data.items}
            keyOf={({ day, currency }) => `${day} ${currency}`}
            empty={t('sales.noRevenue')}
            columns={[
              { title: t('sales.day'), cell: ({ day }) => <span className="whitespace-nowrap">{day}</span> },
              { title: t('sales.purchases'), numeric: true, cell: ({ purchases }) => written(purchases) },
              ...MOVES.map((move) => ({
                title: t(`sales.${move}`),
                numeric: true,
                cell: (day: (typeof revenue.data.items)[number]) =>
                  money({ amount: day[move], currency: day.currency }),
              })),
            ]}
          />
        </div>
      )}
    </Page>
  );
}
