import { useMutation, useQueryClient } from '@tanstack/react-query';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';

type Change = Schemas['UpdateConversation'] & { readonly conversationId: string };

/** Renames a conversation, or moves it to the archive and back. */
export function useChangeConversation() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ conversationId, ...body }: Change) =>
      answer(api.PATCH('/api/conversations/{conversationId}', { params: { path: { conversationId } }, body })),
    onSuccess: (changed) => {
      queries.setQueryData(['conversation', changed.conversationId], changed);
      void queries.invalidateQueries({ queryKey: ['conversations'] });
    },
  });
}
