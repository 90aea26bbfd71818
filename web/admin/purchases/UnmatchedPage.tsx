import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { useMoney } from '../../purchase/use-money.ts';
import { Page } from '../../ui/Page.tsx';
import { PagedTable } from '../Table.tsx';
import { useAddress } from '../use-address.ts';
import { When } from '../When.tsx';
import { PurchaseTabs } from './PurchaseTabs.tsx';

/** Money that a provider took and that is no purchase's. */
export function UnmatchedPage() {
  const { t } = useTranslation(['admin', 'purchase']);
  const money = useMoney();
  const [{ cursor }] = useAddress();
  const payments = useQuery({
    queryKey: ['admin', 'unmatched', cursor],
    placeholderData: keepPreviousData,
    queryFn: () =>
      answer(api.GET('/api/admin/payments/unmatched', { params: { query: cursor === undefined ? {} : { cursor } } })),
  });
  return (
    <Page title={t('sales.tab.unmatched')} wide>
      <PurchaseTabs />
      <p className="mb-4 text-sm text-soft">{t('sales.unmatchedLead')}</p>
      <PagedTable
        label={t('sales.tab.unmatched')}
        query={payments}
        keyOf={({ provider, paymentId }) => `${provider} ${paymentId}`}
        empty={t('sales.noUnmatched')}
        columns={[
          { title: t('at'), cell: ({ takenAt }) => <When at={takenAt} /> },
          {
            title: t('purchases.provider'),
            cell: ({ provider, livemode }) => (
              <>
                {t(`purchase:provider.${provider}`)}
                {!livemode && <span className="block text-xs text-faint">{t('purchases.notReal')}</span>}
              </>
            ),
          },
          {
            title: t('purchases.amount'),
            numeric: true,
            cell: (payment) => money(payment),
          },
          {
            title: t('sales.payment'),
            cell: ({ paymentId }) => <span className="font-mono text-xs break-all">{paymentId}</span>,
          },
          {
            title: t('sales.order'),
            cell: ({ orderId }) => <Order orderId={orderId} />,
          },
          { title: t('sales.foundAt'), cell: ({ foundAt }) => <When at={foundAt} /> },
        ]}
      />
    </Page>
  );
}

/** What a provider says it is of. One that looks like a purchase of ours leads to it. */
function Order({ orderId }: { orderId: string | null }) {
  if (orderId === null) return '–';
  const look = 'font-mono text-xs break-all';
  return /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(orderId) ? (
    <Link href={`/admin/purchases/${orderId}`} className={`${look} text-accent hover:underline`}>
      {orderId}
    </Link>
  ) : (
    <span className={look}>{orderId}</span>
  );
}
