import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Loading } from '../../ui/Loading.tsx';
import { Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { StateLabel } from '../../ui/StateLabel.tsx';
import { useFigures } from '../../usage/figures.ts';
import { AdminNav } from '../AdminNav.tsx';
import { Table } from '../Table.tsx';
import { SwitchModel } from './SwitchModel.tsx';

type Model = Schemas['AdminModel'];

/** A rate of failures from which a model is looked at. */
const MANY_PERCENT = 5;

/** The catalogue: what is on offer at which rate, and how it goes. */
export function ModelsPage() {
  const { t } = useTranslation('models');
  const models = useQuery({
    queryKey: ['admin', 'models'],
    queryFn: () => answer(api.GET('/api/admin/models')),
  });
  return (
    <Page title={t('title')} wide>
      <AdminNav />
      <p className="mb-4 text-sm text-soft">{t('lead')}</p>
      {models.isPending && <Loading />}
      {models.isError && <Problem error={models.error} onRetry={() => void models.refetch()} />}
      {models.isSuccess && <Models items={models.data.items} />}
    </Page>
  );
}

function Models({ items }: { items: readonly Model[] }) {
  const { t } = useTranslation('models');
  const { tokens } = useFigures();
  /** Thousandths, as people read them: 1500 is 1.5. */
  const rate = (thousandths: number) => (thousandths / 1_000).toLocaleString(undefined, { maximumFractionDigits: 3 });
  return (
    <Table
      label={t('title')}
      items={items}
      keyOf={({ model }) => model}
      empty={t('none')}
      columns={[
        {
          title: t('model'),
          cell: ({ model, isDefault }) => (
            <>
              <span className="block font-medium sm:min-w-28">{model}</span>
              {isDefault && <span className="block text-xs text-faint">{t('default')}</span>}
            </>
          ),
        },
        {
          title: t('offered'),
          cell: (model) => <State model={model} isLast={model.isOffered && items.filter(isOn).length === 1} />,
        },
        { title: t('input'), numeric: true, cell: (model) => rate(model.rate.input) },
        { title: t('cachedInput'), numeric: true, cell: (model) => rate(model.rate.cachedInput) },
        { title: t('output'), numeric: true, cell: (model) => rate(model.rate.output) },
        {
          title: t('errors'),
          numeric: true,
          cell: (model) => <Errors model={model} />,
        },
        { title: t('firstDelta'), numeric: true, cell: ({ firstDelta }) => <FirstDelta firstDelta={firstDelta} /> },
        { title: t('turns'), numeric: true, cell: ({ turns }) => tokens(turns) },
        {
          title: t('context'),
          numeric: true,
          cell: ({ contextWindow }) => (contextWindow === null ? '–' : tokens(contextWindow)),
        },
      ]}
    />
  );
}

const isOn = ({ isOffered }: Model) => isOffered;

/** Whether it is on, and the switch. */
function State({ model, isLast }: { model: Model; isLast: boolean }) {
  const { t } = useTranslation('models');
  const { day } = useFigures();
  const { isInCatalogue, isOffered, offSince } = model;
  if (!isInCatalogue) return <StateLabel tone="plain">{t('gone')}</StateLabel>;
  return (
    <span className="flex flex-wrap items-center gap-2 max-sm:justify-end">
      <StateLabel tone={isOffered ? 'good' : 'warn'}>{t(isOffered ? 'on' : 'off')}</StateLabel>
      {offSince !== null && <span className="text-xs text-faint">{t('offSince', { at: day(offSince) })}</span>}
      {isLast ? <span className="text-xs text-faint">{t('switch.last')}</span> : <SwitchModel model={model} />}
    </span>
  );
}

/** By when half of the turns, and nearly all, had their first text. */
function FirstDelta({ firstDelta }: Pick<Model, 'firstDelta'>) {
  const { t } = useTranslation('models');
  if (firstDelta === null) return '–';
  const seconds = (ms: number) =>
    t('seconds', {
      n: (ms / 1_000).toLocaleString(undefined, {
        minimumFractionDigits: ms < 1_000 ? 2 : 1,
        maximumFractionDigits: ms < 1_000 ? 2 : 1,
      }),
    });
  return (
    <>
      {seconds(firstDelta.p50Ms)}
      <span className="block text-xs text-faint">{t('slowest', { p95: seconds(firstDelta.p95Ms) })}</span>
    </>
  );
}

/** The share of failures, which leads to them. */
function Errors({ model: { model, failed, errorPercent } }: { model: Model }) {
  const { percent } = useFigures();
  if (errorPercent === null) return '–';
  if (failed === 0) return percent(0);
  return (
    <Link
      href={`/admin/turns?state=failed&model=${encodeURIComponent(model)}`}
      className={`hover:underline ${errorPercent >= MANY_PERCENT ? 'text-bad' : 'text-accent'}`}
    >
      {percent(errorPercent)}
    </Link>
  );
}
