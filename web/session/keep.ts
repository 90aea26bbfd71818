import { QueryClient } from '@tanstack/react-query';
import { navigate } from 'wouter/use-browser-location';
import { ApiError } from '../api/api-error.ts';
import { forgetBranches } from '../chat/branches/shown-branch.ts';
import { forgetComposing } from '../chat/composer/composing.ts';
import { LiveTurns } from '../chat/turns/live-turns.ts';
import { forgetWishes } from '../purchase/wishes.ts';
import { forgetPlace } from '../usage/own-shop.ts';
import { authorizedFetch } from './fetch.ts';
import { currentSession, subscribe } from './session.ts';

const GIVE_UP_AFTER = 3;

/** The cache of the server's answers, for as long as one person is signed in. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // The server's refusals are final; a request without an answer is made again.
      retry: (failures, error) =>
        failures < GIVE_UP_AFTER && (!(error instanceof ApiError) || error.code === 'offline' || error.status >= 500),
      retryDelay: (failures) => 400 * 2 ** failures,
    },
  },
});

let turns = new LiveTurns(authorizedFetch);

export function liveTurns(): LiveTurns {
  return turns;
}

/**
 * Nothing of a person remains when they sign out, not even the address of their conversation, which the next person
 * would not find. When only their session has ended, the page and their drafts wait for them.
 */
subscribe(() => {
  turns.close();
  turns = new LiveTurns(authorizedFetch);
  queries.clear();
  const session = currentSession();
  if (session.state !== 'out' || session.reason !== 'left') return;
  forgetComposing();
  forgetBranches();
  forgetPlace();
  forgetWishes();
  navigate('/', { replace: true });
});
