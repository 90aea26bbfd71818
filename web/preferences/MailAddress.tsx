import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../ui/Button.tsx';
import { Notice } from '../ui/Notice.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useChangeAddress, type Preferences } from './notifications.ts';

/** Where mail goes, and the form that changes it. A new address counts once its mailboxes have confirmed it. */
export function MailAddress({ email }: { email: Preferences['email'] }) {
  const { t } = useTranslation('preferences');
  const change = useChangeAddress();
  const [wanted, setWanted] = useState('');
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    change.mutate(wanted, { onSuccess: () => setWanted('') });
  };
  return (
    <div className="grid grid-cols-1 gap-4">
      <p>
        {email.address === null ? (
          t('mail.none')
        ) : (
          <>
            <span className="block text-sm text-faint">{t('mail.to')}</span>
            <strong className="font-medium break-all">{email.address}</strong>
          </>
        )}
      </p>
      {email.refused && <Notice tone="warn">{t('mail.refused')}</Notice>}
      {email.change !== null && (
        <Notice tone="info">
          <span className="break-all">{t('mail.waiting', { address: email.change.address })}</span>
          {email.change.newConfirmed && email.change.oldConfirmed === false && (
            <span className="mt-1 block">{t('mail.waitingOld')}</span>
          )}
        </Notice>
      )}
      <form onSubmit={submit}>
        <label htmlFor="mail-address" className="mb-2 block font-medium">
          {email.address === null ? t('mail.add') : t('mail.change')}
        </label>
        <div className="flex gap-2">
          <input
            id="mail-address"
            type="email"
            required
            maxLength={254}
            autoComplete="email"
            value={wanted}
            onChange={(event) => setWanted(event.target.value)}
            aria-describedby="mail-address-hint"
            className="h-10 min-w-0 flex-1 rounded-lg border border-line bg-raised px-3"
          />
          <Button type="submit" disabled={wanted === '' || change.isPending}>
            {t('mail.confirm')}
          </Button>
        </div>
        <p id="mail-address-hint" className="mt-2 text-sm text-faint">
          {email.address === null ? t('mail.hint') : t('mail.hintBoth')}
        </p>
      </form>
      {change.isError && <Problem error={change.error} />}
    </div>
  );
}
