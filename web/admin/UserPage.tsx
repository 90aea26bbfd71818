import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { answer, api } from '../api/client.ts';
import type { Schemas } from '../api/schemas.ts';
import { Page } from '../shell/Page.tsx';
import { buttonClass } from '../ui/Button.tsx';
import { Loading } from '../ui/Loading.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useFigures } from '../usage/figures.ts';
import { UsageFigures } from '../usage/UsageCard.tsx';
import { AdminNav } from './AdminPages.tsx';
import { GrantForm } from './GrantForm.tsx';
import { PagedTable, Table } from './Table.tsx';
import { Suspension } from './Suspension.tsx';
import { useAddress } from './use-address.ts';

/** One person: what they have, what is held, what was booked, and what an admin may do. */
export function UserPage({ userId }: { userId: number }) {
  const { t } = useTranslation('admin');
  const [{ cursor }] = useAddress();
  const user = useQuery({
    queryKey: ['admin', 'user', userId, { cursor }],
    queryFn: () => answer(api.GET('/api/admin/users/{userId}', { params: { path: { userId }, query: { limit: 25, ...(cursor === undefined ? {} : { cursor }) } } })),
  });
  const name = user.data?.email ?? t('users.numbered', { id: userId });
  return (
    <Page title={name} wide actions={<Link href={`/admin/turns?userId=${userId}`} className={buttonClass({ size: 'small' }, 'hover:bg-hover')}>{t('users.turns')}</Link>}>
      <AdminNav />
      {user.isPending && <Loading />}
      {user.isError && <Problem error={user.error} onRetry={() => void user.refetch()} />}
      {user.isSuccess && <User user={user.data} query={user} />}
    </Page>
  );
}

function User({ user, query }: { user: Schemas['AdminUserDetail']; query: ReturnType<typeof useQuery<Schemas['AdminUserDetail']>> }) {
  const { t } = useTranslation('admin');
  const { tokens, moment } = useFigures();
  const ledger = { ...query, data: user.ledger } as Parameters<typeof PagedTable<Schemas['LedgerEntry']>>[0]['query'];
  return (
    <div className="grid gap-6">
      <section aria-label={t('users.usage')} data-testid="usage-card" data-level={user.usage.level} className="rounded-xl border border-line bg-raised p-6"><UsageFigures usage={user.usage} /></section>
      <div className="grid gap-6 md:grid-cols-2">
        <GrantForm userId={user.userId} />
        <Suspension userId={user.userId} suspendedAt={user.suspendedAt} />
      </div>
      {user.holds.length > 0 && (
        <section>
          <h2 className="mb-3 text-lg font-semibold">{t('users.holds')}</h2>
          <Table label={t('users.holds')} items={user.holds} keyOf={({ holdId }) => holdId} empty="" columns={[
            { title: t('turns.turn'), cell: ({ turnId }) => <TurnLink turnId={turnId} /> },
            { title: t('tokens'), numeric: true, cell: (hold) => tokens(hold.tokens) },
            { title: t('at'), cell: ({ createdAt }) => moment(createdAt) },
          ]} />
        </section>
      )}
      <section>
        <h2 className="mb-3 text-lg font-semibold">{t('users.ledger')}</h2>
        <PagedTable label={t('users.ledger')} query={ledger} keyOf={({ entryId }) => entryId} empty={t('users.noEntries')} columns={[
          { title: t('at'), cell: ({ createdAt }) => moment(createdAt) },
          { title: t('users.kind'), cell: ({ kind }) => t(`users.kindOf.${kind}`) },
          { title: t('tokens'), numeric: true, cell: (entry) => tokens(entry.tokens) },
          { title: t('users.period'), cell: ({ period }) => period },
          { title: t('users.why'), cell: ({ turnId, reason }) => turnId === null ? reason : <TurnLink turnId={turnId} /> },
        ]} />
      </section>
    </div>
  );
}

/** Ids are long and alike at their beginning: their end tells them apart. */
export function TurnLink({ turnId }: { turnId: string }) {
  return <Link href={`/admin/turns/${turnId}`} title={turnId} className="font-mono text-xs text-accent hover:underline">…{turnId.slice(-12)}</Link>;
}
