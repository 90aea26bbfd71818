import { RotateCw } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { liveTurns } from '../../session/keep.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/Notice.tsx';
import type { Row } from './rows.ts';

export function Question({
  row,
  conversationId,
}: {
  row: Extract<Row, { kind: 'question' }>;
  conversationId: string | null;
}) {
  const { t } = useTranslation('chat');
  const turns = liveTurns();
  const ending = turns.get(row.turnId)?.ending;
  const error = row.live ? undefined : (row.message?.error ?? ending?.error);
  const stopped = !row.live && (row.message?.state ?? ending?.state) === 'stopped';
  return (
    <article aria-label={t('you')} className="pt-5">
      <div className="ml-auto w-fit max-w-[85%] rounded-2xl rounded-br-md bg-accent-tint px-4 py-2.5 whitespace-pre-wrap">
        {row.text}
      </div>
      {error !== undefined && (
        <div className="mt-3">
          <Notice
            tone="bad"
            action={
              error.retryable &&
              conversationId !== null && (
                <Button size="small" onClick={() => turns.retry(row.turnId, conversationId)}>
                  <RotateCw aria-hidden className="size-3.5" />
                  {t('retry')}
                </Button>
              )
            }
          >
            {error.message}
          </Notice>
        </div>
      )}
      {stopped && row.message?.state === 'stopped' && (
        <p className="mt-1 text-right text-xs text-faint">{t('stopped')}</p>
      )}
    </article>
  );
}
