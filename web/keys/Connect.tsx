import { useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CopyButton } from '../ui/CopyButton.tsx';
import { FIELD } from '../ui/field-look.ts';
import { Problem } from '../ui/Problem.tsx';
import { Field } from './Field.tsx';
import { modelsQuery } from './queries.ts';
import { CLIENT_NAMES, CLIENTS, snippetFor, type Client } from './snippets.ts';

/**
 * The lines that connect a program, filled in with this service's address.
 * @param secret a secret that was just told; null: a sign for one stands in its place.
 * @param only the models of the key; null: all on offer.
 */
export function Connect({
  secret = null,
  only = null,
  level = 2,
}: {
  secret?: string | null;
  only?: readonly string[] | null;
  level?: 2 | 3;
}) {
  const { t } = useTranslation('keys');
  const Heading = `h${level}` as const;
  const heading = useId();
  const models = useQuery({ ...modelsQuery, enabled: only === null });
  const names = only ?? models.data?.items.map(({ name }) => name) ?? [];
  const [client, setClient] = useState<Client>('curl');
  const [chosen, setChosen] = useState<string | null>(null);
  const model = chosen !== null && names.includes(chosen) ? chosen : (names[0] ?? '');
  const baseUrl = `${location.origin}/v1`;
  const { title, code } = snippetFor(client, { baseUrl, model, secret: secret ?? 'tk_…' });
  return (
    <section aria-labelledby={heading} className="grid min-w-0 gap-3">
      <Heading id={heading} className="font-semibold">
        {t('connect.title')}
      </Heading>
      <dl className="flex flex-wrap items-center gap-x-3 text-sm">
        <dt className="text-faint">{t('connect.baseUrl')}</dt>
        <dd className="flex min-w-0 items-center gap-1">
          <span className="min-w-0 font-mono break-all" translate="no">
            {baseUrl}
          </span>
          <CopyButton text={baseUrl} label={t('connect.copyBaseUrl')} />
        </dd>
      </dl>
      {models.isError && <Problem error={models.error} onRetry={() => void models.refetch()} />}
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label={t('connect.client')}>
          {(described) => (
            <select
              {...described}
              value={client}
              onChange={(event) => setClient(event.target.value as Client)}
              className={FIELD}
            >
              {CLIENTS.map((name) => (
                <option key={name} value={name}>
                  {CLIENT_NAMES[name]}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={t('connect.model')}>
          {(described) => (
            <select {...described} value={model} onChange={(event) => setChosen(event.target.value)} className={FIELD}>
              {names.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <figure className="min-w-0 overflow-hidden rounded-xl border border-line bg-panel" dir="ltr" translate="no">
        <figcaption className="flex items-center justify-between border-b border-line py-1 pr-1.5 pl-4 text-xs text-faint">
          <span>{title}</span>
          <CopyButton text={code} label={t('connect.copy', { client: CLIENT_NAMES[client] })} />
        </figcaption>
        <pre tabIndex={0} aria-label={CLIENT_NAMES[client]} className="overflow-x-auto p-4 font-mono text-xs/5">
          <code>{code}</code>
        </pre>
      </figure>
      {client === 'open-webui' && <p className="text-sm text-soft">{t('connect.openWebui')}</p>}
    </section>
  );
}
