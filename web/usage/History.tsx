import { useMutation, useQuery } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../api/answer.ts';
import { accepted } from '../api/api-error.ts';
import { api } from '../api/client.ts';
import type { Schemas } from '../api/schemas.ts';
import { authorizedFetch } from '../session/fetch.ts';
import { Button } from '../ui/Button.tsx';
import { Loading } from '../ui/Loading.tsx';
import { Problem } from '../ui/Problem.tsx';
import { DayChart } from './DayChart.tsx';
import { useFigures } from './figures.ts';

/** Where the current month's tokens went: by day as a chart, by model, and as a file. */
export function History() {
  const { t } = useTranslation('usage');
  const days = useHistory<Schemas['UsageByDay']>('day');
  const models = useHistory<Schemas['UsageByModel']>('model');
  const { tokens } = useFigures();
  return (
    <>
      <section aria-labelledby="by-day">
        <div className="mb-3 flex items-center justify-between gap-3">
          <h2 id="by-day" className="text-lg font-semibold">
            {t('history.byDay')}
          </h2>
          <CsvButton />
        </div>
        <Shown query={days}>
          {(page) =>
            page.items.length === 0 ? (
              <Nothing />
            ) : (
              <>
                <DayChart days={page.items.toReversed()} month={page.month} />
                <HistoryTable
                  label={t('history.byDay')}
                  first={t('history.day')}
                  rows={page.items.map((item) => ({ name: item.day, turns: item.turns, used: item.usedTokens }))}
                />
              </>
            )
          }
        </Shown>
      </section>
      <section aria-labelledby="by-model">
        <h2 id="by-model" className="mb-3 text-lg font-semibold">
          {t('history.byModel')}
        </h2>
        <Shown query={models}>
          {(page) =>
            page.items.length === 0 ? (
              <Nothing />
            ) : (
              <ul className="grid gap-3">
                {page.items.map(({ model, usedTokens, turns }) => {
                  const most = Math.max(1, ...page.items.map((item) => item.usedTokens));
                  return (
                    <li key={model ?? ''} className="text-sm">
                      <p className="mb-1 flex justify-between gap-4">
                        <span>{model ?? t('history.adjustments')}</span>
                        <span className="text-soft tabular-nums">
                          {t('history.sum', { tokens: tokens(usedTokens), turns: tokens(turns) })}
                        </span>
                      </p>
                      <div aria-hidden className="h-2 rounded-full bg-line">
                        <div
                          className="h-2 rounded-full bg-accent-fill"
                          style={{ width: `${(Math.max(0, usedTokens) / most) * 100}%` }}
                        />
                      </div>
                    </li>
                  );
                })}
              </ul>
            )
          }
        </Shown>
      </section>
    </>
  );
}

function useHistory<Page>(by: 'day' | 'model') {
  return useQuery({
    queryKey: ['usage', 'history', by],
    queryFn: () => answer(api.GET('/api/ai-usage/history', { params: { query: { by, limit: 100 } } })) as Promise<Page>,
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
  const { t } = useTranslation('usage');
  return (
    <p className="rounded-xl border border-dashed border-line px-4 py-10 text-center text-sm text-faint">
      {t('history.none')}
    </p>
  );
}

function HistoryTable({
  label,
  first,
  rows,
}: {
  label: string;
  first: string;
  rows: readonly { name: string; turns: number; used: number }[];
}) {
  const { t } = useTranslation('usage');
  const { tokens } = useFigures();
  return (
    <table aria-label={label} className="mt-4 w-full text-left text-sm">
      <thead className="border-b border-line text-faint">
        <tr>
          <th scope="col" className="py-1.5 font-medium">
            {first}
          </th>
          <th scope="col" className="py-1.5 text-right font-medium">
            {t('history.turns')}
          </th>
          <th scope="col" className="py-1.5 text-right font-medium">
            {t('figure.used')}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, turns, used }) => (
          <tr key={name} className="border-b border-line last:border-0">
            <td className="py-1.5">{name}</td>
            <td className="py-1.5 text-right tabular-nums">{tokens(turns)}</td>
            <td className="py-1.5 text-right tabular-nums">{tokens(used)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Downloads by a call, because the key goes in a header, which a plain link cannot send. */
function CsvButton() {
  const { t } = useTranslation('usage');
  const [name, setName] = useState('');
  const save = useMutation({
    mutationFn: async () => {
      const response = await accepted(
        await authorizedFetch(`${location.origin}/api/ai-usage/history?by=turn`, { headers: { Accept: 'text/csv' } }),
      );
      const fileName =
        /filename="?([^";]+)"?/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? 'turnkeeper.csv';
      const link = Object.assign(document.createElement('a'), {
        href: URL.createObjectURL(await response.blob()),
        download: fileName,
      });
      link.click();
      URL.revokeObjectURL(link.href);
      setName(fileName);
    },
  });
  return (
    <div className="flex items-center gap-3">
      <span role="status" className="text-xs text-faint">
        {save.isSuccess && t('history.saved', { name })}
        {save.isError && t('history.notSaved')}
      </span>
      <Button size="small" disabled={save.isPending} onClick={() => save.mutate()}>
        <Download aria-hidden className="size-4" />
        {t('history.csv')}
      </Button>
    </div>
  );
}
