import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Button } from '../../ui/Button.tsx';
import { Loading } from '../../ui/Loading.tsx';
import { Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { StateLabel, type Tone } from '../../ui/StateLabel.tsx';
import { useFigures } from '../../usage/figures.ts';
import { Facts } from '../Facts.tsx';
import { MomentLink, PersonLink } from '../Links.tsx';
import { PagedTable } from '../Table.tsx';
import { TemporalLink } from '../TemporalLink.tsx';
import { useAddress } from '../use-address.ts';
import { useWords } from '../words/use-words.ts';
import { DeliveryTable } from './DeliveryTable.tsx';
import { DeliveryTabs } from './DeliveryTabs.tsx';

type Resend = Schemas['Resend'];
const LIVE_MS = 1_500;

/** Something of it is not over. */
function isMoving({ state, progress }: Resend): boolean {
  return state === 'running' || progress.sending > 0;
}

/** The sendings of many, newest first. */
export function ResendsPage() {
  const { t } = useTranslation(['deliveries', 'admin']);
  const [{ cursor }] = useAddress();
  const resends = useQuery({
    queryKey: ['admin', 'resends', cursor],
    placeholderData: keepPreviousData,
    queryFn: () => answer(api.GET('/api/admin/resends', { params: { query: cursor === undefined ? {} : { cursor } } })),
    refetchInterval: ({ state: { data } }) => (data?.items.some(isMoving) === true ? LIVE_MS : false),
  });
  return (
    <Page title={t('tab.resends')} wide>
      <DeliveryTabs />
      <PagedTable
        label={t('tab.resends')}
        query={resends}
        keyOf={({ resendId }) => resendId}
        empty={t('noResends')}
        columns={[
          {
            title: t('began'),
            cell: ({ resendId, createdAt }) => (
              <MomentLink href={`/admin/deliveries/resends/${resendId}`} at={createdAt} />
            ),
          },
          { title: t('stateTitle'), cell: (resend) => <ResendState resend={resend} /> },
          { title: t('progress'), cell: (resend) => <Progress resend={resend} /> },
          { title: t('admin:reason'), cell: ({ reason }) => reason },
          {
            title: t('admin:redrives.fact.admin'),
            cell: ({ admin, adminId }) => <PersonLink person={admin} userId={adminId} />,
          },
        ]}
      />
    </Page>
  );
}

/** One of them while it goes, and what has become of each delivery. */
export function ResendPage({ resendId }: { resendId: string }) {
  const { t } = useTranslation('deliveries');
  const [{ cursor }] = useAddress();
  const resend = useQuery({
    queryKey: ['admin', 'resends', 'one', resendId],
    queryFn: () => answer(api.GET('/api/admin/resends/{resendId}', { params: { path: { resendId } } })),
    refetchInterval: ({ state: { data } }) => (data !== undefined && isMoving(data) ? LIVE_MS : false),
  });
  const moving = resend.data !== undefined && isMoving(resend.data);
  const deliveries = useQuery({
    queryKey: ['admin', 'deliveries', { resendId, cursor }],
    placeholderData: keepPreviousData,
    enabled: resend.isSuccess,
    queryFn: () =>
      answer(
        api.GET('/api/admin/deliveries', {
          params: { query: { resendId, limit: 25, ...(cursor === undefined ? {} : { cursor }) } },
        }),
      ),
    refetchInterval: ({ state: { data } }) =>
      moving || data?.items.some(({ state }) => state === 'pending') === true ? LIVE_MS : false,
  });
  return (
    <Page title={t('one')} wide actions={<TemporalLink url={resend.data?.workflow.url ?? null} />}>
      <DeliveryTabs />
      {resend.isPending && <Loading />}
      {resend.isError && <Problem error={resend.error} onRetry={() => void resend.refetch()} />}
      {resend.data !== undefined && (
        <div className="grid grid-cols-1 gap-8">
          <Head resend={resend.data} />
          <DeliveryTable query={deliveries} />
        </div>
      )}
    </Page>
  );
}

function Head({ resend }: { resend: Resend }) {
  const { t } = useTranslation(['deliveries', 'admin']);
  const { moment, tokens } = useFigures();
  const { figuresOf } = useWords();
  const queries = useQueryClient();
  const { resendId, progress, filter, endedAt } = resend;
  const cancel = useMutation({
    mutationFn: () =>
      answer(api.POST('/api/admin/resends/{resendId}/cancel', { params: { path: { resendId } }, body: {} })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['admin'] }),
  });
  const facts = [
    [t('admin:reason'), resend.reason],
    [t('admin:redrives.fact.admin'), <PersonLink key="admin" person={resend.admin} userId={resend.adminId} />],
    [t('began'), moment(resend.createdAt)],
    [t('allBegun'), endedAt === null ? '–' : moment(endedAt)],
    [t('admin:redrives.fact.filter'), Object.keys(filter).length === 0 ? t('anyFailed') : figuresOf(filter)],
    [t('many.rate'), tokens(resend.ratePerSecond)],
  ] as const;
  return (
    <>
      <section aria-label={t('progress')} className="grid gap-4 rounded-xl border border-line bg-raised p-5">
        <div className="flex flex-wrap items-center justify-between gap-3">
          <p role="status" className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-soft">
            <ResendState resend={resend} />
            {t('said', {
              delivered: tokens(progress.delivered),
              failed: tokens(progress.failed),
              sending: tokens(progress.sending),
              waiting: tokens(progress.waiting),
            })}
          </p>
          {resend.state === 'running' && (
            <Button size="small" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
              {t('cancel')}
            </Button>
          )}
        </div>
        <Progress resend={resend} />
        {cancel.isError && <Problem error={cancel.error} />}
      </section>
      <Facts facts={facts.map(([name, value]) => [name, name, value])} columns="sm:grid-cols-3" />
    </>
  );
}

/** What came of it: green only when nothing failed. */
function ResendState({ resend: { state, progress } }: { resend: Resend }) {
  const { t } = useTranslation('deliveries');
  const { sending, delivered, failed } = progress;
  const [word, tone]: ['running' | 'cancelled' | 'sending' | 'failed' | 'partly' | 'done', Tone] =
    state === 'running'
      ? ['running', 'busy']
      : sending > 0
        ? ['sending', 'busy']
        : state === 'cancelled'
          ? ['cancelled', 'plain']
          : failed === 0
            ? ['done', 'good']
            : delivered === 0
              ? ['failed', 'bad']
              : ['partly', 'warn'];
  return <StateLabel tone={tone}>{t(`resendState.${word}`)}</StateLabel>;
}

function Progress({ resend: { count, progress } }: { resend: Resend }) {
  const { t } = useTranslation('deliveries');
  const { tokens } = useFigures();
  const over = progress.delivered + progress.failed;
  const words = t('doneOf', { done: tokens(over), count: tokens(count) });
  return (
    <div className="grid min-w-40 gap-1">
      <div
        role="progressbar"
        aria-label={t('progress')}
        aria-valuemin={0}
        aria-valuemax={count}
        aria-valuenow={over}
        aria-valuetext={words}
        className="flex h-2 overflow-hidden rounded-full bg-line"
      >
        {(['delivered', 'failed', 'sending'] as const).map((name) => (
          <div key={name} className={FILL[name]} style={{ width: `${(progress[name] / count) * 100}%` }} />
        ))}
      </div>
      <span className="text-xs text-faint tabular-nums">{words}</span>
    </div>
  );
}

const FILL = { delivered: 'bg-good-fill', failed: 'bg-bad-fill', sending: 'bg-accent-fill' } as const;
