import { useTranslation } from 'react-i18next';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { closedBy, useUsage } from '../../usage/use-usage.ts';
import { useRunning } from './use-running.ts';

/**
 * Says that an answer was cut. Only the last answer can be gone on from, and only once: then another one is the last.
 */
export function Continue({
  conversationId,
  last,
  onContinue,
}: {
  conversationId: string | null;
  last: boolean;
  onContinue: () => void;
}) {
  const { t } = useTranslation('chat');
  const { data: usage } = useUsage();
  const running = useRunning(conversationId);
  return (
    <div className="mt-3">
      <Notice
        tone="info"
        action={
          last &&
          running === null && (
            <Button size="small" disabled={closedBy(usage) !== null} onClick={onContinue}>
              {t('continue')}
            </Button>
          )
        }
      >
        {t('cut')}
      </Notice>
    </div>
  );
}
