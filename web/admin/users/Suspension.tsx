import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { Button } from '../../ui/Button.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { ReasonField } from '../Fields.tsx';

export function Suspension({ userId, suspendedAt }: { userId: number; suspendedAt: string | null }) {
  const { t } = useTranslation('admin');
  const { moment } = useFigures();
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const suspended = suspendedAt !== null;
  const change = useMutation({
    mutationFn: async () => {
      const request = { params: { path: { userId } }, body: { reason } };
      await (suspended
        ? answer(api.POST('/api/admin/users/{userId}/resume', request))
        : answer(api.POST('/api/admin/users/{userId}/suspend', request)));
    },
    onSuccess: () => {
      setReason('');
      return queries.invalidateQueries({ queryKey: ['admin'] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate();
  };
  return (
    <form
      onSubmit={submit}
      aria-label={t('suspension.title')}
      className="grid content-start gap-3 rounded-xl border border-line bg-raised p-5"
    >
      <h2 className="text-lg font-semibold">{t('suspension.title')}</h2>
      <p className="text-sm text-soft">
        {suspended ? t('suspension.since', { at: moment(suspendedAt) }) : t('suspension.lead')}
      </p>
      <ReasonField value={reason} onChange={setReason} />
      <Button type="submit" look={suspended ? 'primary' : 'danger'} disabled={change.isPending}>
        {suspended ? t('suspension.resume') : t('suspension.suspend')}
      </Button>
      {change.isError && <Problem error={change.error} />}
    </form>
  );
}
