import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { FeedState } from '../../events/feed-connection.ts';
import { liveTurns } from '../../session/keep.ts';
import { wantBranch } from '../branches/shown-branch.ts';
import { compose, editOf, forgetUnsent, giveBack } from '../composer/composing.ts';
import { useRefreshTranscript } from '../transcript/use-transcript.ts';

/**
 * Keeps what the page shows true while the turns that it follows are admitted, end or are refused.
 * @returns the newest answer, for screen readers.
 */
export function useTurnNews(feed: FeedState): string {
  const queries = useQueryClient();
  const refresh = useRefreshTranscript();
  const [heard, setHeard] = useState('');
  const turns = liveTurns();
  useEffect(() => {
    const recount = () => {
      if (feed !== 'live') void queries.invalidateQueries({ queryKey: ['usage'] });
      void queries.invalidateQueries({ queryKey: ['conversations'] });
    };
    turns.listener = {
      onAccepted({ turnId, conversationId, instead }) {
        forgetUnsent(turnId);
        if (instead !== null && conversationId !== null) wantBranch(conversationId, turnId);
        compose(conversationId, { refusal: null });
        recount();
      },
      onEnded({ turnId, conversationId, text }, { state, content }) {
        setHeard(content ?? '');
        recount();
        // The live turn is dropped only when the stored transcript has it, so that the answer never disappears in
        // between.
        if (conversationId !== null)
          void refresh(conversationId).then(
            () => {
              // The stored transcript has no text of a failed turn: what was read of it is only here.
              if (state !== 'failed' || text === '') turns.forget(turnId);
            },
            () => {},
          );
      },
      onRefused({ conversationId, question, files, canned, instead }, error) {
        if (question === null || canned) compose(conversationId, { refusal: error });
        else if (instead !== null) {
          compose(editOf(instead.turnId), { draft: question, unsent: null });
          compose(conversationId, { refusal: error });
        } else giveBack(conversationId, { question, files }, error);
        recount();
      },
    };
  }, [turns, queries, refresh, feed]);
  return heard;
}
