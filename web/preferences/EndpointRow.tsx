import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../ui/Button.tsx';
import { ConfirmDialog } from '../ui/dialog/ConfirmDialog.tsx';
import { Loading } from '../ui/Loading.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useFigures } from '../usage/figures.ts';
import { deliveriesQuery, useEndpoints, useSend, type Endpoint } from './webhooks.ts';

/** One endpoint: what it hears, whether it takes it, and what was sent to it. */
export function EndpointRow({ endpoint, onSecret }: { endpoint: Endpoint; onSecret: (secret: string | null) => void }) {
  const { t } = useTranslation('preferences');
  const { change, remove } = useEndpoints();
  const send = useSend(endpoint.endpointId);
  const [open, setOpen] = useState(false);
  const [asked, setAsked] = useState(false);
  const { endpointId, state, failingSince } = endpoint;
  const enabled = state === 'enabled';
  return (
    <li className="rounded-xl border border-line bg-raised px-4 py-3">
      <p className="font-medium break-all">{endpoint.url}</p>
      <p className="mt-1 text-sm text-faint">
        {endpoint.scope === 'operator' && `${t('hooks.all')} · `}
        {endpoint.events.join(', ')}
      </p>
      <p className={`mt-1 text-sm ${enabled && failingSince === null ? 'text-good' : 'text-warn'}`}>
        {enabled ? t(failingSince === null ? 'hooks.enabled' : 'hooks.failing') : t('hooks.disabled')}
      </p>
      <div className="mt-3 flex flex-wrap gap-2">
        <Button
          size="small"
          disabled={!enabled || send.isPending}
          onClick={() => send.mutate(null, { onSuccess: () => setOpen(true) })}
        >
          {t('hooks.test')}
        </Button>
        <Button size="small" aria-expanded={open} onClick={() => setOpen(!open)}>
          {t('hooks.deliveries')}
        </Button>
        <Button
          size="small"
          disabled={change.isPending}
          onClick={() => change.mutate({ endpointId, state: enabled ? 'disabled' : 'enabled' })}
        >
          {t(enabled ? 'hooks.disable' : 'hooks.enable')}
        </Button>
        <Button
          size="small"
          disabled={change.isPending}
          onClick={() =>
            change.mutate({ endpointId, rotateSecret: true }, { onSuccess: ({ secret }) => onSecret(secret ?? null) })
          }
        >
          {t('hooks.rotate')}
        </Button>
        <ConfirmDialog
          open={asked}
          onOpenChange={setAsked}
          trigger={<Button size="small">{t('hooks.delete')}</Button>}
          title={t('hooks.deleteAsk')}
          lead={
            <>
              <p className="break-all">{endpoint.url}</p>
              <p>{t('hooks.deleteLead')}</p>
            </>
          }
          keep={t('hooks.keep')}
          act={t('hooks.delete')}
          doing={remove}
          toOpener={(event) => {
            if (!remove.isPending && !remove.isSuccess) return;
            // Its button is gone with it.
            event.preventDefault();
            document.getElementById('hook-url')?.focus();
          }}
          onConfirm={() => remove.mutate(endpointId)}
        />
      </div>
      {open && <Deliveries endpointId={endpointId} onResend={(deliveryId) => send.mutate(deliveryId)} />}
      {[send, change].map(({ error }, i) => error !== null && <Problem key={i} error={error} />)}
    </li>
  );
}

function Deliveries({ endpointId, onResend }: { endpointId: string; onResend: (deliveryId: string) => void }) {
  const { t } = useTranslation('preferences');
  const { moment } = useFigures();
  const deliveries = useQuery(deliveriesQuery(endpointId));
  if (deliveries.isPending) return <Loading />;
  if (deliveries.isError) return <Problem error={deliveries.error} onRetry={() => void deliveries.refetch()} />;
  if (deliveries.data.length === 0) return <p className="mt-3 text-sm text-faint">{t('hooks.none')}</p>;
  return (
    <ul className="mt-3 divide-y divide-line text-sm">
      {deliveries.data.map(({ deliveryId, type, state, answer, attempts, createdAt }) => (
        <li key={deliveryId} className="flex flex-wrap items-center gap-x-3 gap-y-1 py-2">
          <span className="min-w-0 flex-1">
            <code>{type}</code> · {moment(createdAt)}
            <span className="block text-faint">
              {t(`hooks.state.${state}`)}
              {answer !== null && ` · ${answer}`} · {t('hooks.attempts', { count: attempts })}
            </span>
          </span>
          <Button size="small" onClick={() => onResend(deliveryId)}>
            {t('hooks.resend')}
          </Button>
        </li>
      ))}
    </ul>
  );
}
