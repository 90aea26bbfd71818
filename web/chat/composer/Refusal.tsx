import { X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { ApiError } from '../../api/api-error.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { sentenceOf } from '../../ui/Problem.tsx';
import { compose, useComposing } from './composing.ts';

/**
 * Why the question was refused; its text is back in the composer. An exhausted account has its own banner, unless the
 * person's own instructions alone are in the way.
 */
export function Refusal({ conversationId }: { conversationId: string | null }) {
  const { t } = useTranslation();
  const { refusal } = useComposing(conversationId);
  if (refusal === null || (refusal.code === 'TOKEN_EXHAUSTED' && !isForInstructions(refusal))) return null;
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
      {isForInstructions(refusal) && (
        <Link href="/preferences" className="mt-1 block font-medium underline underline-offset-2">
          {t('preferences')}
        </Link>
      )}
    </Notice>
  );
}

function isForInstructions({ details }: ApiError): boolean {
  return details['because'] === 'own_instructions';
}
