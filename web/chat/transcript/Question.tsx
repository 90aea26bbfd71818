import { useTranslation } from 'react-i18next';
import { liveTurns } from '../../session/keep.ts';
import { Failure } from './Failure.tsx';
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
  const live = turns.get(row.turnId);
  const error = row.live ? undefined : (row.message?.error ?? live?.ending?.error);
  const stopped = !row.live && (row.message?.state ?? live?.ending?.state) === 'stopped';
  // What was read of a failed answer stands below, with the reason behind it.
  const hasText = live?.ending?.state === 'failed' && live.text !== '';
  return (
    <article aria-label={t('you')} className="pt-5">
      <div
        dir="auto"
        className="ml-auto w-fit max-w-[85%] rounded-2xl rounded-br-md bg-accent-tint px-4 py-2.5 whitespace-pre-wrap"
      >
        {row.text}
      </div>
      {error !== undefined && !hasText && (
        <Failure error={error} turnId={row.turnId} conversationId={conversationId} question={row.text} />
      )}
      {stopped && row.message?.state === 'stopped' && (
        <p className="mt-1 text-right text-xs text-faint">{t('stopped')}</p>
      )}
    </article>
  );
}
