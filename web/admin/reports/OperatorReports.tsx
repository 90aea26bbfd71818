import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { Loading } from '../../ui/Loading.tsx';
import { Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { AdminNav } from '../AdminNav.tsx';

/** Months of all accounts that are over, newest first. */
export function OperatorReports() {
  const { t } = useTranslation('admin');
  const { monthOf } = useFigures();
  const list = useQuery({
    queryKey: ['admin', 'reports'],
    queryFn: () => answer(api.GET('/api/admin/reports')),
  });
  return (
    <Page title={t('operatorReport.title')} wide>
      <AdminNav />
      {list.isPending && <Loading />}
      {list.isError && <Problem error={list.error} onRetry={() => void list.refetch()} />}
      {list.data?.items.length === 0 && (
        <p className="rounded-xl border border-dashed border-line px-4 py-10 text-center text-sm text-faint">
          {t('operatorReport.none')}
        </p>
      )}
      <ul className="divide-y divide-line rounded-xl border border-line bg-raised empty:hidden">
        {list.data?.items.map(({ label }) => (
          <li key={label}>
            <Link
              href={`/admin/reports/${label}`}
              className="flex min-h-12 items-center px-4 py-3 font-medium text-accent hover:bg-hover"
            >
              {monthOf(label)}
            </Link>
          </li>
        ))}
      </ul>
    </Page>
  );
}
