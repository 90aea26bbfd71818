import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Play } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Button } from '../../ui/Button.tsx';
import { Loading } from '../../ui/Loading.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { AdminNav } from '../AdminNav.tsx';
import { Facts } from '../Facts.tsx';
import { PersonLink } from '../Links.tsx';
import { Pages } from '../Table.tsx';
import { TemporalLink } from '../TemporalLink.tsx';
import { TurnLink } from '../TurnLink.tsx';
import { useAddress } from '../use-address.ts';
import { useWords } from '../words/use-words.ts';
import { RedriveTurnStateLabel, RedriveStateLabel } from '../StateLabel.tsx';
import { Counts, countsOf, doneOf, isOver, ProgressBar, REDRIVE_TURN_STATES } from './RedriveProgress.tsx';
import { RedriveSteps, useRedriveStep } from './RedriveSteps.tsx';

type Detail = Schemas['RedriveDetail'];
const LIVE_MS = 1_000;

/** A replay of many turns while it runs, and what has become of each turn. */
export function RedrivePage({ redriveId }: { redriveId: string }) {
  const { t } = useTranslation('admin');
  const [{ state: wanted, cursor }] = useAddress();
  const state = REDRIVE_TURN_STATES.find((name) => name === wanted);
  const redrive = useQuery({
    queryKey: ['admin', 'redrives', redriveId, { state, cursor }],
    queryFn: () =>
      answer(
        api.GET('/api/admin/redrives/{redriveId}', {
          params: {
            path: { redriveId },
            query: {
              limit: 25,
              ...(state === undefined ? {} : { state }),
              ...(cursor === undefined ? {} : { cursor }),
            },
          },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state: { data } }) => (data === undefined || isOver(data) ? false : LIVE_MS),
  });
  return (
    <Page title={t('redrives.one')} wide actions={<TemporalLink url={redrive.data?.workflow.url ?? null} />}>
      <AdminNav />
      {redrive.isPending && <Loading />}
      {redrive.isError && <Problem error={redrive.error} onRetry={() => void redrive.refetch()} />}
      {redrive.data !== undefined && <Redrive redrive={redrive.data} busy={redrive.isFetching} />}
    </Page>
  );
}

function Redrive({ redrive, busy }: { redrive: Detail; busy: boolean }) {
  const { t } = useTranslation('admin');
  const { tokens: written } = useFigures();
  const { codeOf } = useWords();
  const [address, setAddress] = useAddress();
  const over = isOver(redrive);
  const { completed, stopped, failed, skipped, waiting } = countsOf(redrive);
  const sentence = t(`redrives.said.${redrive.state}`, {
    done: written(completed),
    failed: written(failed),
    stopped: written(stopped),
    skipped: written(skipped),
    left: written(waiting),
  });
  return (
    <div className="grid grid-cols-1 gap-8">
      <section aria-label={t('redrives.progress')} className="grid gap-4 rounded-xl border border-line bg-raised p-5">
        <div className="flex flex-wrap items-center justify-between gap-3">
          <p role="status" className="flex min-w-0 flex-1 basis-64 flex-wrap items-center gap-x-3 gap-y-1">
            <RedriveStateLabel redrive={redrive} />
            <span className="text-sm text-soft">{sentence}</span>
          </p>
          <RedriveSteps redrive={redrive} />
        </div>
        <div>
          <ProgressBar redrive={redrive} />
          <p className="mt-1.5 text-sm text-faint tabular-nums">
            {t('redrives.doneOf', { done: written(doneOf(redrive)), count: written(redrive.count) })}
          </p>
        </div>
        <Stalled key={redrive.state} redrive={redrive} />
        <Counts
          redrive={redrive}
          chosen={address['state']}
          onChoose={(state) => setAddress({ state: state === address['state'] ? undefined : state })}
        />
      </section>
      <Asked redrive={redrive} />
      <section>
        <h2 className="mb-3 text-lg font-semibold">{t('redrives.turns')}</h2>
        <Pages
          label={t('redrives.turns')}
          page={redrive.turns}
          busy={busy}
          keyOf={({ turnId }) => turnId}
          empty={t('redrives.noTurns')}
          columns={[
            { title: '#', cell: ({ position }) => written(position) },
            { title: t('turns.turn'), cell: ({ turnId }) => <TurnLink turnId={turnId} /> },
            { title: t('turns.state'), cell: ({ state }) => <RedriveTurnStateLabel state={state} over={over} /> },
            {
              title: t('redrives.cause'),
              cell: ({ state, code }) =>
                code === null ? '–' : state === 'skipped' ? t(`redrives.why.${code as 'busy'}`) : codeOf(code),
            },
          ]}
        />
      </section>
    </div>
  );
}

const QUIET_MS = 15_000;

/**
 * A notice when nothing has moved for a while. The workflow may be lost, and resuming starts it again; but a busy
 * conversation also takes its time.
 */
function Stalled({ redrive }: { redrive: Detail }) {
  const { t } = useTranslation('admin');
  const move = useRedriveStep(redrive.redriveId);
  const figures = JSON.stringify(redrive.progress);
  const [quiet, setQuiet] = useState<string | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setQuiet(figures), QUIET_MS);
    return () => clearTimeout(timer);
  }, [figures]);
  if (redrive.state === 'paused' || isOver(redrive) || quiet !== figures) return null;
  return (
    <>
      <Notice
        tone="warn"
        action={
          <Button size="small" disabled={move.isPending} onClick={() => move.mutate({ step: 'resume' })}>
            <Play aria-hidden className="size-3.5" />
            {t('redrives.startAgain')}
          </Button>
        }
      >
        {t('redrives.quiet')}
      </Notice>
      {move.isError && <Problem error={move.error} />}
    </>
  );
}

/** Who asked for the redrive, for what, and why. */
function Asked({
  redrive: { reason, admin, adminId, createdAt, endedAt, ratePerSecond, includeSuperseded, filter },
}: {
  redrive: Detail;
}) {
  const { t } = useTranslation('admin');
  const { moment, tokens: written } = useFigures();
  const { figuresOf } = useWords();
  const named = figuresOf(filter);
  const facts = [
    ['reason', reason],
    ['admin', <PersonLink key="admin" person={admin} userId={adminId} />],
    ['began', moment(createdAt)],
    ['ended', endedAt === null ? '–' : moment(endedAt)],
    ['filter', named === '' ? t('redrives.anyFailed') : named],
    ['rate', written(ratePerSecond)],
    ['superseded', t(`redrives.supersededOf.${includeSuperseded ? 'true' : 'false'}`)],
  ] as const;
  return (
    <Facts
      facts={facts.map(([name, value]) => [name, t(`redrives.fact.${name}`), value])}
      wide={['reason', 'filter']}
    />
  );
}
