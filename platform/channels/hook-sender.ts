import { Webhook } from 'standardwebhooks';
import type { AttemptOutcome } from '../../domain/channels/outcome.ts';
import { postPinned } from './pinned-post.ts';

export interface Hook {
  readonly url: URL;
  /** The operator lets this host be called, whatever it is. */
  readonly isAllowed: boolean;
  /** The same for each attempt, so that whoever gets it twice can tell. */
  readonly deliveryId: string;
  /** `whsec_…`, each signs; none where nobody checks. */
  readonly secrets: readonly string[];
  readonly body: string;
}

/** Calls webhooks, signed as standardwebhooks.com says. */
export interface HookSender {
  /** Tries once. It never throws for what the network or the server does. */
  send(hook: Hook): Promise<AttemptOutcome>;
}

export function createHookSender(): HookSender {
  return {
    async send({ url, isAllowed, deliveryId, secrets, body }) {
      const now = new Date();
      const sign = (secret: string) => new Webhook(secret).sign(deliveryId, now, body);
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'Turnkeeper-Webhooks',
        'webhook-id': deliveryId,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
        ...(secrets.length === 0 ? {} : { 'webhook-signature': secrets.map(sign).join(' ') }),
      };
      try {
        const status = await postPinned({ url, headers, body, isAllowed });
        // Whoever gets it twice can tell by its id, so that an attempt of which nobody knows is just tried again.
        return { outcome: status >= 200 && status < 300 ? 'accepted' : 'later', answer: String(status) };
      } catch (error) {
        // Whether a name leads into our own network is not told.
        return { outcome: 'later', answer: isTimeout(error) ? 'timeout' : 'unreachable' };
      }
    },
  };
}

function isTimeout(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.name === 'AbortError' || error.name === 'TimeoutError' || error.name === 'DeadlinePassed')
  );
}
