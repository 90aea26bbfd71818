import { Undo2 } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '../../api/schemas.ts';
import { Button } from '../../ui/Button.tsx';
import { useChangeConversation } from './use-change-conversation.ts';

const STAYS_MS = 10_000;

/** Takes back for a while that a conversation was moved. It stays as long as the pointer or the focus is on it. */
export function Undo({ moved, onGone }: { moved: Schemas['Conversation']; onGone: () => void }) {
  const { t } = useTranslation('chat');
  const [held, setHeld] = useState(false);
  const change = useChangeConversation();
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(onGone, STAYS_MS);
    return () => clearTimeout(timer);
  }, [held, onGone]);
  return (
    <div
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
      className="mt-1 flex items-center gap-2 rounded-lg border border-line bg-raised py-1 pr-1 pl-3 text-sm"
    >
      <p className="min-w-0 flex-1 truncate">{moved.archived ? t('unarchived') : t('archived')}</p>
      <Button
        size="small"
        className="px-2.5"
        disabled={change.isPending}
        onClick={() =>
          change.mutate({ conversationId: moved.conversationId, archived: moved.archived }, { onSuccess: onGone })
        }
      >
        <Undo2 aria-hidden className="size-3.5" />
        {t('undo')}
      </Button>
    </div>
  );
}
