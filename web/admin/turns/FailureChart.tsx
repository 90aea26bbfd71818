import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { paths } from '../../api/schema.d.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Loading } from '../../ui/Loading.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { FIELD, Labelled } from '../Fields.tsx';
import { Table } from '../Table.tsx';
import { useAddress } from '../use-address.ts';
import { useWords } from '../words/use-words.ts';
import { chartRange, spanOf, SPANS, type ChartRange, type SpanName } from './chart-range.ts';
import { filterQuery } from './turn-filter.ts';

type Query = NonNullable<paths['/api/admin/turns/failures']['get']['parameters']['query']>;
type Items = Schemas['Failures']['items'];

/**
 * Why the filter's turns failed, over time: one row of bars for each cause, so that a cause is known by its name and
 * not by a colour.
 */
export function FailureChart() {
  const { t } = useTranslation('admin');
  const { moment, timeZone } = useFigures();
  const [address, setAddress] = useAddress();
  const range = chartRange(address, timeZone);
  const { state: _, ...which } = filterQuery(address, timeZone);
  const query = { ...which, timeZone, ...(range !== null && { bucket: range.bucket, from: range.from, to: range.to }) };
  const failures = useQuery({
    queryKey: ['admin', 'failures', query],
    enabled: range !== null,
    placeholderData: keepPreviousData,
    queryFn: () => answer(api.GET('/api/admin/turns/failures', { params: { query: query as Query } })),
  });
  if (range === null) return null;
  return (
    <section
      aria-labelledby="failures"
      aria-busy={failures.isFetching}
      className="mb-6 rounded-xl border border-line bg-raised p-5"
    >
      <div className="mb-4 flex flex-wrap items-end justify-between gap-3">
        <div>
          <h2 id="failures" className="text-lg font-semibold">
            {t('failures.title')}
          </h2>
          <p className="text-sm text-faint">
            {moment(range.from)} – {moment(range.to)}
            {range.cut && ` ${t('failures.cut')}`}
          </p>
        </div>
        {address['from'] === undefined && address['to'] === undefined && (
          <Labelled label={t('failures.span')}>
            <select
              value={spanOf(address)}
              onChange={(event) => setAddress({ span: event.target.value === 'day' ? undefined : event.target.value })}
              className={`${FIELD} text-ink`}
            >
              {(Object.keys(SPANS) as SpanName[]).map((name) => (
                <option key={name} value={name}>
                  {t(`failures.spanOf.${name}`)}
                </option>
              ))}
            </select>
          </Labelled>
        )}
      </div>
      {failures.isPending && <Loading />}
      {failures.isError && <Problem error={failures.error} onRetry={() => void failures.refetch()} />}
      {failures.isSuccess && (
        <Rows
          items={failures.data.items}
          bucket={failures.data.bucket}
          chosen={address['code']}
          onChoose={(code) => setAddress({ code: code === address['code'] ? undefined : code })}
        />
      )}
    </section>
  );
}

interface Cause {
  readonly code: string;
  readonly total: number;
  readonly more: boolean;
  /** The number of failures in each bucket. */
  readonly counts: readonly number[];
}

function causesOf(items: Items): Cause[] {
  const codes = new Set(items.flatMap(({ counts }) => counts.map(({ code }) => code)));
  return [...codes]
    .map((code) => {
      const found = items.map(({ counts }) => counts.find((count) => count.code === code));
      return {
        code,
        total: found.reduce((sum, count) => sum + (count?.count ?? 0), 0),
        more: found.some((count) => count?.more === true),
        counts: found.map((count) => count?.count ?? 0),
      };
    })
    .sort((a, b) => b.total - a.total || a.code.localeCompare(b.code));
}

function Rows({
  items,
  bucket,
  chosen,
  onChoose,
}: {
  items: Items;
  bucket: ChartRange['bucket'];
  chosen: string | undefined;
  onChoose: (code: string) => void;
}) {
  const { t } = useTranslation('admin');
  const { tokens: written, bucketName } = useFigures();
  const { codeOf } = useWords();
  const causes = causesOf(items);
  if (causes.length === 0)
    return (
      <p className="rounded-lg border border-dashed border-line px-4 py-8 text-center text-sm text-faint">
        {t('failures.none')}
      </p>
    );
  const most = Math.max(...causes.flatMap(({ counts }) => counts));
  const named = (i: number) => bucketName(items[i]?.from ?? '', bucket);
  const filled = items.map((item, i) => ({ ...item, name: named(i) })).filter(({ counts }) => counts.length > 0);
  return (
    <>
      <ul className="grid gap-3">
        {causes.map(({ code, total, more, counts }) => {
          const highest = counts.indexOf(Math.max(...counts));
          return (
            <li key={code} className="grid gap-x-4 gap-y-1 sm:grid-cols-[13rem_1fr] sm:items-end">
              <button
                type="button"
                aria-pressed={chosen === code}
                onClick={() => onChoose(code)}
                className="flex items-baseline justify-between gap-3 rounded-lg px-2 py-1 text-left text-sm hover:bg-hover aria-pressed:bg-bad-tint aria-pressed:text-bad"
              >
                <span className="min-w-0 break-words" title={code}>
                  {codeOf(code)}
                </span>
                <b className="font-semibold tabular-nums">
                  {written(total)}
                  {more && '+'}
                </b>
              </button>
              <svg
                role="img"
                aria-label={t('failures.row', {
                  code: codeOf(code),
                  total: written(total),
                  most: written(counts[highest] ?? 0),
                  at: named(highest),
                })}
                viewBox={`0 0 ${items.length} 100`}
                preserveAspectRatio="none"
                className="h-10 w-full"
              >
                {counts.map((count, i) => {
                  const height = count === 0 ? 3 : Math.max(10, (count / most) * 100);
                  return (
                    <rect
                      key={i}
                      x={i + 0.1}
                      y={100 - height}
                      width=".8"
                      height={height}
                      className={count === 0 ? 'fill-line' : 'fill-bad-fill'}
                    >
                      <title>{`${named(i)}: ${written(count)}`}</title>
                    </rect>
                  );
                })}
              </svg>
            </li>
          );
        })}
      </ul>
      <p aria-hidden className="mt-1 flex justify-between gap-2 text-xs text-faint sm:ml-56">
        <span>{named(0)}</span>
        <span className="max-sm:hidden">{named(Math.floor(items.length / 2))}</span>
        <span>{named(items.length - 1)}</span>
      </p>
      <details className="mt-3 text-sm">
        <summary className="rounded text-soft hover:text-ink">{t('failures.asTable')}</summary>
        <div className="mt-3 max-h-96 overflow-y-auto">
          <Table
            label={t('failures.table')}
            items={filled}
            keyOf={({ from }) => from}
            empty={t('failures.none')}
            columns={[
              {
                title: t(`failures.bucketOf.${bucket}`),
                cell: ({ name }) => <span className="whitespace-nowrap">{name}</span>,
              },
              ...causes.map(({ code }) => ({
                title: codeOf(code),
                numeric: true,
                cell: ({ counts }: Items[number]) => {
                  const count = counts.find((one) => one.code === code);
                  return count === undefined ? '–' : `${written(count.count)}${count.more ? '+' : ''}`;
                },
              })),
            ]}
          />
        </div>
      </details>
    </>
  );
}
