import { RefreshCw } from 'lucide-react';
import { createContext, use } from 'react';
import { useTranslation } from 'react-i18next';
import type { Message } from '../transcript/rows.ts';
import type { Instead } from '../turns/turn-state.ts';
import { Asking } from './Asking.tsx';

/** Asks a question in the place of another. Whoever calls it has seen that nothing hinders it. */
export const AskAnewContext = createContext<(question: string, instead: Instead) => void>(() => {});

/** Asks the same question once more. */
export function AskAnew({
  message: { turnId, parentTurnId },
  question,
  conversationId,
}: {
  message: Message;
  question: string;
  conversationId: string;
}) {
  const { t } = useTranslation('chat');
  const ask = use(AskAnewContext);
  return (
    <Asking
      icon={RefreshCw}
      label={t('askAnew')}
      conversationId={conversationId}
      onAsk={() => ask(question, { turnId, parentTurnId, edited: false })}
    />
  );
}
