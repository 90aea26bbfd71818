import { RotateCw, Undo2 } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '../../api/schemas.ts';
import { liveTurns } from '../../session/keep.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { WRITE } from '../../ui/keys/shortcuts.ts';
import { compose, composingOf } from '../composer/composing.ts';
import { useRunning } from './use-running.ts';

type TurnError = NonNullable<Schemas['Turn']['error']>;

/** What helps where trying again does not: another question, or another model. */
const REWRITABLE: ReadonlySet<string> = new Set(['content_filtered', 'context_length', 'model_rejected']);

/**
 * Why a turn failed, and what to do next.
 * @param question its text, to be written anew; absent where the row has no question.
 */
export function Failure({
  error,
  turnId,
  conversationId,
  question,
}: {
  error: TurnError;
  turnId: string;
  conversationId: string | null;
  question?: string;
}) {
  const { t } = useTranslation('chat');
  const running = useRunning(conversationId);
  const retry = () => {
    if (conversationId === null) return;
    liveTurns().retry(turnId, conversationId);
    // The button goes, so the focus moves to where the answer can be stopped.
    dispatchEvent(new Event(WRITE));
  };
  const rewrite = () => {
    if (composingOf(conversationId).draft === '') compose(conversationId, { draft: question ?? '' });
    dispatchEvent(new Event(WRITE));
  };
  const canRewrite = REWRITABLE.has(error.code);
  return (
    <div className="mt-3">
      <Notice
        tone="bad"
        action={
          error.retryable ? (
            conversationId !== null && (
              <Button size="small" disabled={running !== null} onClick={retry}>
                <RotateCw aria-hidden className="size-3.5" />
                {t('retry')}
              </Button>
            )
          ) : canRewrite && question !== undefined ? (
            <Button size="small" onClick={rewrite}>
              <Undo2 aria-hidden className="size-3.5" />
              {t('rewrite')}
            </Button>
          ) : undefined
        }
      >
        {error.message}{' '}
        {canRewrite && `${t(`next.${error.code as 'content_filtered' | 'context_length' | 'model_rejected'}`)} `}
        {t('notCharged')}
      </Notice>
    </div>
  );
}
