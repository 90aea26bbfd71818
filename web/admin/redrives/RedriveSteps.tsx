import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Pause, Play, X } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Button } from '../../ui/Button.tsx';
import { ConfirmDialog } from '../../ui/dialog/ConfirmDialog.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { FIELD, Labelled } from '../Fields.tsx';

type Step = 'pause' | 'resume' | 'cancel';

const SEND = {
  pause: (request) => api.POST('/api/admin/redrives/{redriveId}/pause', request),
  resume: (request) => api.POST('/api/admin/redrives/{redriveId}/resume', request),
  cancel: (request) => api.POST('/api/admin/redrives/{redriveId}/cancel', request),
} satisfies Record<
  Step,
  (request: {
    params: { path: { redriveId: string } };
    body: Schemas['RedriveStep'];
  }) => Promise<{ data?: Schemas['Redrive'] }>
>;

export function useRedriveStep(redriveId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ step, reason = '' }: { step: Step; reason?: string }) =>
      answer<Schemas['Redrive']>(
        SEND[step]({ params: { path: { redriveId } }, body: reason.trim() === '' ? {} : { reason } }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['admin'] }),
  });
}

/** The buttons pause, resume and cancel, each only while it has an effect. */
export function RedriveSteps({ redrive }: { redrive: Schemas['Redrive'] }) {
  const { t } = useTranslation('admin');
  const move = useRedriveStep(redrive.redriveId);
  const { state } = redrive;
  if (state !== 'running' && state !== 'paused') return null;
  return (
    <div className="grid gap-3">
      <div className="flex flex-wrap gap-2">
        {state === 'running' ? (
          <Button size="small" disabled={move.isPending} onClick={() => move.mutate({ step: 'pause' })}>
            <Pause aria-hidden className="size-3.5" />
            {t('redrives.pause')}
          </Button>
        ) : (
          <Button size="small" look="primary" disabled={move.isPending} onClick={() => move.mutate({ step: 'resume' })}>
            <Play aria-hidden className="size-3.5" />
            {t('redrives.resume')}
          </Button>
        )}
        <Cancel
          waiting={redrive.progress.waiting}
          disabled={move.isPending}
          onCancel={(reason) => move.mutate({ step: 'cancel', reason })}
        />
      </div>
      {move.isError && <Problem error={move.error} />}
    </div>
  );
}

/** Cancelling cannot be undone, so it is confirmed. */
function Cancel({
  waiting,
  disabled,
  onCancel,
}: {
  waiting: number;
  disabled: boolean;
  onCancel: (reason: string) => void;
}) {
  const { t } = useTranslation('admin');
  const { tokens: written } = useFigures();
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={setOpen}
      trigger={
        <Button size="small" disabled={disabled}>
          <X aria-hidden className="size-3.5" />
          {t('redrives.cancel')}
        </Button>
      }
      title={t('redrives.cancelTitle')}
      lead={t('redrives.cancelLead', { n: written(waiting) })}
      keep={t('redrives.keep')}
      act={t('redrives.cancelNow')}
      doing={{ isPending: false, error: null }}
      onConfirm={() => {
        setOpen(false);
        onCancel(reason);
      }}
    >
      <Labelled label={t('redrives.cancelReason')}>
        <input
          maxLength={500}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
          className={`${FIELD} text-ink`}
        />
      </Labelled>
    </ConfirmDialog>
  );
}
