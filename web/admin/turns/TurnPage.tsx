import { useMutation, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Button } from '../../ui/Button.tsx';
import { Loading } from '../../ui/Loading.tsx';
import { Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { AdminNav } from '../AdminNav.tsx';
import { Facts } from '../Facts.tsx';
import { PersonLink } from '../Links.tsx';
import { signed } from '../words/signed.ts';
import { Table } from '../Table.tsx';
import { TemporalLink } from '../TemporalLink.tsx';
import { When } from '../When.tsx';
import { useWords } from '../words/use-words.ts';
import { TurnStateLabel } from '../StateLabel.tsx';
import { ReplayForm } from './ReplayForm.tsx';

const LIVE_MS = 1_000;

/** One turn, step by step over all its runs, with a link to its workflow. */
export function TurnPage({ turnId }: { turnId: string }) {
  const { t } = useTranslation('admin');
  const turn = useQuery({
    queryKey: ['admin', 'turn', turnId],
    queryFn: () => answer(api.GET('/api/admin/turns/{turnId}', { params: { path: { turnId }, query: {} } })),
    refetchInterval: ({ state: { data } }) =>
      data?.state === 'accepted' || data?.state === 'running' ? LIVE_MS : false,
  });
  return (
    <Page title={t('turns.one')} wide actions={<TemporalLink url={turn.data?.workflow.url ?? null} />}>
      <AdminNav />
      {turn.isPending && <Loading />}
      {turn.isError && <Problem error={turn.error} onRetry={() => void turn.refetch()} />}
      {turn.data !== undefined && <Turn turn={turn.data} />}
    </Page>
  );
}

function Turn({ turn }: { turn: Schemas['AdminTurnDetail'] }) {
  const { t } = useTranslation(['admin', 'words', 'chat']);
  const { codeOf, statusOf } = useWords();
  const { tokens, moment } = useFigures();
  const facts = [
    ['state', <TurnStateLabel key="state" state={turn.state} />],
    ['user', <PersonLink key="user" person={turn.person} userId={turn.userId} />],
    ['model', turn.model],
    ['attempts', turn.attempt],
    ['created', moment(turn.createdAt)],
    ['took', turn.durationMs === undefined ? '–' : t('ms', { ms: tokens(turn.durationMs) })],
    ['workflow', statusOf(turn.workflow.status)],
    [
      'id',
      <span key="id" className="font-mono text-xs break-all">
        {turn.turnId}
      </span>,
    ],
  ] as const;
  return (
    <div className="grid grid-cols-1 gap-8">
      <Facts facts={facts.map(([name, value]) => [name, t(`turns.fact.${name}`), value])} />
      {turn.error !== undefined && (
        <p className="rounded-xl bg-bad-tint px-4 py-3 text-sm text-bad">
          <b className="font-semibold" title={turn.error.code}>
            {codeOf(turn.error.code)}
          </b>{' '}
          {turn.error.message}
        </p>
      )}
      {turn.state === 'failed' && <ReplayForm turnId={turn.turnId} />}
      <section>
        <h2 className="mb-3 text-lg font-semibold">{t('turns.timeline')}</h2>
        <ol className="grid gap-px border-l-2 border-line pl-5">
          {turn.timeline.map((step, i) => (
            <li
              key={i}
              className="relative py-1.5 before:absolute before:top-3.5 before:-left-[1.6rem] before:size-2 before:rounded-full before:bg-accent"
            >
              <span className="font-medium">{t(`turns.step.${step.step}`)}</span>
              <span className="ml-2 text-sm text-faint tabular-nums">
                +{t('ms', { ms: tokens(step.sinceAcceptedMs) })}
                {step.attempt !== undefined && ` · ${t('turns.attempt', { n: step.attempt })}`}
                {step.step === 'held' &&
                  step.tokens !== undefined &&
                  ` · ${t('chat:spent', { tokens: tokens(step.tokens) })}`}
                {step.outcome !== undefined && ` · ${t(`words:outcome.${step.outcome}`)}`}
                {step.code != null && ` · ${codeOf(step.code)}`}
                {step.durationMs !== undefined && ` · ${t('ms', { ms: tokens(step.durationMs) })}`}
              </span>
            </li>
          ))}
        </ol>
      </section>
      <section>
        <h2 className="mb-3 text-lg font-semibold">{t('turns.calls')}</h2>
        <Table
          label={t('turns.calls')}
          items={turn.attempts}
          keyOf={({ number }) => number}
          empty={t('turns.noCalls')}
          columns={[
            { title: '#', cell: ({ number }) => number },
            {
              title: t('turns.outcome'),
              cell: ({ state, error }) => (error === null ? t(`words:outcome.${state}`) : codeOf(error)),
            },
            {
              title: t('turns.provider'),
              cell: ({ provider }) => [provider.status, provider.code].filter((part) => part !== null).join(' ') || '–',
            },
            {
              title: t('tokens'),
              numeric: true,
              cell: ({ usage }) => (usage === null ? '–' : tokens(usage.promptTokens + usage.completionTokens)),
            },
            {
              title: t('turns.took'),
              numeric: true,
              cell: ({ durationMs }) => (durationMs === null ? '–' : t('ms', { ms: tokens(durationMs) })),
            },
          ]}
        />
      </section>
      <section>
        <h2 className="mb-3 text-lg font-semibold">{t('turns.booked')}</h2>
        <Table
          label={t('turns.booked')}
          items={turn.ledgerEntries}
          keyOf={({ entryId }) => entryId}
          empty={t('turns.nothingBooked')}
          columns={[
            { title: t('at'), cell: ({ createdAt }) => <When at={createdAt} /> },
            { title: t('tokens'), numeric: true, cell: (entry) => signed(0 - entry.tokens, tokens) },
            { title: t('turns.purchased'), numeric: true, cell: (entry) => signed(0 - entry.purchasedTokens, tokens) },
            { title: t('turns.allowance'), numeric: true, cell: (entry) => signed(0 - entry.allowanceTokens, tokens) },
            { title: t('turns.overage'), numeric: true, cell: (entry) => signed(entry.overageTokens, tokens) },
          ]}
        />
      </section>
      <Content turnId={turn.turnId} />
    </div>
  );
}

/**
 * The texts of a turn. Each reading writes an entry of the audit log, so it is read only when asked for, once, and
 * never with the page.
 */
function Content({ turnId }: { turnId: string }) {
  const { t } = useTranslation('admin');
  const read = useMutation({
    mutationFn: () =>
      answer(api.GET('/api/admin/turns/{turnId}', { params: { path: { turnId }, query: { include: 'content' } } })),
  });
  return (
    <section>
      <h2 className="mb-3 text-lg font-semibold">{t('turns.content')}</h2>
      {read.data === undefined ? (
        <>
          <p className="mb-3 text-sm text-soft">{t('turns.contentHint')}</p>
          <Button size="small" disabled={read.isPending} onClick={() => read.mutate()}>
            {t('turns.read')}
          </Button>
        </>
      ) : (
        <div className="grid gap-3">
          <p className="rounded-xl bg-accent-tint px-4 py-3 whitespace-pre-wrap">{read.data.question}</p>
          {read.data.answer != null && (
            <p className="rounded-xl border border-line px-4 py-3 whitespace-pre-wrap">{read.data.answer}</p>
          )}
        </div>
      )}
      {read.isError && <Problem error={read.error} />}
    </section>
  );
}
