import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Button } from '../../ui/Button.tsx';
import { ConfirmDialog } from '../../ui/dialog/ConfirmDialog.tsx';
import { ReasonField } from '../Fields.tsx';

/** Switches a model of the catalogue off or on, with a reason. */
export function SwitchModel({
  model: { model, isOffered },
}: {
  model: Pick<Schemas['AdminModel'], 'model' | 'isOffered'>;
}) {
  const { t } = useTranslation('models');
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const queries = useQueryClient();
  const to = isOffered ? 'off' : 'on';
  const change = useMutation({
    mutationFn: () =>
      answer(
        api.PATCH('/api/admin/models/{model}', { params: { path: { model } }, body: { isOn: !isOffered, reason } }),
      ),
    async onSuccess() {
      await queries.invalidateQueries({
        predicate: ({ queryKey }) => queryKey[0] === 'admin' || queryKey[0] === 'models',
      });
      setOpen(false);
    },
  });
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={(opens) => {
        setOpen(opens);
        setReason('');
        change.reset();
      }}
      trigger={
        <Button size="small" aria-label={t(`switch.${to}Of`, { model })}>
          {t(`switch.${to}`)}
        </Button>
      }
      title={t(`switch.${to}Of`, { model })}
      lead={t(`switch.${to}Lead`)}
      keep={t('switch.keep')}
      act={t(`switch.${to}`)}
      look={isOffered ? 'danger' : 'primary'}
      doing={change}
      onConfirm={() => change.mutate()}
    >
      <ReasonField value={reason} onChange={setReason} placeholder="" />
    </ConfirmDialog>
  );
}
