import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Notice } from '../../ui/Notice.tsx';
import { useFigures } from '../../usage/figures.ts';
import { NumberField, PlanThenStart } from '../many/PlanThenStart.tsx';
import { TurnLink } from '../TurnLink.tsx';

/** Replays the failed turns of a filter. */
export function ReplayMany({ filter }: { filter: Schemas['TurnFilter'] }) {
  const { t } = useTranslation('admin');
  const { tokens: written } = useFigures();
  const [limit, setLimit] = useState('1000');
  const [includeSuperseded, setIncludeSuperseded] = useState(false);
  const body = { filter, limit: Number(limit), includeSuperseded };
  return (
    <PlanThenStart
      id="replay-many"
      words={{
        title: t('replayMany.title'),
        lead: t('replayMany.lead'),
        reasonHint: t('replay.reasonHint'),
        rate: t('replayMany.rate'),
        plan: t('replayMany.plan'),
        start: (count) => t('replayMany.start', { n: written(count) }),
      }}
      asked={body}
      plan={async (wanted) =>
        (await answer(
          api.POST('/api/admin/turns/replay', { body: { ...body, ...wanted, dryRun: true } }),
        )) as Schemas['RedrivePlan']
      }
      start={async (wanted, { confirm, key }) => {
        const started = await answer(
          api.POST('/api/admin/turns/replay', {
            params: { header: { 'Idempotency-Key': key } },
            body: { ...body, ...wanted, dryRun: false, confirm },
          }),
        );
        return 'redriveId' in started ? { id: started.redriveId } : { plan: started };
      }}
      pathOf={(id) => `/admin/redrives/${id}`}
      idIn="redriveId"
      fields={<NumberField label={t('replayMany.limit')} most={10_000} value={limit} onChange={setLimit} />}
      below={
        <label className="flex items-center gap-2.5 text-sm text-soft">
          <input
            type="checkbox"
            checked={includeSuperseded}
            onChange={(event) => setIncludeSuperseded(event.target.checked)}
            className="size-4 accent-accent-fill"
          />
          {t('replayMany.includeSuperseded')}
        </label>
      }
    >
      {(planned) => <Plan {...planned} />}
    </PlanThenStart>
  );
}

/** How many turns, which ones first, and why others are left out. */
function Plan({
  plan: { count, matched, skipped, sample },
  before,
}: {
  plan: Schemas['RedrivePlan'];
  before: number | null;
}) {
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
