import { findApiAnswer } from '../../db/turns/prompts.ts';
import { decodeDeltas, deltaOf, encodeDelta, saysSomething, type ChoiceDelta } from '../../domain/choice.ts';
import { AppError } from '../../domain/errors.ts';
import { errorSentence } from '../../domain/messages.ts';
import { isEnding, type ReadEvent } from '../../domain/stream-events.ts';
import type { TurnRecord } from '../../domain/turn.ts';
import { followTurn } from '../../platform/streams/follow.ts';
import type { ApiDeps, Caller } from '../context.ts';
import { requestIdOf } from '../http/errors.ts';
import { EventStream } from '../http/event-stream.ts';
import { secondsSinceReceived, streamBegan } from '../http/request-metrics.ts';
import { getTurn, type TurnProgress } from '../turns/progress.ts';
import { failureOf } from '../turns/refusal.ts';
import { OPENAI_ENVELOPE } from './envelope.ts';
import { choiceOf, type Answered } from './present.ts';
import { AnswerProgress } from './progress.ts';
import type { Said, Voice } from './protocol.ts';
import type { Waiting } from './waiting.ts';

/**
 * The head leaves with the first text, so that a failure before it has its own status; or after so long, because a
 * model that thinks is silent, and proxies end silent requests.
 */
const HEAD_WITHIN_MS = 3_000;

interface Streamed {
  readonly voice: Voice;
  readonly headers: Promise<Record<string, string>>;
  readonly progress: TurnProgress;
  readonly waiting: Waiting;
}

/** Sends a held or ended turn's answer as one of OpenAI's streams, and its ending. */
export async function streamAnswer(deps: ApiDeps, caller: Caller, turn: TurnRecord, streamed: Streamed): Promise<null> {
  const reader = new Reader(deps, caller, turn, streamed);
  const head = setTimeout(() => {
    reader.begin().catch(() => caller.response.destroy());
  }, HEAD_WITHIN_MS);
  const over = new AbortController();
  try {
    await followTurn<Answered>({
      turnId: turn.turnId,
      lastEventId: null,
      redis: deps.redis,
      feed: deps.feed,
      signal: AbortSignal.any([caller.gone, over.signal]),
      emit: async (event) => {
        if (await reader.send(event)) over.abort();
      },
      readTurn: async () => snapshotOf(deps, streamed.progress.takeKnown() ?? (await getTurn(deps, turn.turnId))),
    });
    if (caller.gone.aborted && !over.signal.aborted) {
      if (caller.left.aborted) await reader.interrupt();
      // Its key has ended, and its turn is stopped.
      else await reader.fail(new AppError('unauthorized'));
    }
  } finally {
    clearTimeout(head);
    reader.end();
  }
  return null;
}

class Reader {
  readonly #deps: ApiDeps;
  readonly #caller: Caller;
  readonly #turn: TurnRecord;
  readonly #streamed: Streamed;
  readonly #progress = new AnswerProgress();
  #beginning: Promise<EventStream> | null = null;

  constructor(deps: ApiDeps, caller: Caller, turn: TurnRecord, streamed: Streamed) {
    this.#deps = deps;
    this.#caller = caller;
    this.#turn = turn;
    this.#streamed = streamed;
  }

  begin(first: ChoiceDelta | null = null): Promise<EventStream> {
    return (this.#beginning ??= this.#begin(first));
  }

  async #begin(first: ChoiceDelta | null): Promise<EventStream> {
    const { response } = this.#caller;
    response.set(await this.#streamed.headers);
    this.#streamed.waiting.began();
    const { voice } = this.#streamed;
    const stream = new EventStream(response, { speak: (silent) => say(silent, voice.wait()) });
    streamBegan(response, this.#deps.metrics);
    await say(stream, voice.begin(first));
    return stream;
  }

  /** @returns whether nothing follows. */
  async send(event: ReadEvent<Answered>): Promise<boolean> {
    switch (event.type) {
      case 'accepted':
        return false;
      case 'restarted':
        return this.#restart(event.data.reason === 'resync');
      case 'chunk':
        for (const delta of decodeDeltas(event.data.text)) await this.#delta(delta);
        return false;
      case 'delta':
        // Of a worker of the version before.
        await this.#delta({ content: event.data.text });
        return false;
      case 'failed':
        await this.fail(await failureOf(this.#deps, event.data.turn.turn));
        return true;
      default:
        await this.#finish(event.data.turn);
        return true;
    }
  }

  /** Nothing follows. A beginning that is still on its way ends as well: its reader may be gone meanwhile. */
  end(): void {
    this.#beginning?.then(
      (stream) => stream.end(),
      () => {},
    );
  }

  /** The same answer comes again from its beginning: what has left is passed over. Another cannot follow it. */
  async #restart(isSame: boolean): Promise<boolean> {
    const hasBegun = this.#progress.hasBegun;
    this.#progress.again();
    if (isSame || !hasBegun) return false;
    await this.#error(new AppError('interrupted', { turnId: this.#turn.turnId, retryable: true }));
    return true;
  }

  async #delta(delta: ChoiceDelta): Promise<void> {
    const isFirst = !this.#progress.hasBegun;
    const fresh = this.#progress.fresh(delta);
    if (!saysSomething(fresh)) return;
    const stream = await this.begin(fresh);
    if (isFirst) this.#deps.metrics.firstDelta(secondsSinceReceived(this.#caller.response));
    await say(stream, this.#streamed.voice.delta(fresh));
  }

  async #finish(answered: Answered): Promise<void> {
    await say(await this.begin(), this.#streamed.voice.finish(answered));
    this.#streamed.waiting.whole();
  }

  /** Says why no whole answer comes: by the response's status while that has not left. */
  async fail(failure: AppError): Promise<void> {
    if (this.#beginning === null) throw failure;
    await this.#error(failure);
  }

  /**
   * The server stops. Half an answer must not look like a whole one (G43), and its turn is stopped as when its reader
   * goes. What has not begun goes on for a retry of its client.
   */
  async interrupt(): Promise<void> {
    const { waiting } = this.#streamed;
    if (this.#caller.response.destroyed) return;
    if (this.#beginning === null) {
      await waiting.leave();
      throw new AppError('unavailable', { retryAfter: 5, turnId: this.#turn.turnId });
    }
    // First, because the process ends with its last connection.
    await waiting.stop();
    await this.#say(new AppError('interrupted'));
  }

  async #error(failure: AppError): Promise<void> {
    await this.#say(failure);
    this.#streamed.waiting.whole();
  }

  async #say({ code, details }: AppError): Promise<void> {
    const stream = await this.begin();
    const { locale, response } = this.#caller;
    const message = errorSentence(code, locale);
    const body = OPENAI_ENVELOPE.wrap({ code, message, details, requestId: requestIdOf(response) });
    await say(stream, this.#streamed.voice.fail(body));
  }
}

async function say(stream: EventStream, events: readonly Said[]): Promise<void> {
  for (const { event, data } of events) await stream.sendData(data, event);
}

async function snapshotOf(deps: ApiDeps, turn: TurnRecord) {
  const { turnId, conversationId, model, state, attempt, streamEntries } = turn;
  const answered = { turn, beside: isEnding(state) ? await findApiAnswer(deps.database.sql, turnId) : null };
  const content = turn.content === null ? null : encodeDelta(deltaOf(choiceOf(answered)));
  return {
    turnId,
    conversationId,
    model,
    state,
    attempt,
    streamEntries,
    content,
    kind: 'chunk' as const,
    turn: answered,
  };
}
