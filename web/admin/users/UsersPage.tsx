import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { UserPlus } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { paths } from '../../api/schema.d.ts';
import { Button } from '../../ui/Button.tsx';
import { Page } from '../../ui/Page.tsx';
import { useFigures } from '../../usage/figures.ts';
import { LEVEL_LOOK } from '../../usage/levels/level-look.ts';
import { AdminNav } from '../AdminNav.tsx';
import { ChoiceFilter, Filters, TextFilter } from '../Fields.tsx';
import { PersonLink } from '../Links.tsx';
import { PagedTable } from '../Table.tsx';
import { useAddress } from '../use-address.ts';
import { When } from '../When.tsx';
import { AddPerson } from './AddPerson.tsx';

type Query = NonNullable<paths['/api/admin/users']['get']['parameters']['query']>;
const NAMES = ['who', 'role', 'suspended', 'sort', 'cursor'] as const;
const ORDERS = ['-number', '-usedTokens', 'usedTokens', '-lastSeen', 'lastSeen', 'email', '-email'] as const;

/** The list of people: who they are, what they may do, how much they use and when they were last here. */
export function UsersPage() {
  const { t } = useTranslation(['admin', 'people']);
  const { moment, percent, tokens } = useFigures();
  const [address] = useAddress();
  const [adding, setAdding] = useState(false);
  const query = Object.fromEntries(
    NAMES.flatMap((name) => (address[name] === undefined ? [] : [[name, address[name]]])),
  ) as Query;
  const users = useQuery({
    queryKey: ['admin', 'users', query],
    placeholderData: keepPreviousData,
    queryFn: () => answer(api.GET('/api/admin/users', { params: { query } })),
  });
  return (
    <Page
      title={t('section.users')}
      wide
      actions={
        <Button size="small" onClick={() => setAdding(true)}>
          <UserPlus aria-hidden className="size-3.5" />
          {t('people:add.open')}
        </Button>
      }
    >
      <AdminNav />
      {adding && <AddPerson onClose={() => setAdding(false)} />}
      <Filters>
        <TextFilter name="who" label={t('people:find')} placeholder={t('people:findHint')} width="w-56" />
        <ChoiceFilter
          name="role"
          label={t('users.role')}
          any={t('any')}
          options={(['user', 'admin'] as const).map((role) => [role, t(`users.roleOf.${role}`)])}
        />
        <ChoiceFilter
          name="suspended"
          label={t('users.state')}
          any={t('any')}
          options={[
            ['true', t('users.suspended')],
            ['false', t('users.active')],
          ]}
        />
        <ChoiceFilter
          name="sort"
          label={t('people:sort')}
          any={t('people:sortOf.number')}
          options={ORDERS.map((order) => [order, t(`people:sortOf.${order}`)])}
        />
      </Filters>
      <PagedTable
        label={t('section.users')}
        query={users}
        csv={{ path: '/api/admin/users', query }}
        keyOf={({ userId }) => userId}
        empty={t('users.none')}
        columns={[
          { title: t('people:person'), cell: (user) => <PersonLink person={user} userId={user.userId} /> },
          { title: t('users.role'), cell: ({ role }) => t(`users.roleOf.${role}`) },
          {
            title: t('people:level'),
            cell: ({ level, usagePercent }) => (
              <span className={`whitespace-nowrap ${LEVEL_LOOK[level].ink}`}>
                {t(`people:levelOf.${level}`)} · {percent(usagePercent)}
              </span>
            ),
          },
          { title: t('stats.used'), numeric: true, cell: ({ usedTokens }) => tokens(usedTokens) },
          {
            title: t('users.state'),
            cell: ({ suspendedAt }) =>
              suspendedAt === null ? (
                t('users.active')
              ) : (
                <span className="text-bad">{t('users.suspendedSince', { at: moment(suspendedAt) })}</span>
              ),
          },
          {
            title: t('people:lastSeen'),
            cell: ({ lastSeenAt }) => (lastSeenAt === null ? t('people:never') : <When at={lastSeenAt} />),
          },
          { title: t('users.since'), cell: ({ createdAt }) => <When at={createdAt} /> },
        ]}
      />
    </Page>
  );
}
