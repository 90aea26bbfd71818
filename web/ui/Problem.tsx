import { RotateCw } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '../api/api-error.ts';
import { isLost, reload } from '../session/reload.ts';
import { Button } from './Button.tsx';
import { Notice } from './Notice.tsx';

/** Says what went wrong, in the server's sentence, and how to go on. */
export function Problem({ error, onRetry }: { error: unknown; onRetry?: (() => void) | undefined }) {
  const { t } = useTranslation();
  const again = isLost(error) ? () => void reload() : onRetry;
  return (
    <Notice
      tone="bad"
      action={
        again && (
          <Button size="small" onClick={again}>
            <RotateCw aria-hidden className="size-3.5" />
            {t('again')}
          </Button>
        )
      }
    >
      {sentenceOf(error, t)}
    </Notice>
  );
}

export function sentenceOf(
  error: unknown,
  t: (key: 'problem.lost' | 'problem.offline' | 'problem.unknown') => string,
): string {
  if (isLost(error)) return t('problem.lost');
  if (!(error instanceof ApiError)) return t('problem.unknown');
  return error.code === 'offline' ? t('problem.offline') : error.message;
}
