import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Send } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { paths } from '../../api/schema.d.ts';
import { Button } from '../../ui/Button.tsx';
import { Page } from '../../ui/Page.tsx';
import { ChoiceFilter, Filters } from '../Fields.tsx';
import { PersonFilter } from '../PersonFilter.tsx';
import { useAddress } from '../use-address.ts';
import { useDeliveryWords } from './delivery-words.ts';
import { DeliveryTable } from './DeliveryTable.tsx';
import { DeliveryTabs } from './DeliveryTabs.tsx';
import { ResendMany } from './ResendMany.tsx';

type Query = NonNullable<paths['/api/admin/deliveries']['get']['parameters']['query']>;
const NAMES = ['state', 'channel', 'kind', 'userId', 'cursor'] as const;
const STATES = ['pending', 'delivered', 'failed'] as const;
const CHANNELS = ['email', 'webhook', 'in_app'] as const;
const KINDS = [
  'usage.alert',
  'usage.reset',
  'usage.report',
  'purchase.deposit',
  'purchase.paid',
  'purchase.failed',
  'purchase.refunded',
  'people.invited',
  'topup.declined',
  'topup.paused',
  'topup.reminder',
  'security.address',
  'security.endpoint',
  'turn.failed',
  'endpoint.test',
] as const;
const LIVE_MS = 5_000;

/** What is on its way to whom, and what could not be delivered. */
export function DeliveriesPage() {
  const { t } = useTranslation(['deliveries', 'admin']);
  const { kindOf } = useDeliveryWords();
  const [address, setAddress] = useAddress();
  const query = Object.fromEntries(
    NAMES.flatMap((name) => (address[name] === undefined ? [] : [[name, address[name]]])),
  ) as Query;
  const deliveries = useQuery({
    queryKey: ['admin', 'deliveries', query],
    placeholderData: keepPreviousData,
    queryFn: () => answer(api.GET('/api/admin/deliveries', { params: { query } })),
    refetchInterval: ({ state: { data } }) =>
      data?.items.some(({ state }) => state === 'pending') === true ? LIVE_MS : false,
  });
  const many = address['resend'] === 'many';
  return (
    <Page
      title={t('title')}
      wide
      actions={
        <Button
          size="small"
          aria-expanded={many}
          aria-controls={many ? 'resend-many' : undefined}
          onClick={() => setAddress({ resend: many ? undefined : 'many' })}
        >
          <Send aria-hidden className="size-3.5" />
          {t('many.open')}
        </Button>
      }
    >
      <DeliveryTabs />
      <Filters>
        <ChoiceFilter
          name="state"
          label={t('stateTitle')}
          any={t('admin:any')}
          options={STATES.map((state) => [state, t(`state.${state}`)])}
        />
        <ChoiceFilter
          name="channel"
          label={t('channelTitle')}
          any={t('admin:any')}
          options={CHANNELS.map((channel) => [channel, t(`channel.${channel}`)])}
        />
        <ChoiceFilter
          name="kind"
          label={t('kindTitle')}
          any={t('admin:any')}
          options={KINDS.map((kind) => [kind, kindOf(kind)])}
        />
        <PersonFilter name="userId" label={t('person')} />
      </Filters>
      {many && <ResendMany address={address} />}
      <DeliveryTable query={deliveries} />
    </Page>
  );
}
