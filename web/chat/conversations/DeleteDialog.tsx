import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { ConfirmDialog } from '../../ui/dialog/ConfirmDialog.tsx';
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
    <ConfirmDialog
      onOpenChange={onClose}
      title={t('delete.title')}
      lead={
        <>
          <p className="font-medium text-ink">{item.title ?? chat('untitled')}</p>
          <p>{t('delete.lead')}</p>
        </>
      }
      keep={t('delete.keep')}
      act={t('delete.do')}
      doing={erase}
      toOpener={(event) => {
        if (!deleted.current) return toOpener(event);
        event.preventDefault();
        onDeleted();
      }}
      onConfirm={() => erase.mutate()}
    />
  );
}
