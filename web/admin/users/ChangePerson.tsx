import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { useMe } from '../../session/me.ts';
import { Button } from '../../ui/Button.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { FIELD, Labelled, ReasonField } from '../Fields.tsx';

/** What a person is called and may do. */
export function ChangePerson({ user }: { user: Schemas['AdminUser'] }) {
  const { t } = useTranslation(['people', 'admin']);
  const queries = useQueryClient();
  const me = useMe();
  const [name, setName] = useState(user.name ?? '');
  const [role, setRole] = useState(user.role);
  const [reason, setReason] = useState('');
  const change = useMutation({
    mutationFn: () =>
      answer(
        api.PATCH('/api/admin/users/{userId}', {
          params: { path: { userId: user.userId } },
          body: { name: name.trim() === '' ? null : name, ...(role === user.role ? {} : { role }), reason },
        }),
      ),
    onSuccess: () => {
      setReason('');
      return queries.invalidateQueries({ queryKey: ['admin'] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate();
  };
  const fixed = me.userId === user.userId ? t('change.own') : user.issuer === null ? null : t('change.issuer');
  return (
    <form
      onSubmit={submit}
      aria-label={t('change.title')}
      className="grid content-start gap-3 rounded-xl border border-line bg-raised p-5"
    >
      <h2 className="text-lg font-semibold">{t('change.title')}</h2>
      <Labelled label={t('name')}>
        <input
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.target.value)}
          className={`${FIELD} text-ink`}
        />
      </Labelled>
      <Labelled label={t('role')}>
        <select
          value={role}
          disabled={fixed !== null}
          onChange={(event) => setRole(event.target.value === 'admin' ? 'admin' : 'user')}
          className={`${FIELD} text-ink disabled:opacity-60`}
        >
          <option value="user">{t('admin:users.roleOf.user')}</option>
          <option value="admin">{t('admin:users.roleOf.admin')}</option>
        </select>
      </Labelled>
      {fixed !== null && <p className="text-sm text-faint">{fixed}</p>}
      <ReasonField value={reason} onChange={setReason} />
      <Button type="submit" disabled={change.isPending}>
        {t('change.save')}
      </Button>
      <div role="status">{change.isSuccess && <p className="text-sm text-good">{t('change.saved')}</p>}</div>
      {change.isError && <Problem error={change.error} />}
    </form>
  );
}
