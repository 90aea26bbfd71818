import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMe } from '../session/me.ts';
import { CopyButton } from '../ui/CopyButton.tsx';
import { Loading } from '../ui/Loading.tsx';
import { Notice } from '../ui/Notice.tsx';
import { Problem } from '../ui/Problem.tsx';
import { EndpointForm } from './EndpointForm.tsx';
import { EndpointRow } from './EndpointRow.tsx';
import { endpointsQuery, useEndpoints } from './webhooks.ts';

/** Servers of the person's that are told of events. Their secrets are shown once, when they are new. */
export function Webhooks() {
  const { t } = useTranslation('preferences');
  const me = useMe();
  const endpoints = useQuery(endpointsQuery);
  const { create } = useEndpoints();
  const [secret, setSecret] = useState<string | null>(null);
  return (
    <section aria-labelledby="webhooks" className="mt-12 grid max-w-xl grid-cols-1 gap-4">
      <div>
        <h2 id="webhooks" className="text-lg font-semibold">
          {t('hooks.title')}
        </h2>
        <p className="mt-1 text-sm text-faint">{t('hooks.lead')}</p>
      </div>
      {secret !== null && (
        <Notice tone="info">
          <p>{t('hooks.secret')}</p>
          <p className="mt-2 flex items-center gap-2">
            <code className="min-w-0 flex-1 break-all">{secret}</code>
            <CopyButton text={secret} label={t('hooks.copy')} />
          </p>
        </Notice>
      )}
      {endpoints.isPending && <Loading />}
      {endpoints.isError && <Problem error={endpoints.error} onRetry={() => void endpoints.refetch()} />}
      {endpoints.data !== undefined && endpoints.data.length > 0 && (
        <ul className="grid grid-cols-1 gap-3">
          {endpoints.data.map((endpoint) => (
            <EndpointRow key={endpoint.endpointId} endpoint={endpoint} onSecret={setSecret} />
          ))}
        </ul>
      )}
      <EndpointForm
        mayOperate={me.role === 'admin'}
        busy={create.isPending}
        onSubmit={(made, done) =>
          create.mutate(made, {
            onSuccess: (endpoint) => {
              setSecret(endpoint.secret ?? null);
              done();
            },
          })
        }
      />
      {create.isError && <Problem error={create.error} />}
    </section>
  );
}
