import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Schemas } from '../../api/schemas.ts';
import { Table } from '../Table.tsx';
import { LookAlikes } from '../users/LookAlikes.tsx';
import { useHomeFigures } from './use-home-figures.ts';

/** Who used most in the range, at what cost, and by which models. */
export function TopPeople({ people }: { people: Schemas['UsagePeople'] }) {
  const { t } = useTranslation('admin-home');
  const { tokens, cost } = useHomeFigures();
  return (
    <Table
      label={t('top')}
      items={people.top}
      keyOf={({ userId }) => userId}
      empty={t('empty')}
      columns={[
        {
          title: t('person'),
          cell: ({ userId, email, emailLookAlikes }) => (
            <>
              <Link href={`/admin/users/${userId}`} className="font-medium break-all text-accent hover:underline">
                {email ?? t('numbered', { id: userId })}
              </Link>
              <LookAlikes of={emailLookAlikes} />
            </>
          ),
        },
        { title: t('figure.cost'), numeric: true, cell: (person) => cost(person.cost) },
        { title: t('figure.usedTokens'), numeric: true, cell: ({ usedTokens }) => tokens(usedTokens) },
        { title: t('figure.turns'), numeric: true, cell: ({ turns }) => tokens(turns) },
        {
          title: t('models'),
          cell: ({ models, usedTokens }) => (
            <span className="text-faint">
              {models.map((model) => `${model.model} ${Math.round((model.usedTokens / usedTokens) * 100)}%`).join(', ')}
            </span>
          ),
        },
      ]}
    />
  );
}
