import { useMutation, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { preferencesQuery } from '../../preferences/notifications.ts';
import { Button } from '../../ui/Button.tsx';
import { CopyButton } from '../../ui/CopyButton.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { FIELD, Labelled } from '../Fields.tsx';

export function useInvite() {
  return useMutation({
    mutationFn: ({ userId, by }: { userId: number; by: 'link' | 'mail' }) =>
      answer(api.POST('/api/admin/users/{userId}/invitations', { params: { path: { userId } }, body: { by } })),
  });
}

/** Lets a person in, or lets them in anew who lost their key. */
export function Invite({ user }: { user: Schemas['AdminUser'] }) {
  const { t } = useTranslation('people');
  const invite = useInvite();
  const mail = useQuery(preferencesQuery);
  const { userId, email } = user;
  return (
    <section
      aria-label={t('invite.title')}
      className="grid content-start gap-3 rounded-xl border border-line bg-raised p-5"
    >
      <h2 className="text-lg font-semibold">{t('invite.title')}</h2>
      <p className="text-sm text-soft">{t('invite.lead')}</p>
      <div className="flex flex-wrap gap-2">
        <Button disabled={invite.isPending} onClick={() => invite.mutate({ userId, by: 'link' })}>
          {t('invite.link')}
        </Button>
        {email !== null && mail.data?.email.available === true && (
          <Button disabled={invite.isPending} onClick={() => invite.mutate({ userId, by: 'mail' })}>
            {t('invite.mail')}
          </Button>
        )}
      </div>
      {invite.isSuccess && <Issued invitation={invite.data} />}
      {invite.isError && <Problem error={invite.error} />}
    </section>
  );
}

/** The link of an invitation, which is shown this once, or where its mail went. */
export function Issued({ invitation: { url, sentTo, expiresAt } }: { invitation: Schemas['Invitation'] }) {
  const { t } = useTranslation('people');
  const { moment } = useFigures();
  const until = t('invite.until', { at: moment(expiresAt) });
  if (url === null)
    return (
      <p role="status" className="text-sm text-good">
        {t('invite.sent', { email: sentTo ?? '' })} {until}
      </p>
    );
  const link = new URL(url, location.origin).href;
  return (
    <div className="grid gap-1.5">
      <Labelled label={t('invite.url')}>
        <span className="flex items-center gap-1">
          <input
            readOnly
            value={link}
            onFocus={(event) => event.target.select()}
            className={`${FIELD} flex-1 font-mono text-ink`}
          />
          <CopyButton text={link} label={t('invite.copy')} />
        </span>
      </Labelled>
      <p role="status" className="text-sm text-soft">
        {t('invite.once')} {until}
      </p>
    </div>
  );
}
