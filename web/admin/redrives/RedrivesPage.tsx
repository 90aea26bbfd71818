import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { RotateCcw } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { buttonClass } from '../../ui/Button.tsx';
import { Page } from '../../ui/Page.tsx';
import { useFigures } from '../../usage/figures.ts';
import { AdminNav } from '../AdminNav.tsx';
import { MomentLink, PersonLink } from '../Links.tsx';
import { PagedTable } from '../Table.tsx';
import { useAddress } from '../use-address.ts';
import { When } from '../When.tsx';
import { RedriveStateLabel } from '../StateLabel.tsx';
import { doneOf, isOver, ProgressBar } from './RedriveProgress.tsx';

const LIVE_MS = 3_000;

/** The replays of many turns, newest first. */
export function RedrivesPage() {
  const { t } = useTranslation('admin');
  const { tokens: written } = useFigures();
  const [{ cursor }] = useAddress();
  const redrives = useQuery({
    queryKey: ['admin', 'redrives', { cursor }],
    placeholderData: keepPreviousData,
    queryFn: () =>
      answer(
        api.GET('/api/admin/redrives', {
          params: { query: { limit: 25, ...(cursor === undefined ? {} : { cursor }) } },
        }),
      ),
    refetchInterval: ({ state: { data } }) =>
      data?.items.some((redrive) => !isOver(redrive)) === true ? LIVE_MS : false,
  });
  return (
    <Page
      title={t('section.redrives')}
      wide
      actions={
        <Link href="/admin/turns?state=failed&replay=many" className={buttonClass({ size: 'small' }, 'hover:bg-hover')}>
          <RotateCcw aria-hidden className="size-3.5" />
          {t('redrives.begin')}
        </Link>
      }
    >
      <AdminNav />
      <PagedTable
        label={t('section.redrives')}
        query={redrives}
        keyOf={({ redriveId }) => redriveId}
        empty={t('redrives.none')}
        columns={[
          {
            title: t('redrives.fact.began'),
            cell: ({ redriveId, createdAt }) => <MomentLink href={`/admin/redrives/${redriveId}`} at={createdAt} />,
          },
          { title: t('turns.state'), cell: (redrive) => <RedriveStateLabel redrive={redrive} /> },
          {
            title: t('redrives.progress'),
            cell: (redrive) => (
              <div className="grid w-40 gap-1">
                <ProgressBar redrive={redrive} className="h-2" />
                <span className="text-xs text-faint tabular-nums">
                  {t('redrives.doneOf', { done: written(doneOf(redrive)), count: written(redrive.count) })}
                </span>
              </div>
            ),
          },
          { title: t('reason'), cell: ({ reason }) => <span className="line-clamp-2 sm:min-w-40">{reason}</span> },
          {
            title: t('redrives.fact.admin'),
            cell: ({ admin, adminId }) => <PersonLink person={admin} userId={adminId} />,
          },
          { title: t('redrives.fact.ended'), cell: ({ endedAt }) => (endedAt === null ? '–' : <When at={endedAt} />) },
        ]}
      />
    </Page>
  );
}
