import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Loading } from '../ui/Loading.tsx';
import { Notice } from '../ui/Notice.tsx';
import { Problem } from '../ui/Problem.tsx';
import { MailAddress } from './MailAddress.tsx';
import { preferencesQuery, useSwitch, type Preference } from './notifications.ts';

/** Where mail goes, and of what. */
export function Notifications() {
  const { t } = useTranslation();
  const preferences = useQuery(preferencesQuery);
  if (preferences.isPending) return <Loading />;
  if (preferences.isError) return <Problem error={preferences.error} onRetry={() => void preferences.refetch()} />;
  const { email, items } = preferences.data;
  return (
    <section aria-labelledby="mails" className="mt-12 grid max-w-xl gap-6">
      <h2 id="mails" className="text-lg font-semibold">
        {t('mail.title')}
      </h2>
      {email.available ? <MailAddress email={email} /> : <Notice tone="info">{t('mail.off')}</Notice>}
      <Switches items={items} />
    </section>
  );
}

function Switches({ items }: { items: readonly Preference[] }) {
  const { t } = useTranslation();
  const change = useSwitch();
  return (
    <fieldset>
      <legend className="mb-2 font-medium">{t('mail.kinds')}</legend>
      <ul className="divide-y divide-line overflow-hidden rounded-xl border border-line bg-raised">
        {items.map((item) => (
          <li key={`${item.kind}/${item.channel}`}>
            <label className="flex min-h-14 items-center gap-3 px-4 py-3">
              <span className="min-w-0 flex-1">
                {t(`mail.kind.${item.kind.replace('.', '-')}` as 'mail.kind.usage-alert')}
                {item.locked && <span className="block text-sm text-faint">{t('mail.locked')}</span>}
              </span>
              <input
                type="checkbox"
                checked={
                  change.isPending && change.variables.kind === item.kind ? change.variables.enabled : item.enabled
                }
                disabled={item.locked || change.isPending}
                onChange={(event) => change.mutate({ ...item, enabled: event.target.checked })}
                className="size-5 shrink-0 accent-accent-fill disabled:opacity-60"
              />
            </label>
          </li>
        ))}
      </ul>
      <p className="mt-2 text-sm text-faint">{t('mail.inApp')}</p>
      {change.isError && <Problem error={change.error} />}
    </fieldset>
  );
}
