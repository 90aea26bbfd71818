import { X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { sentenceOf } from '../../ui/Problem.tsx';
import { compose, useComposing } from './composing.ts';

/** Why the question was refused; its text is back in the composer. An exhausted account has its own banner. */
export function Refusal({ conversationId }: { conversationId: string | null }) {
  const { t } = useTranslation();
  const { refusal } = useComposing(conversationId);
  if (refusal === null || refusal.code === 'TOKEN_EXHAUSTED') return null;
  return (
    <Notice
      tone="bad"
      action={
        <Button
          look="bare"
          size="icon"
          className="-my-2"
          aria-label={t('dismiss')}
          onClick={() => compose(conversationId, { refusal: null })}
        >
          <X aria-hidden className="size-4" />
        </Button>
      }
    >
      {sentenceOf(refusal, t)}
    </Notice>
  );
}
