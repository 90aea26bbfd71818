import { z } from 'zod';
import { parseAccountCursor, type AccountCursor } from '../../domain/account-events.ts';
import { AppError } from '../../domain/errors.ts';
import type { ApiDeps, Caller } from '../context.ts';
import { EventStream } from '../http/event-stream.ts';
import { AccountFollower } from '../events/follow-account.ts';
import { createStreamLimit, type StreamLimit } from '../events/stream-limit.ts';
import { streamBegan } from '../http/request-metrics.ts';
import { defineRoute, type Route } from '../http/route.ts';

/** Streams of one account in one process. It is more than anybody needs, because the tabs of a browser share one. */
const STREAMS_AT_ONCE = 10;
/**
 * A stream ends after this time, and its reader comes back with the last id, so that a token of a provider that has
 * ended does not read for ever. (A key of ours that is revoked ends its streams at once: api/events/key-watch.ts.)
 */
const STREAM_LASTS_MS = 15 * 60_000;

export function eventRoutes(deps: ApiDeps): Route[] {
  const limit = createStreamLimit(STREAMS_AT_ONCE);
  return [
    defineRoute({
      method: 'get',
      path: '/api/events',
      access: 'user',
      tag: 'Account',
      limit: 'read',
      summary:
        'One feed an account: `usage` first and after every change, `turn` and `notification` as they come; ended after 15 minutes, to be resumed',
      headers: z.object({
        'Last-Event-ID': z.string().optional().meta({
          description: '`id` of the last event you have; what changed since is sent',
          example: '1795468800000000-12',
        }),
      }),
      answers: {
        200: {
          description: `\`UsageState\`, \`TurnChangedEvent\` and \`Notification\` events; at most ${STREAMS_AT_ONCE} streams of an account at once, more are 429`,
          stream: true,
        },
      },
      errors: ['invalid_event_id'],
      async handle(caller) {
        await follow(deps, caller, limit);
        return null;
      },
    }),
  ];
}

async function follow(deps: ApiDeps, caller: Caller, limit: StreamLimit): Promise<void> {
  const from = readCursor(caller);
  const leave = limit.enter(caller.principal.accountId);
  try {
    const follower = await AccountFollower.open(deps, caller.principal, from);
    const stream = new EventStream(caller.response);
    streamBegan(caller.response, deps.metrics);
    try {
      await follower.run(
        (event) => stream.send(event),
        AbortSignal.any([caller.gone, AbortSignal.timeout(STREAM_LASTS_MS)]),
      );
    } finally {
      follower.close();
      stream.end();
    }
  } finally {
    leave();
  }
}

/** @throws AppError invalid_event_id. A browser that has seen no id sends an empty header. */
function readCursor({ request }: Caller): AccountCursor | null {
  const header = request.get('last-event-id');
  if (header === undefined || header === '') return null;
  const cursor = parseAccountCursor(header);
  if (cursor === null) throw new AppError('invalid_event_id');
  return cursor;
}
