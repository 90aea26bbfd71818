import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { answer } from '../../api/answer.ts';
import { ApiError } from '../../api/api-error.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { FIELD, Labelled, ReasonField } from '../Fields.tsx';
import { TurnLink } from '../TurnLink.tsx';

interface Planned {
  /** The filter that was counted; the plan holds for no other. */
  readonly of: string;
  readonly plan: Schemas['RedrivePlan'];
  /** The number that had been confirmed when the count turned out to be another. */
  readonly before: number | null;
}

/**
 * Replays the failed turns of a filter in two steps: it shows how many and which, then the admin confirms that number.
 */
export function ReplayMany({ filter }: { filter: Schemas['TurnFilter'] }) {
  const { t } = useTranslation('admin');
  const { tokens: written } = useFigures();
  const [, navigate] = useLocation();
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const [rate, setRate] = useState('5');
  const [limit, setLimit] = useState('1000');
  const [includeSuperseded, setIncludeSuperseded] = useState(false);
  const [found, setPlanned] = useState<Planned | null>(null);
  const asked = { filter, limit: Number(limit), includeSuperseded };
  const of = JSON.stringify(asked);
  const planned = found?.of === of ? found : null;
  const body = { ...asked, reason, ratePerSecond: Number(rate) };
  const planning = useMutation({
    mutationFn: async ({ before }: { before: number | null }) => ({
      of,
      before,
      plan: (await answer(
        api.POST('/api/admin/turns/replay', { body: { ...body, dryRun: true } }),
      )) as Schemas['RedrivePlan'],
    }),
    onSuccess: setPlanned,
  });
  const start = useMutation({
    mutationFn: (confirm: number) =>
      answer(api.POST('/api/admin/turns/replay', { body: { ...body, dryRun: false, confirm } })),
    onSuccess: (started, confirm) => {
      if (!('redriveId' in started)) return setPlanned({ of, plan: started, before: confirm });
      void queries.invalidateQueries({ queryKey: ['admin'] });
      navigate(`/admin/redrives/${started.redriveId}`);
    },
    onError: (error, confirm) => {
      if (!(error instanceof ApiError)) return;
      if (error.code === 'confirm_required') planning.mutate({ before: confirm });
      // The redrive exists, but Temporal was away: its page can start it.
      if (typeof error.details['redriveId'] === 'string') navigate(`/admin/redrives/${error.details['redriveId']}`);
    },
  });
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.reset();
    planning.mutate({ before: null });
  };
  const busy = planning.isPending || start.isPending;
  const recounted = start.error instanceof ApiError && start.error.code === 'confirm_required';
  return (
    <section
      id="replay-many"
      aria-labelledby="replay-many-title"
      className="mb-6 grid gap-4 rounded-xl border border-line bg-raised p-5"
    >
      <div>
        <h2 id="replay-many-title" className="text-lg font-semibold">
          {t('replayMany.title')}
        </h2>
        <p className="mt-1 text-sm text-soft">{t('replayMany.lead')}</p>
      </div>
      <form onSubmit={submit} aria-labelledby="replay-many-title" className="grid gap-3">
        <div className="flex flex-wrap items-end gap-3">
          <ReasonField
            field={first}
            value={reason}
            onChange={setReason}
            placeholder={t('replay.reasonHint')}
            width="w-72 max-w-full"
          />
          <Labelled label={t('replayMany.rate')}>
            <input
              type="number"
              inputMode="numeric"
              required
              min={1}
              max={50}
              value={rate}
              onChange={(event) => setRate(event.target.value)}
              className={`${FIELD} w-28 text-ink`}
            />
          </Labelled>
          <Labelled label={t('replayMany.limit')}>
            <input
              type="number"
              inputMode="numeric"
              required
              min={1}
              max={10_000}
              value={limit}
              onChange={(event) => setLimit(event.target.value)}
              className={`${FIELD} w-28 text-ink`}
            />
          </Labelled>
          <Button type="submit" className="h-9 text-sm" look={planned === null ? 'primary' : 'quiet'} disabled={busy}>
            {t('replayMany.plan')}
          </Button>
        </div>
        <label className="flex items-center gap-2.5 text-sm text-soft">
          <input
            type="checkbox"
            checked={includeSuperseded}
            onChange={(event) => setIncludeSuperseded(event.target.checked)}
            className="size-4 accent-accent-fill"
          />
          {t('replayMany.includeSuperseded')}
        </label>
      </form>
      <div role="status">{planned !== null && <Plan {...planned} />}</div>
      {planned !== null && planned.plan.count > 0 && (
        <Button
          look="primary"
          className="justify-self-start"
          disabled={busy || reason.trim() === ''}
          onClick={() => start.mutate(planned.plan.count)}
        >
          {t('replayMany.start', { n: written(planned.plan.count) })}
        </Button>
      )}
      {planning.isError && <Problem error={planning.error} />}
      {start.isError && !recounted && <Problem error={start.error} />}
    </section>
  );
}

/** How many turns, which ones first, and why others are left out. */
function Plan({ plan: { count, matched, skipped, sample }, before }: Planned) {
  const { t } = useTranslation('admin');
  const { tokens: written } = useFigures();
  const leftOut = (
    [
      ['superseded', skipped.superseded],
      ['suspended', skipped.suspended],
      ['api', skipped.api],
      ['beyond', matched - skipped.superseded - skipped.suspended - skipped.api - count],
    ] as const
  ).filter(([, n]) => n > 0);
  return (
    <div className="grid gap-3 text-sm">
      {before !== null && before !== count && (
        <Notice tone="warn">{t('replayMany.changed', { before: written(before), count: written(count) })}</Notice>
      )}
      <p className="font-medium">
        {count === 0
          ? t('replayMany.nothing', { matched: written(matched) })
          : t('replayMany.planned', { count: written(count), matched: written(matched) })}
      </p>
      {leftOut.length > 0 && (
        <ul className="grid gap-1 text-soft">
          {leftOut.map(([why, n]) => (
            <li key={why}>{t(`replayMany.leftOut.${why}`, { n: written(n) })}</li>
          ))}
        </ul>
      )}
      {sample.length > 0 && (
        <div>
          <h3 className="mb-1 text-xs text-faint">{t('replayMany.sample')}</h3>
          <ul className="flex flex-wrap gap-x-4 gap-y-1">
            {sample.map((turnId) => (
              <li key={turnId}>
                <TurnLink turnId={turnId} />
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
