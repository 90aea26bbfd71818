import { QueryClient } from '@tanstack/react-query';
import { ApiError } from '../api/api-error.ts';
import { forgetComposing } from '../chat/composer/composing.ts';
import { LiveTurns } from '../chat/turns/live-turns.ts';
import { authorizedFetch } from './fetch.ts';
import { currentSession, subscribe } from './session.ts';

const GIVE_UP_AFTER = 3;

/** What the server said, for as long as one person is signed in. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // The server's word is final; what got no answer is asked again.
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
 * Nothing of one person is left when they sign out; what they were writing waits for them when only their session has
 * ended.
 */
subscribe(() => {
  turns.close();
  turns = new LiveTurns(authorizedFetch);
  queries.clear();
  const session = currentSession();
  if (session.state === 'out' && session.reason === 'left') forgetComposing();
});
