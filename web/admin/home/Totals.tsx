import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Schemas } from '../../api/schemas.ts';
import { useMoney } from '../../purchase/use-money.ts';
import { Before, Compared } from './Compared.tsx';
import { microsOf } from './UsageTables.tsx';
import { useHomeFigures } from './use-home-figures.ts';

type Revenue = readonly { readonly currency: Schemas['DayRevenue']['currency']; readonly net: number }[];

/** The figures of the whole range, each beside the range before. */
export function Totals({
  usage: { total, before, from, to },
  people,
  revenue,
}: {
  usage: Schemas['UsageOfRange'];
  people: Schemas['UsagePeople'] | undefined;
  /** By currency, now and before; nothing where nothing is sold. */
  revenue: { readonly now: Revenue; readonly before: Revenue } | undefined;
}) {
  const { t } = useTranslation('admin-home');
  const { tokens, cost, seconds } = useHomeFigures();
  const money = useMoney();
  const earlier = before.total;
  const figures: [string, ReactNode][] = [
    [
      t('figure.cost'),
      <>
        {cost(total.cost)}
        {total.unpricedTokens > 0 && <span className="block text-xs font-normal text-faint">{t('unpriced')}</span>}
        <Before now={microsOf(total.cost)} before={microsOf(earlier.cost)} written={cost(earlier.cost)} />
      </>,
    ],
    [t('figure.usedTokens'), <Compared now={total.usedTokens} before={earlier.usedTokens} write={tokens} />],
    [t('figure.turns'), <Compared now={total.turns} before={earlier.turns} write={tokens} />],
    [
      t('figure.people'),
      people === undefined ? '…' : <Compared now={people.people} before={people.before.people} write={tokens} />,
    ],
    [
      t('figure.failures'),
      <>
        <Link
          href={`/admin/turns?state=failed&from=${from}&to=${to}`}
          className="text-accent underline underline-offset-4"
        >
          {tokens(total.failures)}
        </Link>
        <Before now={total.failures} before={earlier.failures} written={tokens(earlier.failures)} />
      </>,
    ],
    [
      t('figure.firstDelta'),
      <>
        {seconds(total.firstDelta?.p50Ms)}
        <span className="block text-xs font-normal text-faint">
          {t('slowest', { p95: seconds(total.firstDelta?.p95Ms) })}
        </span>
        <Before
          now={total.firstDelta?.p50Ms ?? 0}
          before={earlier.firstDelta?.p50Ms ?? 0}
          written={seconds(earlier.firstDelta?.p50Ms)}
        />
      </>,
    ],
    ...[...new Set([...(revenue?.now ?? []), ...(revenue?.before ?? [])].map(({ currency }) => currency))].map(
      (currency): [string, ReactNode] => {
        const net = (list: Revenue) => list.find((one) => one.currency === currency)?.net ?? 0;
        const write = (amount: number) => money({ amount, currency });
        return [
          t('figure.revenue'),
          <Compared now={net(revenue?.now ?? [])} before={net(revenue?.before ?? [])} write={write} />,
        ];
      },
    ),
  ];
  return (
    <dl className="grid grid-cols-2 gap-x-6 gap-y-5 rounded-xl border border-line bg-raised p-5 md:grid-cols-3 lg:grid-cols-4">
      {figures.map(([name, value], i) => (
        <div key={`${name} ${i}`} className="min-w-0">
          <dt className="text-xs text-faint">{name}</dt>
          <dd className="mt-0.5 text-xl font-semibold break-words tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
