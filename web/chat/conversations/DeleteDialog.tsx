import { useMutation, useQueryClient } from '@tanstack/react-query';
import { AlertDialog } from 'radix-ui';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Button } from '../../ui/Button.tsx';
import { DIALOG, OVERLAY } from '../../ui/dialog/dialog-look.ts';
import { Problem } from '../../ui/Problem.tsx';
import { useOpener } from '../../ui/dialog/use-opener.ts';
import { messagesKey } from '../transcript/use-transcript.ts';

/** Asks before a conversation is gone for good. The focus begins on what keeps it. */
export function DeleteDialog({
  item,
  onClose,
  onDeleted,
}: {
  item: Schemas['Conversation'];
  onClose: () => void;
  /** Called when the dialog has left: the focus goes on from where the conversation was. */
  onDeleted: () => void;
}) {
  const { t } = useTranslation('sharing');
  const { t: chat } = useTranslation('chat');
  const { conversationId } = item;
  const deleted = useRef(false);
  const toOpener = useOpener();
  const queries = useQueryClient();
  const [location, navigate] = useLocation();
  const erase = useMutation({
    mutationFn: () =>
      answer(api.DELETE('/api/conversations/{conversationId}', { params: { path: { conversationId } } })),
    onSuccess: () => {
      deleted.current = true;
      onClose();
      // The page leaves before its data does, so that it never shows that nothing was found.
      if (location === `/c/${conversationId}`) navigate('/', { replace: true });
      queries.removeQueries({ queryKey: messagesKey(conversationId) });
      queries.removeQueries({ queryKey: ['conversation', conversationId] });
      void queries.invalidateQueries({ queryKey: ['conversations'] });
    },
  });
  return (
    <AlertDialog.Root
      open
      onOpenChange={(open) => {
        if (!open && !erase.isPending) onClose();
      }}
    >
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={OVERLAY} />
        <AlertDialog.Content
          className={DIALOG}
          onCloseAutoFocus={(event) => {
            if (!deleted.current) return toOpener(event);
            event.preventDefault();
            onDeleted();
          }}
        >
          <AlertDialog.Title className="text-lg font-semibold">{t('delete.title')}</AlertDialog.Title>
          <AlertDialog.Description asChild>
            <div className="mt-3 grid gap-2 text-soft">
              <p className="font-medium break-words text-ink">{item.title ?? chat('untitled')}</p>
              <p>{t('delete.lead')}</p>
            </div>
          </AlertDialog.Description>
          {erase.isError && (
            <div className="mt-4">
              <Problem error={erase.error} />
            </div>
          )}
          <div className="mt-6 flex flex-wrap justify-end gap-2">
            <AlertDialog.Cancel asChild>
              <Button disabled={erase.isPending}>{t('delete.keep')}</Button>
            </AlertDialog.Cancel>
            <Button look="danger" disabled={erase.isPending} onClick={() => erase.mutate()}>
              {t('delete.do')}
            </Button>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
