import { useMutation, useQueryClient } from '@tanstack/react-query';
import { AlertDialog } from 'radix-ui';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { Button } from '../../ui/Button.tsx';
import { DIALOG, OVERLAY } from '../../ui/dialog/dialog-look.ts';
import { Problem } from '../../ui/Problem.tsx';
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
  const submit = (event: FormEvent) => {
    event.preventDefault();
    resend.mutate();
  };
  return (
    <AlertDialog.Root open={open} onOpenChange={setOpen}>
      <AlertDialog.Trigger asChild>
        <Button size="small" aria-label={t('resendOf', { kind: kindOf(kind), to })}>
          {t('resend')}
        </Button>
      </AlertDialog.Trigger>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={OVERLAY} />
        <AlertDialog.Content className={DIALOG}>
          <AlertDialog.Title className="text-lg font-semibold">{t('ask.title')}</AlertDialog.Title>
          <AlertDialog.Description className="mt-2 mb-4 text-sm break-words text-soft">
            {t(state === 'delivered' ? 'ask.again' : 'ask.lead', { kind: kindOf(kind), to })}
          </AlertDialog.Description>
          <form onSubmit={submit} className="grid gap-3">
            <ReasonField value={reason} onChange={setReason} placeholder={t('reasonHint')} />
            {resend.isError && <Problem error={resend.error} />}
            <div className="mt-2 flex flex-wrap justify-end gap-2">
              <AlertDialog.Cancel asChild>
                <Button>{t('ask.keep')}</Button>
              </AlertDialog.Cancel>
              <Button type="submit" look="primary" disabled={resend.isPending}>
                {t('resend')}
              </Button>
            </div>
          </form>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
