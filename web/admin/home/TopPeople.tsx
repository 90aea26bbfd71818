import { useTranslation } from 'react-i18next';
import type { Schemas } from '../../api/schemas.ts';
import { PersonLink } from '../Links.tsx';
import { Table } from '../Table.tsx';
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
          cell: (person) => <PersonLink person={person} userId={person.userId} />,
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
