import { useQuery } from '@tanstack/react-query';
import { ArrowUpRight } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { answer, api } from '../api/client.ts';
import type { Schemas } from '../api/schemas.ts';
import { Page } from '../shell/Page.tsx';
import { Button, buttonClass } from '../ui/Button.tsx';
import { Loading } from '../ui/Loading.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useFigures } from '../usage/figures.ts';
import { AdminNav } from './AdminPages.tsx';
import { ReplayForm } from './ReplayForm.tsx';
import { Table } from './Table.tsx';
import { When } from './When.tsx';
import { TurnWord } from './Word.tsx';

const LIVE_MS = 1_000;

/** One turn, step by step over all its runs, with the way to its workflow. */
export function TurnPage({ turnId }: { turnId: string }) {
  const { t } = useTranslation('admin');
  const [withContent, setWithContent] = useState(false);
  const turn = useQuery({
    queryKey: ['admin', 'turn', turnId, { withContent }],
    queryFn: () => answer(api.GET('/api/admin/turns/{turnId}', { params: { path: { turnId }, query: withContent ? { include: 'content' } : {} } })),
    placeholderData: (before) => before,
    refetchInterval: ({ state: { data } }) => data?.state === 'accepted' || data?.state === 'running' ? LIVE_MS : false,
  });
  const url = turn.data?.workflow.url ?? null;
  return (
    <Page title={t('turns.one')} wide actions={url !== null && (
      <a href={url} target="_blank" rel="noopener noreferrer" className={buttonClass({ size: 'small' }, 'hover:bg-hover')}>{t('turns.inTemporal')}<ArrowUpRight aria-hidden className="size-4" /></a>
    )}>
      <AdminNav />
      {turn.isPending && <Loading />}
      {turn.isError && <Problem error={turn.error} onRetry={() => void turn.refetch()} />}
      {turn.isSuccess && <Turn turn={turn.data} onRead={withContent ? null : () => setWithContent(true)} />}
    </Page>
  );
}

function Turn({ turn, onRead }: { turn: Schemas['AdminTurnDetail']; onRead: (() => void) | null }) {
  const { t } = useTranslation('admin');
  const { tokens, moment } = useFigures();
  const facts = [
    ['state', <TurnWord key="state" state={turn.state} />], ['user', <Link key="user" href={`/admin/users/${turn.userId}`} className="text-accent hover:underline">{turn.userId}</Link>],
    ['model', turn.model], ['attempts', turn.attempt], ['created', moment(turn.createdAt)],
    ['took', turn.durationMs === undefined ? '–' : t('ms', { ms: tokens(turn.durationMs) })], ['workflow', turn.workflow.status ?? '–'], ['id', <span key="id" className="font-mono text-xs break-all">{turn.turnId}</span>],
  ] as const;
  return (
    <div className="grid grid-cols-1 gap-8">
      <dl className="grid grid-cols-2 gap-x-6 gap-y-4 rounded-xl border border-line bg-raised p-5 sm:grid-cols-4">
        {facts.map(([name, value]) => <div key={name}><dt className="text-xs text-faint">{t(`turns.fact.${name}`)}</dt><dd className="mt-0.5">{value}</dd></div>)}
      </dl>
      {turn.error !== undefined && <p className="rounded-xl bg-bad-tint px-4 py-3 text-sm text-bad"><b className="font-semibold">{turn.error.code}</b> {turn.error.message}</p>}
      {turn.state === 'failed' && <ReplayForm turnId={turn.turnId} />}
      <section>
        <h2 className="mb-3 text-lg font-semibold">{t('turns.timeline')}</h2>
        <ol className="grid gap-px border-l-2 border-line pl-5">
          {turn.timeline.map((step, i) => (
            <li key={i} className="relative py-1.5 before:absolute before:top-3.5 before:-left-[1.6rem] before:size-2 before:rounded-full before:bg-accent">
              <span className="font-medium">{t(`turns.step.${step.step}`)}</span>
              <span className="ml-2 text-sm text-faint tabular-nums">
                +{t('ms', { ms: tokens(step.sinceAcceptedMs) })}{step.attempt !== undefined && ` · ${t('turns.attempt', { n: step.attempt })}`}{step.step === 'held' && step.tokens !== undefined && ` · ${tokens(step.tokens)} ${t('tokens')}`}
                {step.outcome !== undefined && ` · ${step.outcome}`}{step.code != null && ` · ${step.code}`}{step.durationMs !== undefined && ` · ${t('ms', { ms: tokens(step.durationMs) })}`}
              </span>
            </li>
          ))}
        </ol>
      </section>
      <section>
        <h2 className="mb-3 text-lg font-semibold">{t('turns.calls')}</h2>
        <Table label={t('turns.calls')} items={turn.attempts} keyOf={({ number }) => number} empty={t('turns.noCalls')} columns={[
          { title: '#', cell: ({ number }) => number }, { title: t('turns.outcome'), cell: ({ state, error }) => error ?? state },
          { title: t('turns.provider'), cell: ({ provider }) => [provider.status, provider.code].filter((part) => part !== null).join(' ') || '–' },
          { title: t('tokens'), numeric: true, cell: ({ usage }) => usage === null ? '–' : tokens(usage.promptTokens + usage.completionTokens) },
          { title: t('turns.took'), numeric: true, cell: ({ durationMs }) => durationMs === null ? '–' : t('ms', { ms: tokens(durationMs) }) },
        ]} />
      </section>
      <section>
        <h2 className="mb-3 text-lg font-semibold">{t('turns.booked')}</h2>
        <Table label={t('turns.booked')} items={turn.ledgerEntries} keyOf={({ entryId }) => entryId} empty={t('turns.nothingBooked')} columns={[
          { title: t('at'), cell: ({ createdAt }) => <When at={createdAt} /> }, { title: t('tokens'), numeric: true, cell: (entry) => tokens(entry.tokens) },
          { title: t('turns.purchased'), numeric: true, cell: (entry) => tokens(entry.purchasedTokens) }, { title: t('turns.allowance'), numeric: true, cell: (entry) => tokens(entry.allowanceTokens) },
          { title: t('turns.overage'), numeric: true, cell: (entry) => tokens(entry.overageTokens) },
        ]} />
      </section>
      <section>
        <h2 className="mb-3 text-lg font-semibold">{t('turns.content')}</h2>
        {turn.question === undefined
          ? <><p className="mb-3 text-sm text-soft">{t('turns.contentHint')}</p><Button size="small" disabled={onRead === null} onClick={() => onRead?.()}>{t('turns.read')}</Button></>
          : <div className="grid gap-3"><p className="rounded-xl bg-accent-tint px-4 py-3 whitespace-pre-wrap">{turn.question}</p>{turn.answer != null && <p className="rounded-xl border border-line px-4 py-3 whitespace-pre-wrap">{turn.answer}</p>}</div>}
      </section>
    </div>
  );
}
