import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { Page } from '../../ui/Page.tsx';
import { useFigures } from '../../usage/figures.ts';
import { AdminNav } from '../AdminNav.tsx';
import { ChoiceFilter, Filters, TextFilter } from '../Fields.tsx';
import { PagedTable } from '../Table.tsx';
import { useAddress } from '../use-address.ts';
import { When } from '../When.tsx';
import { LookAlikes } from './LookAlikes.tsx';

/** The list of people, searched by e-mail or number. */
export function UsersPage() {
  const { t } = useTranslation('admin');
  const { moment } = useFigures();
  const [{ who, suspended, cursor }] = useAddress();
  const query = {
    limit: 50,
    ...(who === undefined ? {} : /^[1-9]\d{0,14}$/.test(who) ? { userId: Number(who) } : { email: who }),
    ...(suspended === 'true' || suspended === 'false' ? ({ suspended } as const) : {}),
    ...(cursor === undefined ? {} : { cursor }),
  };
  const users = useQuery({
    queryKey: ['admin', 'users', query],
    placeholderData: keepPreviousData,
    queryFn: () => answer(api.GET('/api/admin/users', { params: { query } })),
  });
  return (
    <Page title={t('section.users')} wide>
      <AdminNav />
      <Filters>
        <TextFilter name="who" label={t('users.find')} placeholder={t('users.findHint')} />
        <ChoiceFilter
          name="suspended"
          label={t('users.state')}
          any={t('any')}
          options={[
            ['true', t('users.suspended')],
            ['false', t('users.active')],
          ]}
        />
      </Filters>
      <PagedTable
        label={t('section.users')}
        query={users}
        csv={{ path: '/api/admin/users', query }}
        keyOf={({ userId }) => userId}
        empty={t('users.none')}
        columns={[
          { title: t('users.id'), numeric: true, cell: ({ userId }) => userId },
          {
            title: t('users.email'),
            cell: ({ userId, email, emailLookAlikes }) => (
              <>
                <Link href={`/admin/users/${userId}`} className="font-medium text-accent hover:underline">
                  {email ?? t('users.numbered', { id: userId })}
                </Link>
                <LookAlikes of={emailLookAlikes} />
              </>
            ),
          },
          { title: t('users.role'), cell: ({ role }) => t(`users.roleOf.${role}`) },
          {
            title: t('users.state'),
            cell: ({ suspendedAt }) =>
              suspendedAt === null ? (
                t('users.active')
              ) : (
                <span className="text-bad">{t('users.suspendedSince', { at: moment(suspendedAt) })}</span>
              ),
          },
          { title: t('users.since'), cell: ({ createdAt }) => <When at={createdAt} /> },
        ]}
      />
    </Page>
  );
}
