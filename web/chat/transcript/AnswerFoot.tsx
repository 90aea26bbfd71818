import { StepForward } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '../../api/schemas.ts';
import { AskAnew } from '../branches/AskAnew.tsx';
import { Asking } from '../branches/Asking.tsx';
import { Feedback } from '../branches/Feedback.tsx';
import { Pager } from '../branches/Pager.tsx';
import { CopyButton } from '../../ui/CopyButton.tsx';
import { useFigures } from '../../usage/figures.ts';
import type { Message } from './rows.ts';
import { ShareHere } from './ShareHere.tsx';

/** What can be done with an answer, what it cost and which model gave it; the parts of the sum show on demand. */
export function AnswerFoot({
  text,
  ending,
  turnId,
  message,
  question,
  conversationId,
  onContinue,
}: {
  text: string;
  turnId: string;
  ending: Pick<Schemas['Message'], 'model' | 'state' | 'usage'>;
  /** Null until it is in the stored transcript. */
  message: Message | null;
  question: string | null;
  conversationId: string | null;
  /** Asks for the rest; null where there is none to ask for. */
  onContinue: (() => void) | null;
}) {
  const { t } = useTranslation('chat');
  const { tokens } = useFigures();
  const { usage } = ending;
  return (
    <div className="mt-1.5 -ml-2 flex flex-wrap items-center gap-x-1 text-xs text-faint">
      {message !== null && conversationId !== null && (
        <Pager message={message} conversationId={conversationId} of="answers" />
      )}
      {text !== '' && <CopyButton text={text} label={t('copyAnswer')} />}
      {message === null && <span aria-hidden className="h-6.5 w-21.5 pointer-coarse:h-9.5 pointer-coarse:w-30.5" />}
      {message !== null && conversationId !== null && (
        <>
          {question !== null && <AskAnew message={message} question={question} conversationId={conversationId} />}
          {text !== '' && <Feedback message={message} conversationId={conversationId} />}
        </>
      )}
      {text !== '' && conversationId !== null && <ShareHere conversationId={conversationId} turnId={turnId} />}
      {usage !== undefined && (
        <details className="group/usage">
          <summary className="list-none rounded-md px-2 py-1 tabular-nums hover:bg-hover hover:text-ink">
            {t('spent', { tokens: tokens(usage.debitedTokens) })} · {ending.model}
          </summary>
          <p className="px-2 py-1 tabular-nums">
            {t('spentParts', { prompt: tokens(usage.promptTokens), completion: tokens(usage.completionTokens) })}
            {usage.debitedTokens !== usage.totalTokens &&
              ` ${t('spentAtRate', { tokens: tokens(usage.debitedTokens) })}`}
            {usage.estimated && ` ${t('estimated')}`}
          </p>
        </details>
      )}
      {ending.state === 'stopped' && <span className="px-2 py-1">{t('stopped')}</span>}
      {onContinue !== null && conversationId !== null && (
        <Asking icon={StepForward} label={t('continue')} said conversationId={conversationId} onAsk={onContinue} />
      )}
    </div>
  );
}
