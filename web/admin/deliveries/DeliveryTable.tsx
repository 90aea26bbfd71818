import type { UseQueryResult } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { StateLabel, type Tone } from '../../ui/StateLabel.tsx';
import { useFigures } from '../../usage/figures.ts';
import { PersonLink } from '../Links.tsx';
import { PagedTable } from '../Table.tsx';
import { When } from '../When.tsx';
import { useDeliveryWords, type Delivery } from './delivery-words.ts';
import { ResendOne } from './ResendOne.tsx';

const TONE = { pending: 'busy', delivered: 'good', failed: 'bad' } as const satisfies Record<Delivery['state'], Tone>;

/** A page of deliveries, each of which may be sent once more. */
export function DeliveryTable({ query }: { query: UseQueryResult<{ items: Delivery[]; nextCursor: string | null }> }) {
  const { t } = useTranslation('deliveries');
  const { tokens } = useFigures();
  const { kindOf } = useDeliveryWords();
  return (
    <PagedTable
      label={t('title')}
      query={query}
      keyOf={({ deliveryId }) => deliveryId}
      empty={t('none')}
      columns={[
        { title: t('kindTitle'), cell: ({ kind }) => <span title={kind}>{kindOf(kind)}</span> },
        {
          title: t('channelTitle'),
          cell: ({ channel, to }) => (
            <>
              {t(`channel.${channel}`)}
              {to !== '' && <span className="block text-xs break-all text-faint">{to}</span>}
            </>
          ),
        },
        { title: t('person'), cell: ({ person, userId }) => <PersonLink person={person} userId={userId} /> },
        { title: t('stateTitle'), cell: (delivery) => <State delivery={delivery} /> },
        { title: t('attempts'), numeric: true, cell: ({ attempts }) => tokens(attempts) },
        { title: t('asked'), cell: ({ queuedAt }) => <When at={queuedAt} /> },
        {
          title: t('resend'),
          cell: (delivery) => (delivery.channel === 'in_app' ? null : <ResendOne delivery={delivery} />),
        },
      ]}
    />
  );
}

function State({ delivery: { state, error, answer, dueAt, attempts } }: { delivery: Delivery }) {
  const { t } = useTranslation('deliveries');
  const { moment } = useFigures();
  const { errorOf } = useDeliveryWords();
  const why = [
    ...(error === null ? [] : [errorOf(error)]),
    ...(answer === null || answer === '' ? [] : [t('answered', { answer })]),
    ...(dueAt === null || attempts === 0 ? [] : [t('nextAt', { at: moment(dueAt) })]),
  ];
  return (
    <>
      <StateLabel tone={TONE[state]}>{t(`state.${state}`)}</StateLabel>
      {why.length > 0 && <span className="mt-0.5 block text-xs text-faint">{why.join(' · ')}</span>}
    </>
  );
}
