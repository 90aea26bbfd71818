import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { Page } from '../../ui/Page.tsx';
import { useFigures } from '../../usage/figures.ts';
import { AdminNav } from '../AdminNav.tsx';
import { MomentLink, PersonLink } from '../Links.tsx';
import { PagedTable } from '../Table.tsx';
import { useAddress } from '../use-address.ts';
import { MakeCodes } from './MakeCodes.tsx';

/** Codes that give tokens, by batch. */
export function CodesPage() {
  const { t } = useTranslation('admin');
  const { moment, tokens } = useFigures();
  const [{ cursor }] = useAddress();
  const batches = useQuery({
    queryKey: ['admin', 'codes', cursor],
    placeholderData: keepPreviousData,
    queryFn: () => answer(api.GET('/api/admin/codes', { params: { query: cursor === undefined ? {} : { cursor } } })),
  });
  return (
    <Page title={t('section.codes')} wide>
      <AdminNav />
      <div className="grid grid-cols-1 gap-8">
        <MakeCodes />
        <section>
          <h2 className="mb-3 text-lg font-semibold">{t('codes.batches')}</h2>
          <PagedTable
            label={t('codes.batches')}
            query={batches}
            keyOf={({ batchId }) => batchId}
            empty={t('codes.none')}
            columns={[
              {
                title: t('at'),
                cell: ({ batchId, createdAt }) => <MomentLink href={`/admin/codes/${batchId}`} at={createdAt} />,
              },
              { title: t('reason'), cell: ({ reason }) => reason },
              { title: t('codes.tokens'), numeric: true, cell: (batch) => tokens(batch.tokens) },
              { title: t('codes.count'), numeric: true, cell: ({ codes }) => tokens(codes) },
              {
                title: t('codes.uses'),
                numeric: true,
                cell: ({ uses, codes, maxUses }) => `${tokens(uses)} / ${tokens(codes * maxUses)}`,
              },
              { title: t('codes.revoked'), numeric: true, cell: ({ revoked }) => tokens(revoked) },
              {
                title: t('codes.expiresAt'),
                cell: ({ expiresAt }) => (expiresAt === null ? t('codes.never') : moment(expiresAt)),
              },
              {
                title: t('codes.madeBy'),
                cell: ({ maker, madeBy }) => <PersonLink person={maker} userId={madeBy} />,
              },
            ]}
          />
        </section>
      </div>
    </Page>
  );
}
