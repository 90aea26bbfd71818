import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Loading } from '../ui/Loading.tsx';
import { Notice } from '../ui/Notice.tsx';
import { Problem } from '../ui/Problem.tsx';
import { MailAddress } from './MailAddress.tsx';
import { preferencesQuery, useSwitch, type Preference } from './notifications.ts';

/** Where mail goes, and of what. */
export function Notifications() {
  const { t } = useTranslation('preferences');
  const preferences = useQuery(preferencesQuery);
  if (preferences.isPending) return <Loading />;
  if (preferences.isError) return <Problem error={preferences.error} onRetry={() => void preferences.refetch()} />;
  const { email, items } = preferences.data;
  return (
    <section aria-labelledby="mails" className="mt-12 grid max-w-xl grid-cols-1 gap-6">
      <h2 id="mails" className="text-lg font-semibold">
        {t('mail.title')}
      </h2>
      {email.available ? <MailAddress email={email} /> : <Notice tone="info">{t('mail.off')}</Notice>}
      <Switches items={items} />
    </section>
  );
}

function Switches({ items }: { items: readonly Preference[] }) {
  const { t } = useTranslation('preferences');
  const change = useSwitch();
  // The box shows at once what was chosen, and what is true when that could not be kept.
  const [chosen, setChosen] = useState<Preference | null>(null);
  const choose = (item: Preference) => {
    setChosen(item);
    change.mutate(item, { onSettled: () => setChosen(null) });
  };
  const always = items.filter(({ locked }) => locked).map(({ kind }) => inList(t(nameOf(kind))));
  return (
    <fieldset className="min-w-0">
      <legend className="mb-2 font-medium">{t('mail.kinds')}</legend>
      <ul className="divide-y divide-line overflow-hidden rounded-xl border border-line bg-raised">
        {items
          .filter(({ locked }) => !locked)
          .map((item) => (
            <li key={`${item.kind}/${item.channel}`}>
              <label className="flex min-h-14 items-center gap-3 px-4 py-3">
                <span className="min-w-0 flex-1">{t(nameOf(item.kind))}</span>
                <input
                  type="checkbox"
                  checked={chosen?.kind === item.kind ? chosen.enabled : item.enabled}
                  onChange={(event) => choose({ ...item, enabled: event.target.checked })}
                  className="size-5 shrink-0 accent-accent-fill"
                />
              </label>
            </li>
          ))}
      </ul>
      <p className="mt-2 text-sm text-faint">{t('mail.inApp')}</p>
      <p className="mt-1 text-sm text-faint">{t('mail.always', { kinds: always.join(', ') })}</p>
      {change.isError && <Problem error={change.error} />}
    </fieldset>
  );
}

/** A name as it stands within a sentence. */
function inList(name: string): string {
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
}

function nameOf(kind: Preference['kind']) {
  return `mail.kind.${kind}` as const;
}
