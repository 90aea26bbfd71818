import { useQuery } from '@tanstack/react-query';
import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Button } from '../../ui/Button.tsx';
import { Loading } from '../../ui/Loading.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { DayChart } from './DayChart.tsx';
import { useFigures } from '../figures.ts';
import { CsvButton } from './CsvButton.tsx';
import { HistoryTable, signed } from './HistoryTable.tsx';
import { monthsFrom } from './months.ts';

/** How far back one can leaf: older months are in the file of each month. */
const OLDEST_MONTHS = 24;

/** Where the tokens of a month went: by day as a chart, by model, and as a file. */
export function History() {
  const { t } = useTranslation('usage-page');
  const [month, setMonth] = useState<string | null>(null);
  const days = useHistory<Schemas['UsageByDay']>('day', month);
  const models = useHistory<Schemas['UsageByModel']>('model', month);
  const { tokens, dayOf, monthOf } = useFigures();
  const [newest, setNewest] = useState<string | null>(null);
  if (month === null && days.data !== undefined && newest !== days.data.month) setNewest(days.data.month);
  const shown = month ?? newest;
  return (
    <>
      <section aria-labelledby="by-day" className="min-w-0">
        <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
          <h2 id="by-day" className="text-lg font-semibold">
            {t('history.byDay')}
          </h2>
          {shown !== null && newest !== null && (
            <div className="flex items-center gap-1">
              <Button
                look="bare"
                size="icon"
                aria-label={t('history.earlier')}
                disabled={shown <= monthsFrom(newest, -OLDEST_MONTHS)}
                onClick={() => setMonth(monthsFrom(shown, -1))}
              >
                <ChevronLeft aria-hidden className="size-4" />
              </Button>
              <span role="status" className="min-w-24 text-center text-sm font-medium tabular-nums">
                {monthOf(shown)}
              </span>
              <Button
                look="bare"
                size="icon"
                aria-label={t('history.later')}
                disabled={shown >= newest}
                onClick={() => setMonth(monthsFrom(shown, 1) === newest ? null : monthsFrom(shown, 1))}
              >
                <ChevronRight aria-hidden className="size-4" />
              </Button>
            </div>
          )}
          <CsvButton month={month} />
        </div>
        <Shown query={days}>
          {(page) =>
            page.items.length === 0 ? (
              <Nothing />
            ) : (
              <>
                <DayChart days={page.items.map(withoutAdjustments)} month={page.month} />
                <HistoryTable
                  label={t('history.byDay')}
                  first={t('history.day')}
                  rows={page.items.map((item) => ({
                    name: dayOf(item.day),
                    turns: item.turns,
                    used: withoutAdjustments(item).usedTokens,
                    adjusted: item.adjustedTokens,
                  }))}
                />
              </>
            )
          }
        </Shown>
      </section>
      <section aria-labelledby="by-model" className="min-w-0">
        <h2 id="by-model" className="mb-3 text-lg font-semibold">
          {t('history.byModel')}
        </h2>
        <Shown query={models}>
          {({ items }) => {
            const used = items.filter(({ model }) => model !== null);
            const adjustments = items.find(({ model }) => model === null);
            const most = Math.max(1, ...used.map(({ usedTokens }) => usedTokens));
            if (items.length === 0) return <Nothing />;
            return (
              <>
                <ul className="grid gap-3">
                  {used.map(({ model, usedTokens, turns }) => (
                    <li key={model} className="text-sm">
                      <p className="mb-1 flex flex-wrap justify-between gap-x-4">
                        <span>{model}</span>
                        <span className="text-soft tabular-nums">
                          {t('history.sum', { count: turns, tokens: tokens(usedTokens), turns: tokens(turns) })}
                        </span>
                      </p>
                      <div aria-hidden className="h-2 rounded-full bg-line">
                        <div
                          className="h-2 rounded-full bg-accent-fill"
                          style={{ width: `${(Math.max(0, usedTokens) / most) * 100}%` }}
                        />
                      </div>
                    </li>
                  ))}
                </ul>
                {adjustments !== undefined && (
                  <div className="mt-4 flex flex-wrap items-baseline justify-between gap-x-4 rounded-xl border border-dashed border-line px-4 py-3 text-sm">
                    <p>
                      <span className="font-medium">{t('history.adjustments')}</span>{' '}
                      <span className="text-faint">{t('history.adjustmentsLead')}</span>
                    </p>
                    <p className="tabular-nums">{signed(adjustments.usedTokens, tokens)}</p>
                  </div>
                )}
              </>
            );
          }}
        </Shown>
      </section>
    </>
  );
}

function withoutAdjustments({ day, turns, usedTokens, adjustedTokens }: Schemas['DayUsage']) {
  return { day, turns, usedTokens: usedTokens - adjustedTokens };
}

/** @param month null: the one that is open. */
function useHistory<Page>(by: 'day' | 'model', month: string | null) {
  return useQuery({
    queryKey: ['usage', 'history', by, month],
    queryFn: () =>
      answer(
        api.GET('/api/ai-usage/history', {
          params: { query: { by, limit: 100, ...(month === null ? {} : { month }) } },
        }),
      ) as Promise<Page>,
  });
}

function Shown<Page>({
  query,
  children,
}: {
  query: ReturnType<typeof useHistory<Page>>;
  children: (page: Page) => React.ReactNode;
}) {
  if (query.isPending) return <Loading />;
  if (query.isError) return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  return children(query.data);
}

function Nothing() {
  const { t } = useTranslation('usage-page');
  return (
    <p className="rounded-xl border border-dashed border-line px-4 py-10 text-center text-sm text-faint">
      {t('history.none')}
    </p>
  );
}
