import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { useMe, useUpdateMe } from '../session/me.ts';
import { Page } from '../ui/Page.tsx';
import { Button } from '../ui/Button.tsx';
import { Problem } from '../ui/Problem.tsx';
import { Notifications } from './Notifications.tsx';
import { OwnInstructions } from './OwnInstructions.tsx';
import { Webhooks } from './Webhooks.tsx';
import { ZoneSelect } from './ZoneSelect.tsx';

/** Language and time zone, by which the person reads and their month begins, and what else they choose. */
export function PreferencesPage() {
  const { t } = useTranslation(['preferences', 'common']);
  const me = useMe();
  const update = useUpdateMe();
  const [timeZone, setTimeZone] = useState(me.timeZone);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (timeZone !== me.timeZone) update.mutate({ timeZone });
  };
  return (
    <Page title={t('common:preferences')}>
      <form onSubmit={submit} className="grid max-w-xl grid-cols-1 gap-7">
        <fieldset>
          <legend className="mb-2 font-medium">{t('prefs.language')}</legend>
          <div className="flex gap-2">
            {(['ko', 'en'] as const).map((locale) => (
              <label
                key={locale}
                lang={locale}
                className="flex flex-1 items-center gap-2.5 rounded-xl border border-line bg-raised px-4 py-3 has-checked:border-accent has-checked:bg-accent-tint"
              >
                <input
                  type="radio"
                  name="locale"
                  value={locale}
                  checked={me.locale === locale}
                  onChange={() => update.mutate({ locale })}
                  className="accent-accent-fill"
                />
                {locale === 'ko' ? '한국어' : 'English'}
              </label>
            ))}
          </div>
        </fieldset>
        <div>
          <label htmlFor="time-zone" className="mb-2 block font-medium">
            {t('prefs.timeZone')}
          </label>
          <div className="flex flex-wrap gap-2">
            <ZoneSelect
              id="time-zone"
              current={me.timeZone}
              value={timeZone}
              onChange={(event) => setTimeZone(event.target.value)}
              aria-describedby="time-zone-hint"
              className="h-10 min-w-56 flex-1 rounded-lg border border-line bg-raised px-3"
            />
            <Button type="submit" look="primary" disabled={timeZone === me.timeZone || update.isPending}>
              {t('prefs.save')}
            </Button>
          </div>
          <p id="time-zone-hint" className="mt-2 text-sm text-faint">
            {t('prefs.timeZoneHint')}
          </p>
        </div>
        <div role="status" className="empty:-mt-7">
          {update.isSuccess && <p className="text-sm text-good">{t('prefs.saved')}</p>}
        </div>
        {update.isError && <Problem error={update.error} />}
      </form>
      <OwnInstructions />
      <Notifications />
      <Webhooks />
    </Page>
  );
}
