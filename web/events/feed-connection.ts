import { ApiError } from '../api/api-error.ts';
import { readEvents } from '../api/event-stream.ts';
import { untilOnline } from '../api/until-online.ts';
import { waitAfter } from '../api/wait-after.ts';
import type { Schemas } from '../api/schemas.ts';

export type FeedEvent =
  | { readonly id: string; readonly type: 'usage'; readonly data: Schemas['UsageState'] }
  | { readonly id: string; readonly type: 'turn'; readonly data: Schemas['TurnChangedEvent'] }
  | { readonly id: string; readonly type: 'notification'; readonly data: Schemas['Notification'] };

/**
 * connecting: nothing has been received yet · live: changes arrive · lost: a connection ended and the next did not
 * succeed at once
 */
export type FeedState = 'connecting' | 'live' | 'lost';

export interface FeedSink {
  onEvent(event: FeedEvent): void;
  onState(state: FeedState): void;
  /** The server is there, with or without news. */
  onAlive(): void;
  /** The server does not know our last event (its ids have changed), so what happened since is lost. */
  onGap(): void;
}

/** `usage` comes at once: if it has not come by then, something in between holds the stream back. */
const FIRST_WITHIN_MS = 10_000;
/** The connection counts as dead after this silence; the server sends a comment every 15 s. */
const SILENT_MS = 40_000;

/**
 * Follows `GET /api/events` until `signal` aborts, over as many connections as it takes. Each continues after the last
 * event received.
 */
export async function followFeed({
  open,
  from,
  sink,
  signal,
}: {
  open: (lastEventId: string, signal: AbortSignal) => Promise<Response>;
  from: string;
  sink: FeedSink;
  signal: AbortSignal;
}): Promise<void> {
  let lastEventId = from;
  for (let failures = 0; !signal.aborted;) {
    const connection = new Connection(signal);
    let retryAfter = 0;
    try {
      const response = await open(lastEventId, connection.signal);
      for await (const { id, event, data } of readEvents(response, () => {
        connection.isAlive();
        if (!signal.aborted) sink.onAlive();
      })) {
        if (signal.aborted) return;
        failures = 0;
        lastEventId = id;
        sink.onState('live');
        sink.onEvent({ id, type: event, data } as FeedEvent);
      }
      // The server ended the stream, as it does after 15 minutes at most.
    } catch (error) {
      if (error instanceof ApiError) retryAfter = (error.retryAfter ?? 0) * 1_000;
      if (error instanceof ApiError && error.code === 'invalid_event_id') {
        lastEventId = '';
        sink.onGap();
      }
    } finally {
      connection.end();
    }
    if (signal.aborted) return;
    failures += 1;
    if (failures > 1 || !navigator.onLine) sink.onState('lost');
    await untilOnline(Math.max(retryAfter, waitAfter(failures, Math.random())), signal);
  }
}

/** Ends a connection when `signal` aborts, when the browser goes offline, or after too long a silence. */
class Connection {
  readonly #ended = new AbortController();
  readonly #whole: AbortSignal;
  #timer = setTimeout(() => this.end(), FIRST_WITHIN_MS);

  constructor(whole: AbortSignal) {
    this.#whole = whole;
    whole.addEventListener('abort', this.end);
    addEventListener('offline', this.end);
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  isAlive(): void {
    clearTimeout(this.#timer);
    if (!this.#ended.signal.aborted) this.#timer = setTimeout(this.end, SILENT_MS);
  }

  end = (): void => {
    clearTimeout(this.#timer);
    this.#whole.removeEventListener('abort', this.end);
    removeEventListener('offline', this.end);
    this.#ended.abort();
  };
}
