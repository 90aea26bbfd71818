import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { newKey } from '../../api/new-key.ts';
import type { Schemas } from '../../api/schemas.ts';
import { currentLocale } from '../../i18n/language.ts';
import { Button } from '../../ui/Button.tsx';
import { ConfirmDialog } from '../../ui/dialog/ConfirmDialog.tsx';
import { useFigures } from '../../usage/figures.ts';
import { ReasonField, WholeNumberField } from '../Fields.tsx';
import { amountInWords } from './amount-in-words.ts';

/**
 * Takes a grant back, whole or in part, exactly once: every sending has the dialog's key until the reversal is booked.
 * @param left what is left of the grant.
 */
export function Reversal({ grant, left }: { grant: Schemas['LedgerEntry']; left: number }) {
  const { t } = useTranslation('admin');
  const { tokens: written } = useFigures();
  const [open, setOpen] = useState(false);
  const [tokens, setTokens] = useState('');
  const [reason, setReason] = useState('');
  const [key, setKey] = useState(newKey);
  const queries = useQueryClient();
  const reverse = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/admin/grants/{entryId}/reversals', {
          params: { path: { entryId: grant.entryId }, header: { 'Idempotency-Key': key } },
          body: { tokens: Number(tokens), reason },
        }),
      ),
    onSuccess: () => {
      setOpen(false);
      setKey(newKey());
      return queries.invalidateQueries({
        predicate: ({ queryKey }) => queryKey[0] === 'admin' || queryKey[0] === 'usage',
      });
    },
  });
  if (left <= 0) return <span className="text-faint">{t('reversal.done')}</span>;
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={(opens) => {
        setOpen(opens);
        setTokens(String(left));
        setReason('');
        reverse.reset();
      }}
      trigger={
        <Button size="small" aria-label={t('reversal.of', { tokens: written(grant.tokens) })}>
          {t('reversal.open')}
        </Button>
      }
      title={t('reversal.title')}
      lead={t('reversal.lead')}
      keep={t('reversal.keep')}
      act={t('reversal.now')}
      doing={reverse}
      onConfirm={() => reverse.mutate()}
    >
      <WholeNumberField label={t('reversal.tokens')} most={left} value={tokens} onChange={setTokens} />
      <p className="text-sm text-soft">
        {t('reversal.words', { words: amountInWords(Number(tokens) || 0, currentLocale()) })}
      </p>
      <ReasonField value={reason} onChange={setReason} />
    </ConfirmDialog>
  );
}
