import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { Loading } from '../../ui/Loading.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { Table } from '../Table.tsx';

/** How people rated the answers of each model. It is counted when the page is opened. */
export function Ratings() {
  const { t } = useTranslation('admin');
  const { tokens, percent } = useFigures();
  const counts = useQuery({ queryKey: ['admin', 'feedback'], queryFn: () => answer(api.GET('/api/admin/feedback')) });
  return (
    <section className="mt-8">
      <h2 className="mb-3 text-lg font-semibold">{t('ratings.title')}</h2>
      {counts.isPending && <Loading />}
      {counts.isError && <Problem error={counts.error} onRetry={() => void counts.refetch()} />}
      {counts.isSuccess && (
        <Table
          label={t('ratings.title')}
          items={counts.data.items}
          keyOf={({ model }) => model}
          empty={t('ratings.none')}
          columns={[
            { title: t('ratings.model'), cell: ({ model }) => model },
            { title: t('ratings.good'), numeric: true, cell: ({ good }) => tokens(good) },
            { title: t('ratings.bad'), numeric: true, cell: ({ bad }) => tokens(bad) },
            {
              title: t('ratings.share'),
              numeric: true,
              cell: ({ good, bad }) => percent((good / (good + bad)) * 100),
            },
          ]}
        />
      )}
    </section>
  );
}
