import { findTurn } from '../../db/turns/turns.ts';
import { AppError } from '../../domain/errors.ts';
import { errorSentence } from '../../domain/messages.ts';
import type { TurnEvent } from '../../domain/stream-events.ts';
import type { TurnRecord } from '../../domain/turn.ts';
import { followTurn } from '../../platform/streams/follow.ts';
import type { ApiDeps, Caller } from '../context.ts';
import { requestIdOf } from '../http/errors.ts';
import { EventStream } from '../http/event-stream.ts';
import { secondsSinceReceived, streamBegan } from '../http/request-metrics.ts';
import type { TurnProgress } from '../turns/progress.ts';
import { failureOf } from '../turns/refusal.ts';
import { OPENAI_ENVELOPE } from './envelope.ts';
import { presentChunk, presentUsageChunk } from './present.ts';
import type { CompletionRequest } from './request.ts';
import type { Waiting } from './waiting.ts';

/**
 * The head leaves with the first text, so that a failure before it has its own status; or after so long, because a
 * model that thinks is silent, and proxies end silent requests.
 */
const HEAD_WITHIN_MS = 3_000;

interface Streamed {
  readonly completion: CompletionRequest;
  readonly headers: Promise<Record<string, string>>;
  readonly progress: TurnProgress;
  readonly waiting: Waiting;
}

/** Sends a held or ended turn's text as chunks of OpenAI's, and its ending. */
export async function streamCompletion(
  deps: ApiDeps,
  caller: Caller,
  turn: TurnRecord,
  streamed: Streamed,
): Promise<null> {
  const chunks = new Chunks(deps, caller, turn, streamed);
  const head = setTimeout(() => {
    chunks.begin().catch(() => caller.response.destroy());
  }, HEAD_WITHIN_MS);
  const over = new AbortController();
  try {
    await followTurn<TurnRecord>({
      turnId: turn.turnId,
      lastEventId: null,
      redis: deps.redis,
      feed: deps.feed,
      signal: AbortSignal.any([caller.gone, over.signal]),
      emit: async (event) => {
        if (await chunks.send(event)) over.abort();
      },
      readTurn: async () => snapshotOf(streamed.progress.takeKnown() ?? (await getTurn(deps, turn.turnId))),
    });
  } finally {
    clearTimeout(head);
    chunks.end();
  }
  return null;
}

class Chunks {
  readonly #deps: ApiDeps;
  readonly #caller: Caller;
  readonly #turn: TurnRecord;
  readonly #streamed: Streamed;
  #beginning: Promise<EventStream> | null = null;
  #stream: EventStream | null = null;
  /** UTF-16 units that have left, and those that have come since the text began again. */
  #sent = 0;
  #come = 0;

  constructor(deps: ApiDeps, caller: Caller, turn: TurnRecord, streamed: Streamed) {
    this.#deps = deps;
    this.#caller = caller;
    this.#turn = turn;
    this.#streamed = streamed;
  }

  begin(): Promise<EventStream> {
    return (this.#beginning ??= this.#begin());
  }

  async #begin(): Promise<EventStream> {
    const { response } = this.#caller;
    response.set(await this.#streamed.headers);
    this.#streamed.waiting.began();
    this.#stream = new EventStream(response);
    streamBegan(response, this.#deps.metrics);
    await this.#chunk(this.#stream, { role: 'assistant', content: '' });
    return this.#stream;
  }

  /** @returns whether nothing follows. */
  async send(event: TurnEvent<TurnRecord>): Promise<boolean> {
    switch (event.type) {
      case 'accepted':
        return false;
      case 'restarted':
        return this.#restart(event.data.reason === 'resync');
      case 'delta':
        await this.#text(event.data.text);
        return false;
      case 'failed':
        await this.#fail(event.data.turn);
        return true;
      default:
        await this.#finish(event.data.turn);
        return true;
    }
  }

  end(): void {
    this.#stream?.end();
  }

  /** The same text comes again from its beginning: what has left is passed over. Another text cannot follow it. */
  async #restart(isSame: boolean): Promise<boolean> {
    this.#come = 0;
    if (isSame || this.#sent === 0) return false;
    await this.#error(new AppError('interrupted', { turnId: this.#turn.turnId, retryable: true }));
    return true;
  }

  async #text(text: string): Promise<void> {
    const fresh = text.slice(Math.max(0, this.#sent - this.#come));
    this.#come += text.length;
    if (fresh === '') return;
    const stream = await this.begin();
    if (this.#sent === 0) this.#deps.metrics.firstDelta(secondsSinceReceived(this.#caller.response));
    this.#sent += fresh.length;
    await this.#chunk(stream, { content: fresh });
  }

  async #finish(turn: TurnRecord): Promise<void> {
    const stream = await this.begin();
    const { includesUsage } = this.#streamed.completion;
    await stream.sendData(JSON.stringify(presentChunk(turn, {}, { includesUsage, ended: true })));
    if (includesUsage) await stream.sendData(JSON.stringify(presentUsageChunk(turn)));
    await stream.sendData('[DONE]');
    this.#streamed.waiting.whole();
  }

  async #fail(turn: TurnRecord): Promise<void> {
    const failure = await failureOf(this.#deps, turn);
    if (this.#beginning === null) throw failure;
    await this.#error(failure);
  }

  /** The last word of a stream that brings no whole answer: no `[DONE]` follows. */
  async #error({ code, details }: AppError): Promise<void> {
    const stream = await this.begin();
    const { locale, response } = this.#caller;
    const message = errorSentence(code, locale);
    await stream.sendData(
      JSON.stringify(OPENAI_ENVELOPE.wrap({ code, message, details, requestId: requestIdOf(response) })),
    );
    this.#streamed.waiting.whole();
  }

  #chunk(stream: EventStream, delta: { role?: 'assistant'; content?: string }): Promise<void> {
    const { includesUsage } = this.#streamed.completion;
    return stream.sendData(JSON.stringify(presentChunk(this.#turn, delta, { includesUsage })));
  }
}

async function getTurn(deps: ApiDeps, turnId: string): Promise<TurnRecord> {
  const turn = await findTurn(deps.database, { turnId, userId: null });
  if (turn === null) throw new AppError('not_found');
  return turn;
}

function snapshotOf(turn: TurnRecord) {
  const { turnId, conversationId, model, state, attempt, streamEntries, content } = turn;
  return { turnId, conversationId, model, state, attempt, streamEntries, content, turn };
}
