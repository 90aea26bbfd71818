import { useTranslation } from 'react-i18next';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import type { Row } from '../transcript/rows.ts';
import { useShowBranch } from '../transcript/use-transcript.ts';
import type { LiveTurn } from '../turns/turn-state.ts';

/** Says that the conversation's running turn is on a branch that is not shown: nothing can be sent before it ends. */
export function Elsewhere({
  conversationId,
  rows,
  running,
}: {
  conversationId: string | null;
  rows: readonly Row[];
  running: LiveTurn | null;
}) {
  const { t } = useTranslation('chat');
  const show = useShowBranch();
  if (conversationId === null || running === null || rows.length === 0) return null;
  if (rows.some(({ turnId }) => turnId === running.turnId)) return null;
  return (
    <Notice
      tone="info"
      action={
        <Button size="small" onClick={() => void show(conversationId, running.turnId).catch(() => {})}>
          {t('elsewhere.show')}
        </Button>
      }
    >
      {t('elsewhere.runs')}
    </Notice>
  );
}
