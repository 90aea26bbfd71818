import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answer, api } from '../api/client.ts';
import type { paths } from '../api/schema.d.ts';
import { Page } from '../shell/Page.tsx';
import { useFigures } from '../usage/figures.ts';
import { AdminNav } from './AdminPages.tsx';
import { ChoiceFilter, Filters, TextFilter } from './Fields.tsx';
import { PagedTable } from './Table.tsx';
import { StateWord } from './StateWord.tsx';
import { TurnLink } from './UserPage.tsx';
import { useAddress } from './use-address.ts';

type Query = NonNullable<paths['/api/admin/turns']['get']['parameters']['query']>;
const STATES = ['failed', 'completed', 'running', 'accepted', 'stopped', 'refused'] as const;
const NAMES = ['state', 'code', 'userId', 'conversationId', 'model', 'from', 'to', 'replayed', 'cursor'] as const;

/** Turns by filter, failed ones first of all, with what they failed of. */
export function TurnsPage() {
  const { t } = useTranslation('admin');
  const { moment, tokens } = useFigures();
  const [address, setAddress] = useAddress();
  const turns = useQuery({
    queryKey: ['admin', 'turns', address],
    placeholderData: keepPreviousData,
    // As it stands in the address: what is none of these the API refuses, and says why.
    queryFn: () => answer(api.GET('/api/admin/turns', { params: { query: Object.fromEntries(NAMES.flatMap((name) => address[name] === undefined ? [] : [[name, asInstant(name, address[name])]])) as Query } })),
  });
  return (
    <Page title={t('section.turns')} wide>
      <AdminNav />
      <Filters>
        <ChoiceFilter name="state" label={t('turns.state')} any={t('any')} options={STATES.map((state) => [state, t(`turns.stateOf.${state}`)])} />
        <TextFilter name="userId" label={t('turns.user')} />
        <TextFilter name="model" label={t('turns.model')} />
        <TextFilter name="from" label={t('turns.from')} type="date" />
        <TextFilter name="to" label={t('turns.to')} type="date" />
      </Filters>
      <Causes counts={turns.data?.counts ?? []} chosen={address['code']} onChoose={(code) => setAddress({ code: code === address['code'] ? undefined : code })} />
      <PagedTable label={t('section.turns')} query={turns} keyOf={({ turnId }) => turnId} empty={t('turns.none')} columns={[
        { title: t('turns.turn'), cell: ({ turnId }) => <TurnLink turnId={turnId} /> },
        { title: t('turns.state'), cell: ({ state, error }) => <span><StateWord state={state} />{error !== undefined && <span className="block text-xs text-faint">{error.code}</span>}</span> },
        { title: t('turns.user'), numeric: true, cell: ({ userId }) => userId },
        { title: t('turns.model'), cell: ({ model }) => model },
        { title: t('tokens'), numeric: true, cell: ({ usage }) => usage === undefined ? '–' : tokens(usage.debitedTokens) },
        { title: t('turns.attempts'), numeric: true, cell: ({ attempt }) => attempt },
        { title: t('at'), cell: ({ createdAt }) => moment(createdAt) },
      ]} />
    </Page>
  );
}

function asInstant(name: string, value: string | undefined): string | undefined {
  return (name === 'from' || name === 'to') && value !== undefined && !value.includes('T') ? new Date(`${value}T00:00:00`).toISOString() : value;
}

/** How many failed of what; each is a filter. */
function Causes({ counts, chosen, onChoose }: { counts: readonly { code: string; count: number; more: boolean }[]; chosen: string | undefined; onChoose: (code: string) => void }) {
  const { t } = useTranslation('admin');
  const { tokens } = useFigures();
  if (counts.length === 0) return null;
  return (
    <ul aria-label={t('turns.causes')} className="mb-4 flex flex-wrap gap-2">
      {counts.map(({ code, count, more }) => (
        <li key={code}>
          <button type="button" aria-pressed={chosen === code} onClick={() => onChoose(code)} className="rounded-full border border-line bg-raised px-3 py-1 text-sm hover:bg-hover aria-pressed:border-bad aria-pressed:bg-bad-tint aria-pressed:text-bad">
            {code} <b className="font-semibold tabular-nums">{tokens(count)}{more && '+'}</b>
          </button>
        </li>
      ))}
    </ul>
  );
}
