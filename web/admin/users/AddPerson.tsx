import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { currentLocale } from '../../i18n/language.ts';
import { preferencesQuery } from '../../preferences/notifications.ts';
import { Button, buttonClass } from '../../ui/Button.tsx';
import { ClosableDialog } from '../../ui/dialog/ClosableDialog.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { FIELD, Labelled } from '../Fields.tsx';
import { usePersonName } from '../Links.tsx';
import { Issued, useInvite } from './Invite.tsx';

type By = 'link' | 'mail' | 'none';

/** Makes a person and, unless told otherwise, invites them. */
export function AddPerson({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('people');
  const [made, setMade] = useState<Schemas['AdminUser'] | null>(null);
  const invite = useInvite();
  const again = () => {
    invite.reset();
    setMade(null);
  };
  return (
    <ClosableDialog title={t('add.title')} lead={t('add.lead')} stays onClose={onClose}>
      {made === null ? (
        <NewPerson
          onMade={(person, by) => {
            setMade(person);
            if (by !== 'none') invite.mutate({ userId: person.userId, by });
          }}
        />
      ) : (
        <Made person={made} invite={invite} onAnother={again} />
      )}
    </ClosableDialog>
  );
}

function NewPerson({ onMade }: { onMade: (person: Schemas['AdminUser'], by: By) => void }) {
  const { t } = useTranslation(['people', 'admin']);
  const queries = useQueryClient();
  const mail = useQuery(preferencesQuery);
  const isMailOn = mail.data?.email.available === true;
  const add = useMutation({
    mutationFn: (body: Schemas['NewPerson']) => answer(api.POST('/api/admin/users', { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['admin', 'users'] }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => {
      const value = form.get(name);
      return typeof value === 'string' ? value.trim() : '';
    };
    const name = text('name');
    add.mutate(
      {
        email: text('email'),
        name: name === '' ? null : name,
        role: text('role') === 'admin' ? 'admin' : 'user',
        locale: text('locale') === 'en' ? 'en' : 'ko',
        timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      },
      { onSuccess: (person) => onMade(person, text('by') as By) },
    );
  };
  return (
    <form onSubmit={submit} className="mt-4 grid gap-3">
      <Labelled label={t('add.email')}>
        <input name="email" type="email" required maxLength={320} autoComplete="off" className={`${FIELD} text-ink`} />
      </Labelled>
      <Labelled label={t('add.name')}>
        <input name="name" maxLength={100} autoComplete="off" className={`${FIELD} text-ink`} />
      </Labelled>
      <div className="grid grid-cols-2 gap-3">
        <Labelled label={t('role')}>
          <select name="role" className={`${FIELD} text-ink`}>
            <option value="user">{t('admin:users.roleOf.user')}</option>
            <option value="admin">{t('admin:users.roleOf.admin')}</option>
          </select>
        </Labelled>
        <Labelled label={t('add.language')}>
          <select name="locale" defaultValue={currentLocale()} className={`${FIELD} text-ink`}>
            <option value="ko">{t('admin:users.languageOf.ko')}</option>
            <option value="en">{t('admin:users.languageOf.en')}</option>
          </select>
        </Labelled>
      </div>
      <fieldset className="grid gap-1.5 text-sm">
        <legend className="mb-1 text-xs text-faint">{t('add.invite')}</legend>
        {(['link', 'mail', 'none'] as const).map((by) => (
          <label key={by} className="flex items-center gap-2.5">
            <input
              type="radio"
              name="by"
              value={by}
              defaultChecked={by === 'link'}
              disabled={by === 'mail' && !isMailOn}
              className="accent-accent-fill"
            />
            {t(`add.by.${by}`)}
          </label>
        ))}
        {mail.isSuccess && !isMailOn && <p className="text-xs text-faint">{t('add.mailOff')}</p>}
      </fieldset>
      {add.isError && <Problem error={add.error} />}
      <Button type="submit" look="primary" disabled={add.isPending}>
        {t('add.do')}
      </Button>
    </form>
  );
}

function Made({
  person,
  invite,
  onAnother,
}: {
  person: Schemas['AdminUser'];
  invite: ReturnType<typeof useInvite>;
  onAnother: () => void;
}) {
  const { t } = useTranslation('people');
  const nameOf = usePersonName();
  return (
    <div className="mt-4 grid gap-4">
      <p role="status" className="text-sm text-good">
        {t('add.made', { name: nameOf(person) })}
      </p>
      {invite.isSuccess && <Issued invitation={invite.data} />}
      {invite.isError && <Problem error={invite.error} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onAnother}>{t('add.another')}</Button>
        <Link href={`/admin/users/${person.userId}`} className={buttonClass({ look: 'primary' })}>
          {t('add.see')}
        </Link>
      </div>
    </div>
  );
}
