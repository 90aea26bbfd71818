import type { TurnEvent } from '../../../domain/stream-events.ts';
import { accepted, ApiError } from '../../api/api-error.ts';
import type { Schemas } from '../../api/schemas.ts';
import { readEvents } from '../../api/event-stream.ts';
import { untilOnline } from '../../api/until-online.ts';
import { waitAfter } from '../../api/wait-after.ts';
import { advance, beginTurn, isPassing, type Instead, type LiveTurn, type Turn } from './turn-state.ts';

export interface Question {
  readonly turnId: string;
  readonly message: string;
  readonly files: readonly Schemas['ShownFile'][];
  readonly canned: boolean;
  readonly conversationId: string | null;
  readonly model: string | null;
  /** The turn that it follows; null: none. Undefined: the newest one. */
  readonly parentTurnId: string | null | undefined;
  readonly instead: Instead | null;
  readonly branch: string | null;
}

/** Told what happens to turns apart from their text, to keep the page's caches true. */
export interface TurnListener {
  onAccepted(turn: LiveTurn): void;
  onEnded(turn: LiveTurn, ending: Turn): void;
  /** The turn was not admitted: the question is given back. */
  onRefused(turn: LiveTurn, error: ApiError): void;
}

type Fetch = (path: string, init: RequestInit) => Promise<Response>;

/**
 * The turns that this page sends or watches. Each is followed until it has ended, over as many connections as that
 * takes.
 */
export class LiveTurns {
  readonly #fetch: Fetch;
  readonly #turns = new Map<string, LiveTurn>();
  readonly #subscribers = new Set<() => void>();
  readonly #closed = new AbortController();
  #list: readonly LiveTurn[] = [];
  #frame = 0;
  listener: TurnListener = { onAccepted: () => {}, onEnded: () => {}, onRefused: () => {} };

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  get(turnId: string): LiveTurn | undefined {
    return this.#turns.get(turnId);
  }

  /**
   * A new array when a turn begins, is admitted, loses its connection, stops or ends; the same array while only a text
   * grows.
   */
  list = (): readonly LiveTurn[] => this.#list;

  subscribe = (subscriber: () => void): (() => void) => {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  };

  /** Sends a question. The page chooses the turn's id, so sending again after a lost connection is the same turn. */
  send({ turnId, message, files, canned, conversationId, model, parentTurnId, instead, branch }: Question): void {
    const body = JSON.stringify({
      turnId,
      message,
      ...(files.length === 0 ? {} : { files: files.map(({ fileId }) => fileId) }),
      ...(conversationId === null ? {} : { conversationId }),
      ...(model === null ? {} : { model }),
      ...(parentTurnId === undefined ? {} : { parentTurnId }),
    });
    const begun = beginTurn({ turnId, conversationId, question: message, phase: 'sending' });
    this.#begin({ ...begun, files, canned, instead, branch }, () =>
      this.#open('/api/chat/send', { method: 'POST', body }),
    );
  }

  /** Watches a turn that is already running: after a reload, begun in another tab, or replayed by an admin. */
  follow(turnId: string, conversationId: string): void {
    const known = this.#turns.get(turnId);
    if (known !== undefined && known.phase !== 'ended') return;
    this.#begin(beginTurn({ turnId, conversationId, question: null, phase: 'waiting' }), () => this.#resume(turnId));
  }

  /** What was read of the failed attempt stays until the next one has text. */
  retry(turnId: string, conversationId: string): void {
    const text = this.#turns.get(turnId)?.text ?? '';
    this.#begin(
      {
        ...beginTurn({ turnId, conversationId, question: null, phase: 'sending' }),
        text,
        outdated: text !== '',
        again: text !== '',
      },
      () => this.#open(`/api/chat/turns/${turnId}/retry`, { method: 'POST' }),
    );
  }

  /** Stops a turn. A stop before the turn is admitted is sent as soon as it is. */
  async stop(turnId: string): Promise<void> {
    const turn = this.#turns.get(turnId);
    if (turn === undefined || turn.phase === 'ended') return;
    this.#set({ ...turn, stopping: true });
    if (turn.phase === 'sending') return;
    const response = await this.#fetch(`/api/chat/turns/${turnId}/stop`, { method: 'POST' }).catch(() => null);
    const now = this.#turns.get(turnId);
    if (response?.ok !== true && now !== undefined) this.#set({ ...now, stopping: false });
  }

  forget(turnId: string): void {
    if (this.#turns.delete(turnId)) this.#changed();
  }

  close(): void {
    this.#closed.abort();
  }

  #begin(turn: LiveTurn, open: () => Promise<Response>): void {
    this.#turns.set(turn.turnId, turn);
    this.#changed();
    void this.#run(turn.turnId, open);
  }

  async #run(turnId: string, first: () => Promise<Response>): Promise<void> {
    let open = first;
    let admitted = this.#turns.get(turnId)?.phase === 'waiting';
    for (let failures = 0; !this.#closed.signal.aborted;) {
      try {
        const response = await open();
        admitted = true;
        open = () => this.#resume(turnId);
        failures = 0;
        if (await this.#read(turnId, response)) return;
      } catch (error) {
        const problem = error instanceof ApiError ? error : new ApiError('offline', 0, {}, { cause: error });
        if (!isPassing(problem, { admitted })) return this.#refuse(turnId, problem);
      }
      const turn = this.#turns.get(turnId);
      if (turn === undefined) return;
      this.#set({ ...turn, connected: false });
      await untilOnline(waitAfter(++failures, Math.random()), this.#closed.signal);
    }
  }

  /** @returns whether the turn has ended; false when the connection was lost before. */
  async #read(turnId: string, response: Response): Promise<boolean> {
    for await (const { id, event, data } of readEvents(response)) {
      const turn = this.#turns.get(turnId);
      if (turn === undefined) return true;
      const next = advance(turn, { id, type: event, data } as TurnEvent<Turn>);
      this.#set(next);
      if (event === 'accepted') {
        this.listener.onAccepted(next);
        if (next.stopping) void this.stop(turnId);
      }
      if (next.ending !== null) {
        this.listener.onEnded(next, next.ending);
        return true;
      }
    }
    return false;
  }

  #resume(turnId: string): Promise<Response> {
    const lastEventId = this.#turns.get(turnId)?.lastEventId ?? '';
    return this.#open(`/api/chat/turns/${turnId}/events`, {
      method: 'GET',
      headers: lastEventId === '' ? {} : { 'Last-Event-ID': lastEventId },
    });
  }

  async #open(
    path: string,
    { method, body, headers }: { method: string; body?: string; headers?: Record<string, string> },
  ): Promise<Response> {
    const response = await this.#fetch(path, {
      method,
      signal: this.#closed.signal,
      cache: 'no-store',
      ...(body === undefined ? {} : { body }),
      headers: {
        Accept: 'text/event-stream',
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
    });
    return accepted(response);
  }

  #refuse(turnId: string, error: ApiError): void {
    const turn = this.#turns.get(turnId);
    if (turn === undefined) return;
    this.#turns.delete(turnId);
    this.#changed();
    this.listener.onRefused(turn, error);
  }

  #set(turn: LiveTurn): void {
    const before = this.#turns.get(turn.turnId);
    this.#turns.set(turn.turnId, turn);
    if (
      before?.phase !== turn.phase ||
      before.conversationId !== turn.conversationId ||
      before.connected !== turn.connected ||
      before.stopping !== turn.stopping
    )
      this.#changed();
    else this.#changedText();
  }

  #changed(): void {
    this.#list = [...this.#turns.values()];
    for (const subscriber of this.#subscribers) subscriber();
  }

  /** Redraws once a frame, however many deltas it brought. A hidden tab has no frames and needs none. */
  #changedText(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      for (const subscriber of this.#subscribers) subscriber();
    });
  }
}
