import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { Button } from '../../ui/Button.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { FIELD, Labelled } from '../Fields.tsx';

/** Gives tokens exactly once: every sending has the form's key until the grant is booked. */
export function GrantForm({ userId }: { userId: number }) {
  const { t } = useTranslation('admin');
  const { tokens: written } = useFigures();
  const queries = useQueryClient();
  const [tokens, setTokens] = useState('10000');
  const [reason, setReason] = useState('');
  const [key, setKey] = useState(newKey);
  const grant = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/admin/users/{userId}/grants', {
          params: { path: { userId }, header: { 'Idempotency-Key': key } },
          body: { tokens: Number(tokens), reason },
        }),
      ),
    onSuccess: () => {
      setKey(newKey());
      setReason('');
      return queries.invalidateQueries({
        predicate: ({ queryKey }) => queryKey[0] === 'admin' || queryKey[0] === 'usage',
      });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    grant.mutate();
  };
  return (
    <form
      onSubmit={submit}
      aria-label={t('grant.title')}
      className="grid content-start gap-3 rounded-xl border border-line bg-raised p-5"
    >
      <h2 className="text-lg font-semibold">{t('grant.title')}</h2>
      <Labelled label={t('grant.tokens')}>
        <input
          type="number"
          inputMode="numeric"
          min={1}
          step={1}
          required
          value={tokens}
          onChange={(event) => setTokens(event.target.value)}
          className={`${FIELD} text-ink`}
        />
      </Labelled>
      <Labelled label={t('reason')}>
        <input
          required
          maxLength={500}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
          placeholder={t('reasonHint')}
          className={`${FIELD} text-ink`}
        />
      </Labelled>
      <Button type="submit" look="primary" disabled={grant.isPending}>
        {t('grant.give')}
      </Button>
      <div role="status">
        {grant.isSuccess && (
          <p className="text-sm text-good">{t('grant.given', { tokens: written(grant.data.tokens) })}</p>
        )}
      </div>
      {grant.isError && <Problem error={grant.error} />}
    </form>
  );
}

function newKey(): string {
  return `web-${crypto.getRandomValues(new Uint32Array(4)).join('-')}`;
}
