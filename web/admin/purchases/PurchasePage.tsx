import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { RotateCw } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { PurchaseStateLabel } from '../../purchase/PurchaseState.tsx';
import { useMoney } from '../../purchase/use-money.ts';
import { Button } from '../../ui/Button.tsx';
import { Loading } from '../../ui/Loading.tsx';
import { Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { AdminNav } from '../AdminNav.tsx';
import { Facts } from '../Facts.tsx';
import { PersonLink } from '../Links.tsx';
import { Table } from '../Table.tsx';
import { When } from '../When.tsx';
import { AcceptForm } from './AcceptForm.tsx';
import { RefundForm } from './RefundForm.tsx';

type Detail = Schemas['AdminPurchaseDetail'];

/** One purchase: what was seen of its payment, what was booked, and what an admin may do. */
export function PurchasePage({ purchaseId }: { purchaseId: string }) {
  const { t } = useTranslation('admin');
  const queries = useQueryClient();
  const path = { purchaseId };
  const purchase = useQuery({
    queryKey: ['admin', 'purchases', purchaseId],
    queryFn: () => answer(api.GET('/api/admin/purchases/{purchaseId}', { params: { path } })),
    refetchInterval: ({ state: { data } }) =>
      data?.refunds.some(({ state }) => state === 'requested') === true ? 2_000 : false,
  });
  const look = useMutation({
    mutationFn: () => answer(api.POST('/api/admin/purchases/{purchaseId}/look', { params: { path } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['admin'] }),
  });
  return (
    <Page
      title={t('purchases.one')}
      wide
      actions={
        <Button size="small" disabled={look.isPending} onClick={() => look.mutate()}>
          <RotateCw aria-hidden className="size-3.5" />
          {t('purchases.look')}
        </Button>
      }
    >
      <AdminNav />
      {look.isError && <Problem error={look.error} />}
      {purchase.isPending && <Loading />}
      {purchase.isError && <Problem error={purchase.error} onRetry={() => void purchase.refetch()} />}
      {purchase.data !== undefined && <Purchase purchase={purchase.data} />}
    </Page>
  );
}

function Purchase({ purchase }: { purchase: Detail }) {
  const { t } = useTranslation(['admin', 'purchase']);
  const { moment, tokens } = useFigures();
  const money = useMoney();
  const { currency, userId, provider, livemode, lookedAt, keptAmount } = purchase;
  const inMoney = (amount: number) => money({ amount, currency });
  const facts = [
    [t('turns.state'), <PurchaseStateLabel key="state" state={purchase.state} />],
    [t('purchases.user'), <PersonLink key="user" person={purchase.person} userId={userId} />],
    [t('purchases.pack'), purchase.name],
    [t('tokens'), tokens(purchase.tokens + purchase.bonusTokens)],
    [t('purchases.amount'), money(purchase)],
    ...(purchase.acceptedAmount === null
      ? []
      : ([[t('purchases.accepted'), inMoney(purchase.acceptedAmount)]] as const)),
    [t('purchases.kept'), inMoney(keptAmount)],
    [t('purchases.provider'), `${t(`purchase:provider.${provider}`)}${livemode ? '' : ` · ${t('purchases.notReal')}`}`],
    [t('purchases.lookedAt'), lookedAt === null ? '–' : moment(lookedAt)],
  ] as const;
  return (
    <div className="grid grid-cols-1 gap-8">
      <Facts facts={facts.map(([name, value]) => [name, name, value])} />
      {purchase.acceptableAmount !== null && <AcceptForm purchase={purchase} paid={purchase.acceptableAmount} />}
      <section>
        <h2 className="mb-3 text-lg font-semibold">{t('purchases.snapshots')}</h2>
        <Table
          label={t('purchases.snapshots')}
          items={purchase.snapshots}
          keyOf={({ seq }) => seq}
          empty={t('purchases.noSnapshots')}
          columns={[
            { title: t('at'), cell: ({ seenAt }) => <When at={seenAt} /> },
            { title: t('turns.state'), cell: ({ state }) => <PurchaseStateLabel state={state} /> },
            { title: t('purchases.paid'), numeric: true, cell: ({ paid }) => inMoney(paid) },
            { title: t('purchases.refunded'), numeric: true, cell: ({ refunded }) => inMoney(refunded) },
            { title: t('purchases.withdrawn'), numeric: true, cell: ({ withdrawn }) => inMoney(withdrawn) },
            { title: t('purchases.source'), cell: ({ source }) => t(`purchases.sourceOf.${source}`) },
          ]}
        />
      </section>
      <section>
        <h2 className="mb-3 text-lg font-semibold">{t('purchases.bookings')}</h2>
        <Table
          label={t('purchases.bookings')}
          items={purchase.bookings}
          keyOf={({ entryId }) => entryId}
          empty={t('purchases.noBookings')}
          columns={[
            { title: t('at'), cell: ({ createdAt }) => <When at={createdAt} /> },
            { title: t('tokens'), numeric: true, cell: (entry) => tokens(entry.tokens) },
            { title: t('purchases.entry'), numeric: true, cell: ({ entryId }) => entryId },
          ]}
        />
      </section>
      <section className="grid grid-cols-1 gap-3">
        <h2 className="text-lg font-semibold">{t('purchases.refunds')}</h2>
        <Table
          label={t('purchases.refunds')}
          items={purchase.refunds}
          keyOf={({ refundId }) => refundId}
          empty={t('purchases.noRefunds')}
          columns={[
            { title: t('at'), cell: ({ createdAt }) => <When at={createdAt} /> },
            { title: t('purchases.amount'), numeric: true, cell: ({ amount }) => inMoney(amount) },
            { title: t('turns.state'), cell: ({ state }) => t(`purchase:refund.stateOf.${state}`) },
            {
              title: t('purchases.requestedBy'),
              cell: ({ requester, requestedBy }) => <PersonLink person={requester} userId={requestedBy} />,
            },
            { title: t('reason'), cell: ({ reason }) => reason },
          ]}
        />
        {keptAmount > 0 && <RefundForm key={keptAmount} purchase={purchase} />}
      </section>
      <section>
        <h2 className="mb-3 text-lg font-semibold">{t('purchases.hints')}</h2>
        <Table
          label={t('purchases.hints')}
          items={purchase.hints}
          keyOf={({ type, receivedAt }) => `${type} ${receivedAt}`}
          empty={t('purchases.noHints')}
          columns={[
            { title: t('at'), cell: ({ receivedAt }) => <When at={receivedAt} /> },
            { title: t('purchases.hint'), cell: ({ type }) => <span className="font-mono text-xs">{type}</span> },
            { title: t('purchases.times'), numeric: true, cell: ({ times }) => times },
          ]}
        />
      </section>
    </div>
  );
}
