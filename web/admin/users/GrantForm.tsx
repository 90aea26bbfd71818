import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { newKey } from '../../api/new-key.ts';
import { currentLocale } from '../../i18n/language.ts';
import { Button } from '../../ui/Button.tsx';
import { ConfirmDialog } from '../../ui/dialog/ConfirmDialog.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { ReasonField, WholeNumberField } from '../Fields.tsx';
import { amountInWords } from './amount-in-words.ts';

/** A grant of so many tokens, ten free months, is asked about once more. */
const ASKED_FROM = 1_000_000;

/** Gives tokens exactly once: every sending has the form's key until the grant is booked. */
export function GrantForm({ userId }: { userId: number }) {
  const { t } = useTranslation('admin');
  const { tokens: written } = useFigures();
  const queries = useQueryClient();
  const [tokens, setTokens] = useState('10000');
  const [reason, setReason] = useState('');
  const [key, setKey] = useState(newKey);
  const [asking, setAsking] = useState(false);
  const amountField = useRef<HTMLInputElement>(null);
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
    if (amount >= ASKED_FROM) setAsking(true);
    else grant.mutate();
  };
  const amount = Number(tokens) || 0;
  const figures = { tokens: written(amount), words: amountInWords(amount, currentLocale()) };
  return (
    <form
      onSubmit={submit}
      aria-label={t('grant.title')}
      className="grid content-start gap-3 rounded-xl border border-line bg-raised p-5"
    >
      <h2 className="text-lg font-semibold">{t('grant.title')}</h2>
      <WholeNumberField field={amountField} label={t('grant.tokens')} value={tokens} onChange={setTokens} />
      <p className="-mt-1 text-sm text-soft">{t('grant.words', figures)}</p>
      <ReasonField value={reason} onChange={setReason} />
      <Button type="submit" look="primary" disabled={grant.isPending}>
        {t('grant.give')}
      </Button>
      <div role="status">
        {grant.isSuccess && (
          <p className="text-sm text-good">{t('grant.given', { tokens: written(grant.data.tokens) })}</p>
        )}
      </div>
      {grant.isError && <Problem error={grant.error} />}
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={t('grant.askTitle', figures)}
        lead={t('grant.askLead', figures)}
        keep={t('grant.askBack')}
        act={t('grant.give')}
        look="primary"
        doing={{ isPending: false, error: null }}
        // The button that opened it takes no focus while the grant is on its way.
        toOpener={(event) => {
          event.preventDefault();
          amountField.current?.focus();
        }}
        onConfirm={() => {
          setAsking(false);
          grant.mutate();
        }}
      />
    </form>
  );
}
