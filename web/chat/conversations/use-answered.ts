import { useQuery } from '@tanstack/react-query';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';

/** Characters of a question by which a turn is named. */
const NAMED_BY = 60;

export interface Answered {
  readonly turnId: string;
  /** The beginning of what was asked, in one line. */
  readonly question: string;
}

/**
 * The answered turns of a line of the conversation, newest first: those of its last 100 messages, and on to `turnId`.
 * It is the line through that turn, else the newest.
 */
export function useAnswered({ conversationId, turnId }: { conversationId: string; turnId: string | null }) {
  return useQuery({
    queryKey: ['answered', conversationId, turnId],
    staleTime: 0,
    queryFn: async () => {
      const turns: Answered[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof readPage>> = await readPage(conversationId, turnId ?? 'newest', cursor);
        for (const { role, state, turnId: each, content } of page.items)
          if (role === 'user' && (state === 'completed' || state === 'stopped'))
            turns.push({ turnId: each, question: beginningOf(content) });
        cursor = turnId === null || turns.some((turn) => turn.turnId === turnId) ? null : page.nextCursor;
      } while (cursor !== null);
      return turns;
    },
  });
}

function readPage(conversationId: string, branch: string, cursor: string | null) {
  const query = { order: 'desc', limit: 100, branch, ...(cursor === null ? {} : { cursor }) } as const;
  return answer(
    api.GET('/api/conversations/{conversationId}/messages', { params: { path: { conversationId }, query } }),
  );
}

function beginningOf(question: string): string {
  const line = question.trim().replaceAll(/\s+/g, ' ');
  const letters = [...line];
  return letters.length > NAMED_BY ? `${letters.slice(0, NAMED_BY).join('')}…` : line;
}
