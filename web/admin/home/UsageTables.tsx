import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Schemas } from '../../api/schemas.ts';
import { useFigures } from '../../usage/figures.ts';
import { Table, type Column } from '../Table.tsx';
import { Before, Compared } from './Compared.tsx';
import { useHomeFigures, type Cost, type Figures } from './use-home-figures.ts';

type Usage = Schemas['UsageOfRange'];
type People = Schemas['UsagePeople'] | undefined;
/** A row of a table with what it was before, and how many people there were. */
type Row = Figures & { readonly earlier: Figures | undefined; readonly people: number | undefined };

export function ModelTable({ usage, people }: { usage: Usage; people: People }) {
  const { t } = useTranslation('admin-home');
  const columns = useColumns();
  const earlier = new Map(usage.before.models.map((model) => [model.model, model]));
  const counted = new Map(people?.models.map((model) => [model.model, model.people]));
  const items = usage.models.map((model) => ({
    ...model,
    earlier: earlier.get(model.model),
    people: people === undefined ? undefined : (counted.get(model.model) ?? 0),
  }));
  return (
    <Table
      label={t('byModel')}
      items={items}
      keyOf={({ model }) => model}
      empty={t('empty')}
      columns={[
        {
          title: t('model'),
          cell: ({ model }) => (
            <Link
              href={`/admin/turns?model=${encodeURIComponent(model)}&from=${usage.from}&to=${usage.to}`}
              className="font-medium text-accent hover:underline"
            >
              {model}
            </Link>
          ),
        },
        ...columns,
      ]}
    />
  );
}

/** The newest day first. Days on which nothing happened, now and before, are left out. */
export function DayTable({ usage, people }: { usage: Usage; people: People }) {
  const { t } = useTranslation('admin-home');
  const { dayOf } = useFigures();
  const columns = useColumns();
  const counted = new Map(people?.days.map((day) => [day.day, day.people]));
  const items = usage.days
    .map((day, i) => ({
      ...day,
      earlier: usage.before.days[i],
      people: people === undefined ? undefined : (counted.get(day.day) ?? 0),
    }))
    .filter(({ turns, failures, earlier }) => turns + failures + (earlier?.turns ?? 0) + (earlier?.failures ?? 0) > 0)
    .reverse();
  return (
    <Table
      label={t('byDay')}
      items={items}
      keyOf={({ day }) => day}
      empty={t('empty')}
      columns={[
        { title: t('day'), cell: ({ day }) => <span className="whitespace-nowrap">{dayOf(day)}</span> },
        ...columns,
      ]}
    />
  );
}

function useColumns(): Column<Row>[] {
  const { t } = useTranslation('admin-home');
  const { tokens, cost, seconds } = useHomeFigures();
  return [
    {
      title: t('figure.cost'),
      numeric: true,
      cell: ({ cost: now, unpricedTokens, earlier }) => (
        <span className="block">
          {cost(now)}
          {unpricedTokens > 0 && <span className="block text-xs text-faint">{t('unpriced')}</span>}
          <Before now={microsOf(now)} before={microsOf(earlier?.cost)} written={cost(earlier?.cost ?? [])} />
        </span>
      ),
    },
    {
      title: t('figure.usedTokens'),
      numeric: true,
      cell: ({ usedTokens, earlier }) => <Compared now={usedTokens} before={earlier?.usedTokens ?? 0} write={tokens} />,
    },
    { title: t('figure.turns'), numeric: true, cell: ({ turns }) => tokens(turns) },
    {
      title: t('figure.people'),
      numeric: true,
      cell: ({ people }) => (people === undefined ? '…' : tokens(people)),
    },
    { title: t('figure.failures'), numeric: true, cell: ({ failures }) => tokens(failures) },
    {
      title: t('figure.firstDelta'),
      numeric: true,
      cell: ({ firstDelta }) => seconds(firstDelta?.p50Ms),
    },
  ];
}

/** What is compared where a cost has more than one currency: the first. */
export function microsOf(cost: Cost | undefined): number {
  return cost?.[0]?.micros ?? 0;
}
