import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { Button } from '../../ui/Button.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { ReasonField } from '../Fields.tsx';

/** Runs a failed turn again. Tokens are charged only if it succeeds, and only once. */
export function ReplayForm({ turnId }: { turnId: string }) {
  const { t } = useTranslation('admin');
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const replay = useMutation({
    mutationFn: () =>
      answer(api.POST('/api/admin/turns/{turnId}/replay', { params: { path: { turnId } }, body: { reason } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['admin'] }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    replay.mutate();
  };
  return (
    <form
      onSubmit={submit}
      aria-label={t('replay.title')}
      className="grid gap-3 rounded-xl border border-line bg-raised p-5"
    >
      <h2 className="text-lg font-semibold">{t('replay.title')}</h2>
      <p className="text-sm text-soft">{t('replay.lead')}</p>
      <div className="flex flex-wrap items-end gap-3">
        <ReasonField value={reason} onChange={setReason} placeholder={t('replay.reasonHint')} width="w-72 max-w-full" />
        <Button type="submit" look="primary" size="small" disabled={replay.isPending}>
          {t('replay.run')}
        </Button>
      </div>
      {replay.isError && <Problem error={replay.error} />}
    </form>
  );
}
