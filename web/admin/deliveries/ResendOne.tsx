import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { Button } from '../../ui/Button.tsx';
import { ConfirmDialog } from '../../ui/dialog/ConfirmDialog.tsx';
import { ReasonField } from '../Fields.tsx';
import { useDeliveryWords, type Delivery } from './delivery-words.ts';

/** Sends one once more, after asking: who has got it gets it again. */
export function ResendOne({ delivery: { deliveryId, kind, to, state } }: { delivery: Delivery }) {
  const { t } = useTranslation('deliveries');
  const { kindOf } = useDeliveryWords();
  const queries = useQueryClient();
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const resend = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/admin/deliveries/{deliveryId}/resend', { params: { path: { deliveryId } }, body: { reason } }),
      ),
    onSuccess: () => {
      setOpen(false);
      setReason('');
      return queries.invalidateQueries({ queryKey: ['admin', 'deliveries'] });
    },
  });
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={setOpen}
      trigger={
        <Button size="small" aria-label={t('resendOf', { kind: kindOf(kind), to })}>
          {t('resend')}
        </Button>
      }
      title={t('ask.title')}
      lead={t(state === 'delivered' ? 'ask.again' : 'ask.lead', { kind: kindOf(kind), to })}
      keep={t('ask.keep')}
      act={t('resend')}
      look="primary"
      doing={resend}
      onConfirm={() => resend.mutate()}
    >
      <ReasonField value={reason} onChange={setReason} placeholder={t('reasonHint')} />
    </ConfirmDialog>
  );
}
