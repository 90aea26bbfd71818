import { keepPreviousData, queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { answer } from '../api/answer.ts';
import { api } from '../api/client.ts';
import type { Schemas } from '../api/schemas.ts';

export type Instructions = Schemas['Instructions'];

const OF_CONVERSATION = '/api/conversations/{conversationId}/instructions';

/** @param conversationId null: those of all conversations. */
export function instructionsQuery(conversationId: string | null) {
  return queryOptions({
    queryKey: ['instructions', conversationId],
    queryFn: () =>
      conversationId === null
        ? answer(api.GET('/api/me/instructions'))
        : answer(api.GET(OF_CONVERSATION, { params: { path: { conversationId } } })),
  });
}

/** Writes a text in place of the version that was read, and of no other. */
export function useWriteInstructions(conversationId: string | null) {
  const queries = useQueryClient();
  const { queryKey } = instructionsQuery(conversationId);
  return useMutation({
    mutationFn: (body: { text: string; version: number }) =>
      conversationId === null
        ? answer(api.PUT('/api/me/instructions', { body }))
        : answer(api.PUT(OF_CONVERSATION, { params: { path: { conversationId } }, body })),
    onSuccess: (written) => queries.setQueryData(queryKey, written),
    // Another text may have been written meanwhile: it is shown beside the draft.
    onError: () => queries.invalidateQueries({ queryKey }),
  });
}

const QUIET_MS = 250;

/** The tokens of a text that is being typed, as the server counts them; what was counted last while it counts. */
export function useTokens(text: string): number | undefined {
  const [quiet, setQuiet] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setQuiet(text), QUIET_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const { data } = useQuery({
    queryKey: ['instructions-count', quiet],
    queryFn: () => answer(api.POST('/api/me/instructions/count', { body: { text: quiet } })),
    enabled: quiet.trim() !== '',
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: 60_000,
    retry: false,
  });
  return quiet.trim() === '' ? 0 : data?.tokens;
}
