import { useTranslation } from 'react-i18next';
import type { Schemas } from '../../api/schemas.ts';
import { CopyButton } from '../../ui/CopyButton.tsx';
import { useFigures } from '../../usage/figures.ts';
import { ShareHere } from './ShareHere.tsx';

/** What an answer cost and which model gave it; the parts of the sum show on demand. */
export function AnswerFoot({
  text,
  ending,
  turnId,
  conversationId,
}: {
  text: string;
  turnId: string;
  conversationId: string | null;
  ending: Pick<Schemas['Message'], 'model' | 'state' | 'usage'>;
}) {
  const { t } = useTranslation('chat');
  const { tokens } = useFigures();
  const { usage } = ending;
  return (
    <div className="mt-1.5 -ml-2 flex flex-wrap items-center gap-x-1 text-xs text-faint">
      {text !== '' && <CopyButton text={text} label={t('copyAnswer')} />}
      {text !== '' && conversationId !== null && <ShareHere conversationId={conversationId} turnId={turnId} />}
      {usage !== undefined && (
        <details className="group/usage">
          <summary className="list-none rounded-md px-2 py-1 tabular-nums hover:bg-hover hover:text-ink">
            {t('spent', { tokens: tokens(usage.debitedTokens) })} · {ending.model}
          </summary>
          <p className="px-2 py-1 tabular-nums">
            {t('spentParts', { prompt: tokens(usage.promptTokens), completion: tokens(usage.completionTokens) })}
            {usage.estimated && ` · ${t('estimated')}`}
          </p>
        </details>
      )}
      {ending.state === 'stopped' && <span className="px-2 py-1">{t('stopped')}</span>}
    </div>
  );
}
