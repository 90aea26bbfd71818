import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { paths } from '../../api/schema.d.ts';
import { PurchaseStateLabel } from '../../purchase/PurchaseState.tsx';
import type { Purchase, PurchaseState } from '../../purchase/queries.ts';
import { useMoney } from '../../purchase/use-money.ts';
import { Page } from '../../ui/Page.tsx';
import { useFigures } from '../../usage/figures.ts';
import { ChoiceFilter, Filters } from '../Fields.tsx';
import { MomentLink, PersonLink } from '../Links.tsx';
import { PersonFilter } from '../PersonFilter.tsx';
import { PagedTable } from '../Table.tsx';
import { useAddress } from '../use-address.ts';
import { PurchaseTabs } from './PurchaseTabs.tsx';

type Query = NonNullable<paths['/api/admin/purchases']['get']['parameters']['query']>;
const NAMES = ['state', 'provider', 'userId', 'cursor'] as const;
const STATES = [
  'created',
  'pending',
  'awaiting_deposit',
  'paid',
  'partially_refunded',
  'refunded',
  'disputed',
  'failed',
  'expired',
  'mismatch',
] as const satisfies readonly PurchaseState[];
const PROVIDERS = ['stripe', 'toss', 'demo'] as const satisfies readonly Purchase['provider'][];

/** What people have bought, by state, provider and person. */
export function PurchasesPage() {
  const { t } = useTranslation(['admin', 'purchase']);
  const { tokens } = useFigures();
  const money = useMoney();
  const [address] = useAddress();
  const query = Object.fromEntries(
    NAMES.flatMap((name) => (address[name] === undefined ? [] : [[name, address[name]]])),
  ) as Query;
  const purchases = useQuery({
    queryKey: ['admin', 'purchases', query],
    placeholderData: keepPreviousData,
    queryFn: () => answer(api.GET('/api/admin/purchases', { params: { query } })),
  });
  return (
    <Page title={t('section.purchases')} wide>
      <PurchaseTabs />
      <Filters>
        <ChoiceFilter
          name="state"
          label={t('turns.state')}
          any={t('any')}
          options={STATES.map((state) => [state, t(`purchase:state.${state}`)])}
        />
        <ChoiceFilter
          name="provider"
          label={t('purchases.provider')}
          any={t('any')}
          options={PROVIDERS.map((provider) => [provider, t(`purchase:provider.${provider}`)])}
        />
        <PersonFilter name="userId" label={t('purchases.user')} />
      </Filters>
      <PagedTable
        label={t('section.purchases')}
        query={purchases}
        csv={{ path: '/api/admin/purchases', query }}
        keyOf={({ purchaseId }) => purchaseId}
        empty={t('purchases.none')}
        columns={[
          {
            title: t('at'),
            cell: ({ purchaseId, createdAt }) => <MomentLink href={`/admin/purchases/${purchaseId}`} at={createdAt} />,
          },
          {
            title: t('purchases.user'),
            cell: ({ person, userId }) => <PersonLink person={person} userId={userId} />,
          },
          { title: t('purchases.pack'), cell: ({ name }) => name },
          {
            title: t('tokens'),
            numeric: true,
            cell: (purchase) => tokens(purchase.tokens + purchase.bonusTokens),
          },
          { title: t('purchases.amount'), numeric: true, cell: (purchase) => money(purchase) },
          { title: t('turns.state'), cell: ({ state }) => <PurchaseStateLabel state={state} /> },
          {
            title: t('purchases.provider'),
            cell: ({ provider, livemode }) => (
              <>
                {t(`purchase:provider.${provider}`)}
                {!livemode && <span className="block text-xs text-faint">{t('purchases.notReal')}</span>}
              </>
            ),
          },
        ]}
      />
    </Page>
  );
}
