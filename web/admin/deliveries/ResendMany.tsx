import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { useFigures } from '../../usage/figures.ts';
import { PlanThenStart } from '../many/PlanThenStart.tsx';
import type { Address } from '../use-address.ts';

const MOST = 10_000;

/** Sends the failed deliveries of the filter once more. */
export function ResendMany({ address }: { address: Address }) {
  const { t } = useTranslation('deliveries');
  const { tokens: written } = useFigures();
  const body = { filter: filterOf(address), limit: MOST };
  return (
    <PlanThenStart
      id="resend-many"
      words={{
        title: t('many.title'),
        lead: t('many.lead'),
        reasonHint: t('reasonHint'),
        rate: t('many.rate'),
        plan: t('many.plan'),
        start: (count) => t('many.start', { n: written(count) }),
      }}
      asked={body}
      plan={async (wanted) =>
        (await answer(
          api.POST('/api/admin/deliveries/resend', { body: { ...body, ...wanted, dryRun: true } }),
        )) as Schemas['ResendPlan']
      }
      start={async (wanted, { confirm, key }) => {
        const started = await answer(
          api.POST('/api/admin/deliveries/resend', {
            params: { header: { 'Idempotency-Key': key } },
            body: { ...body, ...wanted, dryRun: false, confirm },
          }),
        );
        return 'resendId' in started ? { id: started.resendId } : { plan: started };
      }}
      pathOf={(id) => `/admin/deliveries/resends/${id}`}
      idIn="resendId"
    >
      {({ plan: { count, matched } }) => (
        <p className="text-sm font-medium">
          {count === 0 ? t('many.nothing') : t('many.planned', { n: written(count), all: written(matched) })}
        </p>
      )}
    </PlanThenStart>
  );
}

/** What the address says, but its state: only failed ones are sent once more, and nothing is sent in the app. */
function filterOf({ channel, kind, userId }: Address): Schemas['DeliveryFilter'] {
  return {
    ...(channel === 'email' || channel === 'webhook' ? { channel } : {}),
    ...(kind === undefined ? {} : { kind }),
    ...(userId === undefined ? {} : { userId: Number(userId) }),
  };
}
