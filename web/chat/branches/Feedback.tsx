import { useMutation, useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { ThumbsDown, ThumbsUp } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { sentenceOf } from '../../ui/Problem.tsx';
import type { Message, MessagePage } from '../transcript/rows.ts';
import { messagesKey } from '../transcript/use-transcript.ts';
import { Tool } from './Tool.tsx';

const RATINGS = [
  ['good', ThumbsUp],
  ['bad', ThumbsDown],
] as const;

/** Whether the answer was good. The same button takes it back. */
export function Feedback({
  message: { turnId, feedback },
  conversationId,
}: {
  message: Message;
  conversationId: string;
}) {
  const { t } = useTranslation('chat');
  const { t: common } = useTranslation();
  const queries = useQueryClient();
  const rate = useMutation({
    mutationFn: (rating: 'good' | 'bad' | null) =>
      answer(api.POST('/api/chat/turns/{turnId}/feedback', { params: { path: { turnId } }, body: { rating } })),
    onSuccess: (_kept, rating) =>
      queries.setQueryData<InfiniteData<MessagePage>>(
        messagesKey(conversationId),
        (data) => data && { ...data, pages: data.pages.map((page) => rated(page, turnId, rating)) },
      ),
  });
  return (
    <>
      {RATINGS.map(([rating, icon]) => (
        <Tool
          key={rating}
          icon={icon}
          label={t(`feedback.${rating}`)}
          aria-pressed={feedback === rating}
          off={rate.isPending}
          onPress={() => rate.mutate(feedback === rating ? null : rating)}
        />
      ))}
      <span role="status" className="sr-only">
        {rate.isSuccess && t(rate.variables === null ? 'feedback.takenBack' : 'feedback.kept')}
      </span>
      {rate.isError && (
        <span role="alert" className="text-xs text-bad">
          {sentenceOf(rate.error, common)}
        </span>
      )}
    </>
  );
}

function rated(page: MessagePage, turnId: string, rating: 'good' | 'bad' | null): MessagePage {
  const items = page.items.map((message): Message => {
    if (message.turnId !== turnId || message.role !== 'assistant') return message;
    const { feedback: _, ...rest } = message;
    return rating === null ? rest : { ...rest, feedback: rating };
  });
  return { ...page, items };
}
