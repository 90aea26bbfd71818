import { useMutation, useQueryClient } from '@tanstack/react-query';
import { AlertDialog } from 'radix-ui';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Button } from '../../ui/Button.tsx';
import { DIALOG, OVERLAY } from '../../ui/dialog/dialog-look.ts';
import { Problem } from '../../ui/Problem.tsx';
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
    <AlertDialog.Root
      open={open}
      onOpenChange={(opens) => {
        setOpen(opens);
        setReason('');
        change.reset();
      }}
    >
      <AlertDialog.Trigger asChild>
        <Button size="small" aria-label={t(`switch.${to}Of`, { model })}>
          {t(`switch.${to}`)}
        </Button>
      </AlertDialog.Trigger>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={OVERLAY} />
        <AlertDialog.Content className={DIALOG}>
          <AlertDialog.Title className="text-lg font-semibold break-all">
            {t(`switch.${to}Of`, { model })}
          </AlertDialog.Title>
          <AlertDialog.Description className="mt-2 mb-4 text-sm text-soft">
            {t(`switch.${to}Lead`)}
          </AlertDialog.Description>
          <form
            className="grid gap-3"
            onSubmit={(event) => {
              event.preventDefault();
              change.mutate();
            }}
          >
            <ReasonField value={reason} onChange={setReason} placeholder="" />
            {change.isError && <Problem error={change.error} />}
            <div className="mt-2 flex flex-wrap justify-end gap-2">
              <AlertDialog.Cancel asChild>
                <Button>{t('switch.keep')}</Button>
              </AlertDialog.Cancel>
              <Button type="submit" look={isOffered ? 'danger' : 'primary'} disabled={change.isPending}>
                {t(`switch.${to}`)}
              </Button>
            </div>
          </form>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
