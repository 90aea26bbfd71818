import { Share2 } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Tool } from '../branches/Tool.tsx';
import { ShareOnDemand } from '../conversations/ShareOnDemand.tsx';

/** Shares the conversation up to this answer. */
export function ShareHere({ conversationId, turnId }: { conversationId: string; turnId: string }) {
  const { t } = useTranslation('chat');
  const [open, setOpen] = useState(false);
  return (
    <>
      <Tool icon={Share2} label={t('shareHere')} onPress={() => setOpen(true)} />
      {open && <ShareOnDemand conversationId={conversationId} turnId={turnId} onClose={() => setOpen(false)} />}
    </>
  );
}
