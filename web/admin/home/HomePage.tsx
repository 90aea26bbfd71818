import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Loading } from '../../ui/Loading.tsx';
import { Page } from '../../ui/Page.tsx';
import { useFigures } from '../../usage/figures.ts';
import { AdminNav } from '../AdminNav.tsx';
import { AdminProblem } from '../AdminProblem.tsx';
import { dayOf as dayIn } from '../turns/days.ts';
import { useAddress } from '../use-address.ts';
import { RangeBar } from './RangeBar.tsx';
import { rangeOf } from './range.ts';
import { TopPeople } from './TopPeople.tsx';
import { Totals } from './Totals.tsx';
import { UsageChart } from './UsageChart.tsx';
import { DayTable, ModelTable } from './UsageTables.tsx';

/** What some days cost, by day and by model, beside the days before, and who it was. */
export function HomePage() {
  const { t } = useTranslation('admin-home');
  const { timeZone, dayOf, moment } = useFigures();
  const [address] = useAddress();
  const range = rangeOf(address, dayIn(Date.now(), timeZone));
  const query = { from: range.from, to: range.to };
  const usage = useQuery({
    queryKey: ['admin', 'usage', query],
    placeholderData: keepPreviousData,
    queryFn: () => answer(api.GET('/api/admin/usage', { params: { query } })),
  });
  const people = useQuery({
    queryKey: ['admin', 'usage', 'people', query],
    placeholderData: keepPreviousData,
    queryFn: () => answer(api.GET('/api/admin/usage/people', { params: { query } })),
  });
  const revenue = useRevenue(usage.data);
  return (
    <Page
      title={t('title')}
      wide
      actions={
        usage.isSuccess && <span className="text-sm text-faint">{t('asOf', { at: moment(usage.data.asOf) })}</span>
      }
    >
      <AdminNav />
      <RangeBar range={range} />
      {usage.isPending && <Loading />}
      {usage.isError && <AdminProblem error={usage.error} onRetry={() => void usage.refetch()} />}
      {usage.data !== undefined && !usage.isError && (
        <div className="grid grid-cols-1 gap-8" aria-busy={usage.isFetching}>
          <div>
            <p className="mb-2 text-sm text-soft">
              {t('lead', {
                from: dayOf(usage.data.from),
                to: dayOf(usage.data.to),
                earlierFrom: dayOf(usage.data.before.from),
                earlierTo: dayOf(usage.data.before.to),
              })}
            </p>
            <Totals usage={usage.data} people={people.data} revenue={revenue} />
          </div>
          <section>
            <h2 className="mb-3 text-lg font-semibold">{t('byModel')}</h2>
            <ModelTable usage={usage.data} people={people.data} />
          </section>
          <section>
            <h2 className="mb-3 text-lg font-semibold">{t('top')}</h2>
            {people.isPending && <Loading />}
            {people.isError && <AdminProblem error={people.error} onRetry={() => void people.refetch()} />}
            {people.isSuccess && <TopPeople people={people.data} />}
          </section>
          <UsageChart usage={usage.data} />
          <DayTable usage={usage.data} people={people.data} />
          <p className="text-sm text-faint">{t('note')}</p>
        </div>
      )}
    </Page>
  );
}

/** What came in, by currency. Where it cannot be read, the rest of the page shows without it. */
function useRevenue(usage: Schemas['UsageOfRange'] | undefined) {
  const now = useNet(usage);
  const before = useNet(usage?.before);
  return now === undefined || before === undefined ? undefined : { now, before };
}

function useNet(range: { readonly from: string; readonly to: string } | undefined) {
  const query = { from: range?.from ?? '', to: range?.to ?? '' };
  const { data } = useQuery({
    queryKey: ['admin', 'revenue', query],
    enabled: range !== undefined,
    queryFn: () => answer(api.GET('/api/admin/revenue', { params: { query } })),
  });
  if (data === undefined) return undefined;
  const byCurrency = new Map<Schemas['DayRevenue']['currency'], number>();
  for (const { currency, net } of data.items) byCurrency.set(currency, (byCurrency.get(currency) ?? 0) + net);
  return [...byCurrency].map(([currency, net]) => ({ currency, net }));
}
