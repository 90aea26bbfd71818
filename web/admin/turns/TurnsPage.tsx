import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { RotateCcw } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { paths } from '../../api/schema.d.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Page } from '../../ui/Page.tsx';
import { useFigures } from '../../usage/figures.ts';
import { AdminNav } from '../AdminNav.tsx';
import { ChoiceFilter, Filters, TextFilter } from '../Fields.tsx';
import { PersonLink } from '../Links.tsx';
import { PersonFilter } from '../PersonFilter.tsx';
import { PagedTable } from '../Table.tsx';
import { TurnLink } from '../TurnLink.tsx';
import { useAddress } from '../use-address.ts';
import { When } from '../When.tsx';
import { TurnStateLabel } from '../StateLabel.tsx';
import { useWords } from '../words/use-words.ts';
import { FailureChart } from './FailureChart.tsx';
import { ReplayMany } from './ReplayMany.tsx';
import { filterBody, filterQuery, isFiltered, NO_FILTER } from './turn-filter.ts';

type Query = NonNullable<paths['/api/admin/turns']['get']['parameters']['query']>;
const STATES = ['failed', 'completed', 'running', 'accepted', 'stopped', 'refused'] as const;

/** The turns of a filter, with the causes of failures and the way to replay them. */
export function TurnsPage() {
  const { t } = useTranslation('admin');
  const { tokens, timeZone } = useFigures();
  const { codeOf } = useWords();
  const [address, setAddress] = useAddress();
  const query = {
    ...filterQuery(address, timeZone),
    ...(address['cursor'] === undefined ? {} : { cursor: address['cursor'] }),
  };
  const turns = useQuery({
    queryKey: ['admin', 'turns', query],
    placeholderData: keepPreviousData,
    queryFn: () => answer(api.GET('/api/admin/turns', { params: { query: query as Query } })),
  });
  const replaying = address['replay'] === 'many';
  return (
    <Page
      title={t('section.turns')}
      wide
      actions={
        <Button
          size="small"
          aria-expanded={replaying}
          aria-controls={replaying ? 'replay-many' : undefined}
          onClick={() => setAddress({ replay: replaying ? undefined : 'many' })}
        >
          <RotateCcw aria-hidden className="size-3.5" />
          {t('replayMany.open')}
        </Button>
      }
    >
      <AdminNav />
      <Filters>
        <ChoiceFilter
          name="state"
          label={t('turns.state')}
          any={t('any')}
          options={STATES.map((state) => [state, t(`turns.stateOf.${state}`)])}
        />
        <PersonFilter name="userId" label={t('turns.user')} />
        <TextFilter name="model" label={t('turns.model')} width="w-40" />
        <TextFilter name="from" label={t('turns.from')} type="date" />
        <TextFilter name="to" label={t('turns.to')} type="date" />
        <ChoiceFilter
          name="replayed"
          label={t('turns.replayed')}
          any={t('any')}
          options={[
            ['true', t('turns.replayedOf.true')],
            ['false', t('turns.replayedOf.false')],
          ]}
        />
        {isFiltered(address) && (
          <Button look="bare" className="h-9 text-sm" onClick={() => setAddress(NO_FILTER)}>
            {t('clear')}
          </Button>
        )}
      </Filters>
      {replaying &&
        (address['state'] === undefined || address['state'] === 'failed' ? (
          <ReplayMany filter={filterBody(address, timeZone)} />
        ) : (
          <div className="mb-6">
            <Notice
              tone="info"
              action={
                <Button size="small" onClick={() => setAddress({ state: 'failed' })}>
                  {t('replayMany.showFailed')}
                </Button>
              }
            >
              {t('replayMany.onlyFailed')}
            </Notice>
          </div>
        ))}
      {(address['state'] === undefined || address['state'] === 'failed') && <FailureChart />}
      <Causes
        counts={turns.data?.counts ?? []}
        chosen={address['code']}
        onChoose={(code) => setAddress({ code: code === address['code'] ? undefined : code })}
      />
      <PagedTable
        label={t('section.turns')}
        query={turns}
        csv={{ path: '/api/admin/turns', query }}
        keyOf={({ turnId }) => turnId}
        empty={t('turns.none')}
        columns={[
          { title: t('turns.turn'), cell: ({ turnId }) => <TurnLink turnId={turnId} /> },
          {
            title: t('turns.state'),
            cell: ({ state, error }) => (
              <span>
                <TurnStateLabel state={state} />
                {error !== undefined && (
                  <span className="block text-xs text-faint" title={error.code}>
                    {codeOf(error.code)}
                  </span>
                )}
              </span>
            ),
          },
          { title: t('turns.user'), cell: ({ person, userId }) => <PersonLink person={person} userId={userId} /> },
          { title: t('turns.model'), cell: ({ model }) => model },
          {
            title: t('tokens'),
            numeric: true,
            cell: ({ usage }) => (usage === undefined ? '–' : tokens(usage.debitedTokens)),
          },
          { title: t('turns.attempts'), numeric: true, cell: ({ attempt }) => attempt },
          { title: t('at'), cell: ({ createdAt }) => <When at={createdAt} /> },
        ]}
      />
    </Page>
  );
}

/** The number of failures of each cause; choosing one filters by it. */
function Causes({
  counts,
  chosen,
  onChoose,
}: {
  counts: readonly { code: string; count: number; more: boolean }[];
  chosen: string | undefined;
  onChoose: (code: string) => void;
}) {
  const { t } = useTranslation('admin');
  const { tokens } = useFigures();
  const { codeOf } = useWords();
  if (counts.length === 0) return null;
  return (
    <ul aria-label={t('turns.causes')} className="mb-4 flex flex-wrap gap-2">
      {counts.map(({ code, count, more }) => (
        <li key={code}>
          <button
            type="button"
            title={code}
            aria-pressed={chosen === code}
            onClick={() => onChoose(code)}
            className="rounded-full border border-line bg-raised px-3 py-1 text-sm hover:bg-hover aria-pressed:border-bad aria-pressed:bg-bad-tint aria-pressed:text-bad"
          >
            {codeOf(code)}{' '}
            <b className="font-semibold tabular-nums">
              {tokens(count)}
              {more && '+'}
            </b>
          </button>
        </li>
      ))}
    </ul>
  );
}
