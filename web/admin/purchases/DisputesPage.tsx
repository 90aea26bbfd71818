import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { PurchaseStateLabel } from '../../purchase/PurchaseState.tsx';
import { useMoney } from '../../purchase/use-money.ts';
import { Page } from '../../ui/Page.tsx';
import { ChoiceFilter, Filters } from '../Fields.tsx';
import { MomentLink, PersonLink } from '../Links.tsx';
import { PagedTable } from '../Table.tsx';
import { useAddress } from '../use-address.ts';
import { PurchaseTabs } from './PurchaseTabs.tsx';

/** Purchases whose payment a bank disputes, or disputed. */
export function DisputesPage() {
  const { t } = useTranslation(['admin', 'purchase']);
  const money = useMoney();
  const [{ open, cursor }] = useAddress();
  const disputes = useQuery({
    queryKey: ['admin', 'disputes', open, cursor],
    placeholderData: keepPreviousData,
    queryFn: () =>
      answer(
        api.GET('/api/admin/disputes', {
          params: {
            query: {
              ...(open === undefined ? {} : { open: open === 'true' ? 'true' : 'false' }),
              ...(cursor === undefined ? {} : { cursor }),
            },
          },
        }),
      ),
  });
  return (
    <Page title={t('sales.tab.disputes')} wide>
      <PurchaseTabs />
      <Filters>
        <ChoiceFilter
          name="open"
          label={t('turns.state')}
          any={t('any')}
          options={(['true', 'false'] as const).map((is) => [is, t(`sales.open.${is}`)])}
        />
      </Filters>
      <PagedTable
        label={t('sales.tab.disputes')}
        query={disputes}
        keyOf={({ purchaseId }) => purchaseId}
        empty={t('sales.noDisputes')}
        columns={[
          {
            title: t('sales.disputedAt'),
            cell: ({ purchaseId, disputedAt }) => (
              <MomentLink href={`/admin/purchases/${purchaseId}`} at={disputedAt} />
            ),
          },
          {
            title: t('purchases.user'),
            cell: ({ person, userId }) => <PersonLink person={person} userId={userId} />,
          },
          { title: t('purchases.amount'), numeric: true, cell: (purchase) => money(purchase) },
          {
            title: t('purchases.withdrawn'),
            numeric: true,
            cell: ({ withdrawnAmount, currency }) => money({ amount: withdrawnAmount, currency }),
          },
          { title: t('sales.dispute'), cell: ({ isOpen }) => t(`sales.open.${isOpen}`) },
          { title: t('turns.state'), cell: ({ state }) => <PurchaseStateLabel state={state} /> },
          { title: t('purchases.provider'), cell: ({ provider }) => t(`purchase:provider.${provider}`) },
        ]}
      />
    </Page>
  );
}
