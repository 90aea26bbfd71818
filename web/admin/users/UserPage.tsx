import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { currentLocale } from '../../i18n/language.ts';
import { buttonClass } from '../../ui/Button.tsx';
import { Loading } from '../../ui/Loading.tsx';
import { Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { TryLevels } from '../../usage/levels/TryLevels.tsx';
import { UsageFigures } from '../../usage/UsageFigures.tsx';
import { zoneName } from '../../usage/zone-name.ts';
import { AdminNav } from '../AdminNav.tsx';
import { Facts } from '../Facts.tsx';
import { Table } from '../Table.tsx';
import { TurnLink } from '../TurnLink.tsx';
import { useAddress } from '../use-address.ts';
import { When } from '../When.tsx';
import { usePersonName } from '../Links.tsx';
import { ChangePerson } from './ChangePerson.tsx';
import { GrantForm } from './GrantForm.tsx';
import { Invite } from './Invite.tsx';
import { Ledger } from './Ledger.tsx';
import { LookAlikes } from './LookAlikes.tsx';
import { PersonKeys } from './PersonKeys.tsx';
import { Schedules } from './Schedules.tsx';
import { Suspension } from './Suspension.tsx';

/** One person: their tokens, holds and ledger, and what an admin may do. */
export function UserPage({ userId }: { userId: number }) {
  const { t } = useTranslation('admin');
  const [{ cursor }] = useAddress();
  const user = useQuery({
    queryKey: ['admin', 'user', userId, { cursor }],
    queryFn: () =>
      answer(
        api.GET('/api/admin/users/{userId}', {
          params: { path: { userId }, query: { limit: 25, ...(cursor === undefined ? {} : { cursor }) } },
        }),
      ),
    // The rest of the page stays while another page of the ledger loads.
    placeholderData: keepPreviousData,
  });
  const nameOf = usePersonName();
  const name = nameOf(user.data ?? { userId, name: null, email: null });
  return (
    <Page
      title={name}
      wide
      actions={
        <Link href={`/admin/turns?userId=${userId}`} className={buttonClass({ size: 'small' }, 'hover:bg-hover')}>
          {t('users.turns')}
        </Link>
      }
    >
      <AdminNav />
      {user.isPending && <Loading />}
      {user.isError && <Problem error={user.error} onRetry={() => void user.refetch()} />}
      {user.data !== undefined && <User user={user.data} busy={user.isFetching} />}
    </Page>
  );
}

function User({ user, busy }: { user: Schemas['AdminUserDetail']; busy: boolean }) {
  const { t } = useTranslation('admin');
  const { tokens } = useFigures();
  return (
    <div className="grid grid-cols-1 gap-8">
      <Person user={user} />
      <section
        aria-label={t('users.usage')}
        data-testid="usage-card"
        data-level={user.usage.level}
        className="rounded-xl border border-line bg-raised p-6"
      >
        <UsageFigures usage={user.usage} others />
      </section>
      <TryLevels userId={user.userId} />
      <div className="grid gap-6 md:grid-cols-2">
        <GrantForm userId={user.userId} />
        <Suspension userId={user.userId} suspendedAt={user.suspendedAt} />
        <ChangePerson key={user.userId} user={user} />
        {user.issuer === null && <Invite user={user} />}
      </div>
      <section>
        <h2 className="mb-3 text-lg font-semibold">{t('users.holds')}</h2>
        <Table
          label={t('users.holds')}
          items={user.holds}
          keyOf={({ holdId }) => holdId}
          empty={t('users.noHolds')}
          columns={[
            { title: t('turns.turn'), cell: ({ turnId }) => <TurnLink turnId={turnId} /> },
            { title: t('tokens'), numeric: true, cell: (hold) => tokens(hold.tokens) },
            { title: t('at'), cell: ({ createdAt }) => <When at={createdAt} /> },
            {
              title: t('users.expires'),
              cell: ({ expiresAt }) => (expiresAt === null ? t('users.answered') : <When at={expiresAt} />),
            },
          ]}
        />
      </section>
      <PersonKeys userId={user.userId} />
      <Schedules schedules={user.schedules} />
      <Ledger ledger={user.ledger} busy={busy} />
    </div>
  );
}

function Person({ user }: { user: Schemas['AdminUser'] }) {
  const { t } = useTranslation(['admin', 'people']);
  const { moment } = useFigures();
  const facts = [
    [
      t('users.id'),
      <span key="id">
        {user.userId}
        <LookAlikes of={user.emailLookAlikes} />
      </span>,
    ],
    [t('people:name'), user.name ?? '–'],
    [t('people:email'), user.email ?? '–'],
    [t('users.role'), t(`users.roleOf.${user.role}`)],
    [
      t('users.state'),
      user.suspendedAt === null ? (
        t('users.active')
      ) : (
        <span key="state" className="text-bad">
          {t('users.suspendedSince', { at: moment(user.suspendedAt) })}
        </span>
      ),
    ],
    [t('users.zone'), zoneName(user.timeZone, currentLocale())],
    [t('users.language'), t(`users.languageOf.${user.locale}`)],
    [t('people:lastSeen'), user.lastSeenAt === null ? t('people:never') : moment(user.lastSeenAt)],
    [t('users.since'), moment(user.createdAt)],
    ...(user.issuer === null ? [] : [[t('users.by'), `${user.subject} · ${new URL(user.issuer).host}`] as const]),
  ] as const;
  return <Facts facts={facts.map(([name, value]) => [name, name, value])} columns="sm:grid-cols-3 lg:grid-cols-6" />;
}
