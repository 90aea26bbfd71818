import { Share2 } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ShareOnDemand } from '../conversations/ShareOnDemand.tsx';

/** Shares the conversation up to this answer. */
export function ShareHere({ conversationId, turnId }: { conversationId: string; turnId: string }) {
  const { t } = useTranslation('chat');
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        aria-label={t('shareHere')}
        title={t('shareHere')}
        onClick={() => setOpen(true)}
        className="rounded-md p-1.5 text-faint hover:bg-hover hover:text-ink"
      >
        <Share2 aria-hidden className="size-3.5" />
      </button>
      {open && <ShareOnDemand conversationId={conversationId} turnId={turnId} onClose={() => setOpen(false)} />}
    </>
  );
}
