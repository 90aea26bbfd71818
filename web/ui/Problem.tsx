import { RotateCw } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '../api/api-error.ts';
import { Button } from './Button.tsx';
import { Notice } from './Notice.tsx';

/** What went wrong, in the server's sentence, and a way on. */
export function Problem({ error, onRetry }: { error: unknown; onRetry?: (() => void) | undefined }) {
  const { t } = useTranslation();
  return (
    <Notice tone="bad" action={onRetry && <Button size="small" onClick={onRetry}><RotateCw aria-hidden className="size-3.5" />{t('again')}</Button>}>
      {sentenceOf(error, t)}
    </Notice>
  );
}

export function sentenceOf(error: unknown, t: (key: 'problem.offline' | 'problem.unknown') => string): string {
  if (!(error instanceof ApiError)) return t('problem.unknown');
  return error.code === 'offline' ? t('problem.offline') : error.message;
}
