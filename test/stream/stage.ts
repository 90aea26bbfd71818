import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseEventId, type EndingState, type RestartReason, type ReadEvent } from '../../domain/stream-events.ts';
import { openRedis, type Redis } from '../../platform/redis.ts';
import { followTurn, type Followed } from '../../platform/streams/follow.ts';
import type { TurnSnapshot } from '../../platform/streams/reader.ts';
import { createTurnFeed, type TurnFeed } from '../../platform/streams/turn-feed.ts';
import { openTurnWriter, type TurnWriter, type TurnWriterOptions } from '../../platform/streams/writer.ts';

/** One process's streams, as `service.ts` opens them. */
export interface Stage {
  readonly redis: Redis;
  readonly feed: TurnFeed;
  /** Of attempts that went on or were lost. All streams of a process share one beat, so none may outlive its test. */
  readonly writers: TurnWriter[];
  close(): Promise<void>;
}

export async function openStage(url: string = sharedRedisUrl()): Promise<Stage> {
  const redis = await openRedis(url);
  const feed = createTurnFeed(redis);
  const writers: TurnWriter[] = [];
  return {
    redis,
    feed,
    writers,
    async close() {
      await Promise.all(writers.map((writer) => writer.end()));
      feed.close();
      await redis.close();
    },
  };
}

/**
 * The shared Redis. Nothing here may empty, stop or pause it, because other tests use it.
 * @throws when the services are not there.
 */
export function sharedRedisUrl(): string {
  const url = process.env['TEST_REDIS_URL'];
  if (url === undefined) throw new Error('TEST_REDIS_URL is not set: run `npm test`, which starts the services');
  return url;
}

/** The content of an ending event: enough to tell one ending from another. */
export interface Ending {
  readonly state: EndingState;
  readonly content: string | null;
}

/** One turn's row, as followers read it. Its steps are named like those of `db/`. */
export class TestTurn {
  readonly id = randomUUID();
  reads = 0;
  #row: TurnSnapshot<Ending | null>;

  constructor() {
    this.#row = {
      turnId: this.id,
      conversationId: 'conversation',
      model: 'model',
      state: 'accepted',
      attempt: 0,
      streamEntries: null,
      content: null,
      turn: null,
    };
  }

  readonly read = (): Promise<TurnSnapshot<Ending | null>> => {
    this.reads += 1;
    return Promise.resolve(this.#row);
  };

  get attempt(): number {
    return this.#row.attempt;
  }

  /** @returns the attempt's number. */
  openAttempt(): number {
    this.#row = { ...this.#row, state: 'running', attempt: this.#row.attempt + 1, streamEntries: null, content: null };
    return this.#row.attempt;
  }

  end(state: EndingState, content: string | null, streamEntries: number | null): void {
    this.#row = { ...this.#row, state, content, streamEntries, turn: { state, content } };
  }

  refuse(): void {
    this.#row = { ...this.#row, state: 'refused' };
  }

  /** Runs a failed turn again. */
  reopen(): void {
    this.#row = { ...this.#row, state: 'accepted', content: null, streamEntries: null, turn: null };
  }
}

/** Begins an attempt as `generate` does: its row, the message to readers, the writer. */
export function openWriter(stage: Stage, turn: TestTurn, options: Partial<TurnWriterOptions> = {}): TurnWriter {
  const attempt = turn.openAttempt();
  stage.feed.announce(turn.id, 'changed');
  const writer = openTurnWriter(stage.redis, {
    turnId: turn.id,
    attempt,
    restarted: attempt === 1 ? null : 'retry',
    onEntry: (entry) => stage.feed.deliver(turn.id, entry),
    ...options,
  });
  stage.writers.push(writer);
  return writer;
}

/**
 * Completes a turn as `generate` and `settleTurn` do: first the stream's end, then the row, then the message to
 * readers.
 */
export async function complete(stage: Stage, turn: TestTurn, writer: TurnWriter): Promise<string> {
  const entries = await writer.end();
  turn.end('completed', writer.text, entries);
  stage.feed.announce(turn.id, 'changed');
  return writer.text;
}

/** Writes each piece as an entry of its own. */
export async function writeEntries(writer: TurnWriter, pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    const before = writer.entries;
    writer.delta(piece);
    await until(() => writer.entries > before, 'the piece to be given a number');
  }
}

export interface Reader {
  readonly events: readonly ReadEvent<Ending | null>[];
  /** The text that a person sees: all deltas, dropped at each `restarted`. */
  readonly text: string;
  /** The id of the last event, which may have come before this connection. */
  readonly lastId: string | null;
  readonly done: Promise<Followed>;
  /** Breaks the connection. */
  leave(): Promise<Followed>;
}

export interface ReaderOptions {
  readonly from?: string | null;
  /** The text that the client already has. */
  readonly text?: string;
  readonly pollMs?: number;
  readonly onEvent?: (event: ReadEvent<Ending | null>) => Promise<void> | void;
}

/**
 * A client that fails when an event breaks the contract: a repeated id, a delta with another attempt's id, or anything
 * after the ending.
 */
export function follow(stage: Stage, turn: TestTurn, options: ReaderOptions = {}): Reader {
  const { from = null, pollMs, onEvent } = options;
  const gone = new AbortController();
  const events: ReadEvent<Ending | null>[] = [];
  let text = options.text ?? '';
  let lastId = from;
  const emit = (event: ReadEvent<Ending | null>) => {
    checkOrder(events.at(-1)?.id ?? from, events.at(-1)?.type ?? null, event);
    events.push(event);
    text = applied(text, event);
    lastId = event.id;
    return onEvent?.(event);
  };
  const lastEventId = from === null ? null : parseEventId(from);
  const done = followTurn({
    turnId: turn.id,
    lastEventId,
    redis: stage.redis,
    feed: stage.feed,
    readTurn: turn.read,
    emit,
    signal: gone.signal,
    ...(pollMs === undefined ? {} : { pollMs }),
  });
  done.catch(() => {});
  return {
    events,
    get text() {
      return text;
    },
    get lastId() {
      return lastId;
    },
    done,
    leave() {
      gone.abort();
      return done;
    },
  };
}

export function applied(text: string, event: ReadEvent<unknown>): string {
  if (event.type === 'delta') return text + event.data.text;
  return event.type === 'restarted' ? '' : text;
}

/** The events without what differs between turns, for tables of expected events. */
export function brief(events: readonly ReadEvent<unknown>[]): string[] {
  return events.map((event) => {
    if (event.type === 'delta') return `${event.id} ${event.data.text}`;
    return event.type === 'restarted' ? `${event.id} restarted ${event.data.reason}` : `${event.id} ${event.type}`;
  });
}

export function restarts(events: readonly ReadEvent<unknown>[]): RestartReason[] {
  return events.flatMap((event) => (event.type === 'restarted' ? event.data.reason : []));
}

/** Waits for a fact. */
export async function until(fact: () => boolean | Promise<boolean>, what: string, withinMs = 10_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await fact())) {
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms for ${what}`);
    await sleep(2);
  }
}

function checkOrder(lastId: string | null, lastType: string | null, event: ReadEvent<unknown>): void {
  const id = parseEventId(event.id);
  const last = lastId === null ? null : parseEventId(lastId);
  if (id === null) throw new Error(`${event.id} cannot be resumed from`);
  if (lastType === 'completed' || lastType === 'stopped' || lastType === 'failed')
    throw new Error(`${event.type} after the ending`);
  if ((event.type === 'delta' || event.type === 'restarted') && event.data.attempt !== id.attempt)
    throw new Error(`${event.id} says attempt ${event.data.attempt}`);
  if (last === null || event.type === 'restarted') return;
  // The ending may be asked for again.
  const isEndingAgain = lastType === null && event.type !== 'delta';
  if (id.attempt < last.attempt || (id.attempt === last.attempt && id.entry <= last.entry && !isEndingAgain)) {
    throw new Error(`${event.type} ${event.id} after ${lastId}`);
  }
}
